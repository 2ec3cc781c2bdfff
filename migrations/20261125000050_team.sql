-- What a partner decides for itself. No row: the defaults hold.
CREATE TABLE partner_settings (
    partner_id meta_id PRIMARY KEY,
    partner_kind text NOT NULL DEFAULT 'solution_partner' CHECK (partner_kind IN ('solution_partner', 'tech_provider')),
    stalled_days integer NOT NULL DEFAULT 7 CHECK (stalled_days BETWEEN 1 AND 90),
    raw_body_days integer NOT NULL DEFAULT 400 CHECK (raw_body_days BETWEEN 1 AND 3650),
    probe_request_ids boolean NOT NULL DEFAULT FALSE
);
COMMENT ON TABLE partner_settings IS 'What a partner decides for itself; no row: the defaults hold';
COMMENT ON COLUMN partner_settings.partner_id IS 'The tenant';
COMMENT ON COLUMN partner_settings.partner_kind IS 'What it is to Meta: a solution partner (BSP), which has a credit line, or a tech provider (TP), which has none';
COMMENT ON COLUMN partner_settings.stalled_days IS 'After so many days without an answer of the client''s admins a request is called stalled';
COMMENT ON COLUMN partner_settings.raw_body_days IS 'For so many days what Meta answered is kept word for word; then only its facts';
COMMENT ON COLUMN partner_settings.probe_request_ids IS 'Ask Meta for a request by its id as well, which Meta may refuse';
CALL wall_off('partner_settings', 'SELECT, INSERT, UPDATE');

-- Who did what, for good: rows are added and never changed.
CREATE TABLE audit_log (
    entry_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    partner_id meta_id NOT NULL,
    at timestamptz NOT NULL,
    act text NOT NULL CHECK (act ~ '^[a-z_]{1,40}$'),
    member_id bigint REFERENCES members,
    other text CHECK (char_length(other) <= 200),
    detail text NOT NULL CHECK (char_length(detail) <= 500),
    address inet,
    agent text NOT NULL CHECK (char_length(agent) <= 300),
    CONSTRAINT somebody_did_it CHECK (num_nonnulls(member_id, other) = 1)
);
COMMENT ON TABLE audit_log IS 'Who did what, when and from where; rows are added and never changed';
COMMENT ON COLUMN audit_log.entry_id IS 'Ours; the order of the log';
COMMENT ON COLUMN audit_log.partner_id IS 'The tenant';
COMMENT ON COLUMN audit_log.at IS 'When it was done';
COMMENT ON COLUMN audit_log.act IS 'What was done; the names are those of the program, so that a newer one may add its own';
COMMENT ON COLUMN audit_log.member_id IS 'The member who did it; NULL: somebody who is none';
COMMENT ON COLUMN audit_log.other IS 'Who did it and is no member: the operator, or one who was refused at sign-in';
COMMENT ON COLUMN audit_log.detail IS 'What it was done to, in words, as they were then';
COMMENT ON COLUMN audit_log.address IS 'The address it was asked from; NULL: not over the network';
COMMENT ON COLUMN audit_log.agent IS 'The browser, as it names itself; empty: it doesn''t, or there was none';
CALL wall_off('audit_log', 'SELECT, INSERT');
CREATE INDEX idx_audit_log_partner ON audit_log (partner_id, entry_id DESC);
CREATE INDEX idx_audit_log_member ON audit_log (partner_id, member_id, entry_id DESC);
CREATE INDEX idx_audit_log_act ON audit_log (partner_id, act, entry_id DESC);

-- The tenant role has no right to change the log; this stops its owner, too, by mistake or by malice of the program.
CREATE FUNCTION refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused: its rows are there for good', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
COMMENT ON FUNCTION refuse_change() IS 'Refuses every change of a table whose rows are only added';
CREATE TRIGGER rows_are_only_added BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
