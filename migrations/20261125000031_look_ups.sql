-- What a member looked up last, so that it is one click away.
CREATE TABLE look_ups (
    partner_id meta_id NOT NULL,
    member_id bigint NOT NULL REFERENCES members,
    asked text NOT NULL CHECK (char_length(asked) BETWEEN 1 AND 200),
    was text NOT NULL CHECK (char_length(was) <= 300),
    at timestamptz NOT NULL,
    PRIMARY KEY (partner_id, member_id, asked)
);
COMMENT ON TABLE look_ups IS 'The last look-ups of each member that found something';
COMMENT ON COLUMN look_ups.partner_id IS 'The tenant';
COMMENT ON COLUMN look_ups.member_id IS 'Who looked';
COMMENT ON COLUMN look_ups.asked IS 'The id or the name that was looked up';
COMMENT ON COLUMN look_ups.was IS 'What it was found to be, in words';
COMMENT ON COLUMN look_ups.at IS 'When it was looked up last';
CREATE INDEX idx_look_ups_newest ON look_ups (partner_id, member_id, at DESC);
CALL wall_off('look_ups', 'SELECT, INSERT, UPDATE, DELETE');
