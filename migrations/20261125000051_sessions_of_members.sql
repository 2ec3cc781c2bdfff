-- Who is signed in where, so that a session can be ended by somebody else than its browser.
ALTER TABLE sessions
    ADD COLUMN session_number bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    ADD COLUMN used_at timestamptz;
COMMENT ON COLUMN sessions.session_number IS 'How a page names it; worth nothing to who knows it';
COMMENT ON COLUMN sessions.used_at IS 'Its last use, to the minute; NULL: not since it began';
CREATE INDEX idx_sessions_memberships ON sessions USING gin ((data -> 'signed_in' -> 'memberships') jsonb_path_ops);
COMMENT ON INDEX idx_sessions_memberships IS 'The sessions of a member';

ALTER TABLE members ADD COLUMN seen_at timestamptz;
COMMENT ON COLUMN members.seen_at IS 'When they last used Liteboard, to the minute; NULL: not since this is noted';
