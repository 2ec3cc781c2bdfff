-- A form that didn't go through is kept with the member who filled it in, until its page is shown again.
CREATE TABLE unsent_forms (
    partner_id meta_id NOT NULL,
    member_id bigint NOT NULL REFERENCES members,
    session bytea NOT NULL,
    page text NOT NULL CHECK (char_length(page) <= 4096),
    door text NOT NULL,
    fields jsonb NOT NULL CHECK (pg_column_size(fields) <= 262144),
    kept_at timestamptz NOT NULL,
    PRIMARY KEY (partner_id, member_id)
);
COMMENT ON TABLE unsent_forms IS 'What a member filled into the last form that did not go through, until its page is shown again: at most one each';
COMMENT ON COLUMN unsent_forms.partner_id IS 'The tenant';
COMMENT ON COLUMN unsent_forms.member_id IS 'Who filled it in; shown to nobody else';
COMMENT ON COLUMN unsent_forms.session IS 'Hash of the session that it was sent from: it is shown in the same browser alone';
COMMENT ON COLUMN unsent_forms.page IS 'The path of the page with the form';
COMMENT ON COLUMN unsent_forms.door IS 'The path it was sent to';
COMMENT ON COLUMN unsent_forms.fields IS 'Pairs of name and value, in the order of the form; never a secret';
COMMENT ON COLUMN unsent_forms.kept_at IS 'When it did not go through';
CALL wall_off('unsent_forms', 'SELECT, INSERT, UPDATE, DELETE');
