-- Meta's guide wants onboarding calls made with a system user's token, which belongs to the partner and to no member.
CREATE TABLE system_user_tokens (
    partner_id meta_id PRIMARY KEY,
    system_user_id meta_id NOT NULL,
    system_user_name text NOT NULL,
    sealed bytea NOT NULL,
    key_id text NOT NULL,
    scopes text[] NOT NULL,
    expires_at timestamptz,
    stored_at timestamptz NOT NULL,
    stored_by bigint NOT NULL REFERENCES members,
    problem text,
    problem_at timestamptz,
    CHECK ((problem IS NULL) = (problem_at IS NULL))
);
COMMENT ON TABLE system_user_tokens IS 'The system user token that a partner''s requests are sent with, sealed';
COMMENT ON COLUMN system_user_tokens.partner_id IS 'The tenant';
COMMENT ON COLUMN system_user_tokens.system_user_id IS 'Meta''s id of the system user';
COMMENT ON COLUMN system_user_tokens.system_user_name IS 'Its name at Meta';
COMMENT ON COLUMN system_user_tokens.sealed IS 'Nonce and XChaCha20-Poly1305 ciphertext';
COMMENT ON COLUMN system_user_tokens.key_id IS 'Which key of ENCRYPTION_KEY opens it';
COMMENT ON COLUMN system_user_tokens.scopes IS 'Permissions that debug_token named';
COMMENT ON COLUMN system_user_tokens.expires_at IS 'NULL: Meta says never, or did not say';
COMMENT ON COLUMN system_user_tokens.stored_at IS 'When an admin stored it';
COMMENT ON COLUMN system_user_tokens.stored_by IS 'That admin';
COMMENT ON COLUMN system_user_tokens.problem IS 'Why Graph refused it; NULL while it works';
COMMENT ON COLUMN system_user_tokens.problem_at IS 'When Graph refused it';
CALL wall_off('system_user_tokens', 'SELECT, INSERT, UPDATE, DELETE');
