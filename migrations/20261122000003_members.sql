CREATE TABLE partners (
    partner_id meta_id PRIMARY KEY,
    name text NOT NULL,
    verification_status text,
    first_seen_at timestamptz NOT NULL
);
COMMENT ON TABLE partners IS 'Solution partners that have signed in';
COMMENT ON COLUMN partners.partner_id IS 'Meta''s id of the partner''s business portfolio';
COMMENT ON COLUMN partners.name IS 'Its name at Meta when someone last signed in';
COMMENT ON COLUMN partners.verification_status IS 'Its business verification as Meta spelled it';
COMMENT ON COLUMN partners.first_seen_at IS 'When someone of it first signed in';
CALL wall_off('partners', 'SELECT, INSERT, UPDATE');

CREATE TABLE members (
    member_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    partner_id meta_id NOT NULL,
    facebook_user_id meta_id NOT NULL,
    name text NOT NULL,
    role text NOT NULL CHECK (role IN ('admin', 'account_manager', 'support')),
    joined_at timestamptz NOT NULL,
    signed_in_at timestamptz,
    removed_at timestamptz,
    UNIQUE (partner_id, facebook_user_id)
);
COMMENT ON TABLE members IS 'People of a partner';
COMMENT ON COLUMN members.member_id IS 'Ours';
COMMENT ON COLUMN members.partner_id IS 'The tenant';
COMMENT ON COLUMN members.facebook_user_id IS 'The person at Meta, as the app sees them';
COMMENT ON COLUMN members.name IS 'As Meta gave it at the last sign-in, or as the operator wrote it';
COMMENT ON COLUMN members.role IS 'What they may do';
COMMENT ON COLUMN members.joined_at IS 'When the row was made';
COMMENT ON COLUMN members.signed_in_at IS 'Their last sign-in; NULL for one who was named but has not come yet';
COMMENT ON COLUMN members.removed_at IS 'Set when an admin removed them: they can''t sign in, their deeds keep their name';
CALL wall_off('members', 'SELECT, INSERT, UPDATE');

CREATE TABLE tokens (
    partner_id meta_id NOT NULL,
    member_id bigint NOT NULL REFERENCES members,
    sealed bytea NOT NULL,
    key_id text NOT NULL,
    scopes text[] NOT NULL,
    expires_at timestamptz,
    stored_at timestamptz NOT NULL,
    problem text,
    problem_at timestamptz,
    PRIMARY KEY (partner_id, member_id),
    CHECK ((problem IS NULL) = (problem_at IS NULL))
);
COMMENT ON TABLE tokens IS 'The Graph token of each member, sealed';
COMMENT ON COLUMN tokens.partner_id IS 'The tenant';
COMMENT ON COLUMN tokens.member_id IS 'Whose it is';
COMMENT ON COLUMN tokens.sealed IS 'Nonce and XChaCha20-Poly1305 ciphertext';
COMMENT ON COLUMN tokens.key_id IS 'Which key of ENCRYPTION_KEY opens it';
COMMENT ON COLUMN tokens.scopes IS 'Permissions that debug_token named';
COMMENT ON COLUMN tokens.expires_at IS 'NULL: Meta says never, or did not say';
COMMENT ON COLUMN tokens.stored_at IS 'When the member signed in with it';
COMMENT ON COLUMN tokens.problem IS 'Why Graph refused it (expired, revoked, password_changed, ...); NULL while it works';
COMMENT ON COLUMN tokens.problem_at IS 'When Graph refused it';
CALL wall_off('tokens', 'SELECT, INSERT, UPDATE, DELETE');
