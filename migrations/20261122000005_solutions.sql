CREATE TABLE solutions (
    partner_id meta_id NOT NULL,
    solution_id meta_id NOT NULL,
    name text NOT NULL,
    status text,
    pending_status text,
    role text NOT NULL CHECK (role IN ('owner', 'partner')),
    seen_at timestamptz NOT NULL,
    gone_at timestamptz,
    PRIMARY KEY (partner_id, solution_id)
);
COMMENT ON TABLE solutions IS 'Multi-partner solutions of the app, as the last syncs saw them';
COMMENT ON COLUMN solutions.partner_id IS 'The tenant';
COMMENT ON COLUMN solutions.solution_id IS 'Meta''s id of it';
COMMENT ON COLUMN solutions.name IS 'Its name at Meta';
COMMENT ON COLUMN solutions.status IS 'As Meta spelled it; NULL: Meta did not say';
COMMENT ON COLUMN solutions.pending_status IS 'status_for_pending_request as Meta spelled it; NULL: Meta did not say';
COMMENT ON COLUMN solutions.role IS 'Whether the app owns it or takes part in it';
COMMENT ON COLUMN solutions.seen_at IS 'When a sync last saw it';
COMMENT ON COLUMN solutions.gone_at IS 'Set when a whole sync did not see it';
CALL wall_off('solutions', 'SELECT, INSERT, UPDATE');
