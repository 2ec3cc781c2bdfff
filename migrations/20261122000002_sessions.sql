-- Browser sessions. Not a tenant table: a session begins before anyone is known. Only a hash of the id is kept.
CREATE TABLE sessions (
    id_hash bytea PRIMARY KEY CHECK (octet_length(id_hash) = 32),
    data jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
COMMENT ON TABLE sessions IS 'Browser sessions: who signed in, or a sign-in under way';
COMMENT ON COLUMN sessions.id_hash IS 'SHA-256 of the id in the cookie';
COMMENT ON COLUMN sessions.data IS 'What the session holds; never a token';
COMMENT ON COLUMN sessions.created_at IS 'When it began: the absolute timeout counts from here';
COMMENT ON COLUMN sessions.expires_at IS 'When it ends if nothing more is heard: the idle timeout';
CREATE INDEX idx_sessions_expires_at ON sessions (expires_at);
