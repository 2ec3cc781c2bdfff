-- Where no webhook reaches us, Meta is asked. A table of its own: a row of businesses is in many indexes, and each ask would be
-- written into all of them.
CREATE TABLE business_polls (
    partner_id meta_id NOT NULL,
    business_id meta_id NOT NULL,
    standing text NOT NULL,
    due_at timestamptz NOT NULL,
    asked_at timestamptz,
    wanted_at timestamptz,
    refusals integer NOT NULL DEFAULT 0 CHECK (refusals >= 0),
    cause text,
    PRIMARY KEY (partner_id, business_id),
    FOREIGN KEY (partner_id, business_id) REFERENCES businesses ON DELETE CASCADE,
    CONSTRAINT refused_has_its_cause CHECK ((refusals = 0) = (cause IS NULL))
);
COMMENT ON TABLE business_polls IS 'When Meta is next asked about each business that waits for its admin, or signed and isn''t ready';
COMMENT ON COLUMN business_polls.partner_id IS 'The tenant';
COMMENT ON COLUMN business_polls.business_id IS 'The business';
COMMENT ON COLUMN business_polls.standing IS 'Where it stood when that was settled: one that moved is looked at anew';
COMMENT ON COLUMN business_polls.due_at IS 'Meta isn''t asked before';
COMMENT ON COLUMN business_polls.asked_at IS 'When Meta last answered; NULL: not yet';
COMMENT ON COLUMN business_polls.wanted_at IS 'When a member wanted it asked about; NULL once it was';
COMMENT ON COLUMN business_polls.refusals IS 'Calls in a row that were refused with it among others: each is made of half as many';
COMMENT ON COLUMN business_polls.cause IS 'Why the last of them was, as graph::Cause spells it';
CREATE INDEX idx_business_polls_due ON business_polls (partner_id, due_at, business_id);
COMMENT ON INDEX idx_business_polls_due IS 'The longest due first';
CALL wall_off('business_polls', 'SELECT, INSERT, UPDATE, DELETE');

ALTER TABLE business_events ADD COLUMN heard_from text CHECK (heard_from IN ('sync', 'poll', 'webhook'));
COMMENT ON COLUMN business_events.heard_from IS 'How we came to know; NULL where that was not kept';
