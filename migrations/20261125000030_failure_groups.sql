-- Failed calls in groups by what Meta said, counted as they come: five million calls are never grouped while somebody waits. Whoever
-- records a call notes it here in the same transaction; a reconciler takes what is noted and counts it, each call once.
CREATE TABLE uncounted_failures (
    partner_id meta_id NOT NULL,
    call_id bigint NOT NULL,
    PRIMARY KEY (partner_id, call_id)
);
COMMENT ON TABLE uncounted_failures IS 'Failed calls that are recorded and not yet counted';
COMMENT ON COLUMN uncounted_failures.partner_id IS 'The tenant';
COMMENT ON COLUMN uncounted_failures.call_id IS 'The call';
CALL wall_off('uncounted_failures', 'SELECT, INSERT, DELETE');

CREATE TABLE failure_groups (
    group_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    partner_id meta_id NOT NULL,
    code bigint,
    subcode bigint,
    failure text,
    words text NOT NULL CHECK (char_length(words) <= 200),
    cause text NOT NULL,
    calls bigint NOT NULL CHECK (calls > 0),
    businesses bigint NOT NULL CHECK (businesses >= 0),
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    last_call_id bigint NOT NULL,
    CONSTRAINT uq_failure_groups UNIQUE NULLS NOT DISTINCT (partner_id, code, subcode, failure, words)
);
COMMENT ON TABLE failure_groups IS 'Calls that failed alike: the same code and the same words';
COMMENT ON COLUMN failure_groups.group_id IS 'Ours';
COMMENT ON COLUMN failure_groups.partner_id IS 'The tenant';
COMMENT ON COLUMN failure_groups.code IS 'error.code; NULL where Meta gave none';
COMMENT ON COLUMN failure_groups.subcode IS 'error.error_subcode';
COMMENT ON COLUMN failure_groups.failure IS 'Why there was no usable answer, as graph::Failure spells it';
COMMENT ON COLUMN failure_groups.words IS 'Meta''s message without what differs from call to call, as support/failures/words.rs leaves it';
COMMENT ON COLUMN failure_groups.cause IS 'What it meant when it was first counted, as graph::Cause spells it';
COMMENT ON COLUMN failure_groups.calls IS 'Calls counted';
COMMENT ON COLUMN failure_groups.businesses IS 'Businesses among them';
COMMENT ON COLUMN failure_groups.first_at IS 'When the first of them left';
COMMENT ON COLUMN failure_groups.last_at IS 'When the last of them left';
COMMENT ON COLUMN failure_groups.last_call_id IS 'The newest of them';
CALL wall_off('failure_groups', 'SELECT, INSERT, UPDATE');

CREATE TABLE failure_days (
    partner_id meta_id NOT NULL,
    day date NOT NULL,
    group_id bigint NOT NULL REFERENCES failure_groups,
    calls bigint NOT NULL CHECK (calls > 0),
    PRIMARY KEY (partner_id, day, group_id)
);
COMMENT ON TABLE failure_days IS 'How many calls of a group failed on a day';
COMMENT ON COLUMN failure_days.partner_id IS 'The tenant';
COMMENT ON COLUMN failure_days.day IS 'The day in UTC';
COMMENT ON COLUMN failure_days.group_id IS 'The group';
COMMENT ON COLUMN failure_days.calls IS 'Calls counted';
CALL wall_off('failure_days', 'SELECT, INSERT, UPDATE');

CREATE TABLE failure_businesses (
    partner_id meta_id NOT NULL,
    group_id bigint NOT NULL REFERENCES failure_groups,
    business_id meta_id NOT NULL,
    calls bigint NOT NULL CHECK (calls > 0),
    last_at timestamptz NOT NULL,
    last_call_id bigint NOT NULL,
    last_number bigint,
    PRIMARY KEY (partner_id, group_id, business_id)
);
COMMENT ON TABLE failure_businesses IS 'The businesses for which calls of a group failed';
COMMENT ON COLUMN failure_businesses.partner_id IS 'The tenant';
COMMENT ON COLUMN failure_businesses.group_id IS 'The group';
COMMENT ON COLUMN failure_businesses.business_id IS 'The business that was called';
COMMENT ON COLUMN failure_businesses.calls IS 'Calls counted';
COMMENT ON COLUMN failure_businesses.last_at IS 'When the last of them left';
COMMENT ON COLUMN failure_businesses.last_call_id IS 'The newest of them';
COMMENT ON COLUMN failure_businesses.last_number IS 'The request that was for; NULL: none';
CREATE INDEX idx_failure_businesses_last ON failure_businesses (partner_id, group_id, last_at DESC, business_id);
CALL wall_off('failure_businesses', 'SELECT, INSERT, UPDATE');

CREATE FUNCTION note_failure() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO uncounted_failures (partner_id, call_id) VALUES (NEW.partner_id, NEW.call_id);
    RETURN NULL;
END $$;
COMMENT ON FUNCTION note_failure() IS 'Notes a failed call for counting';
CREATE TRIGGER failures_are_noted AFTER INSERT ON graph_calls
    FOR EACH ROW
    WHEN (NEW.partner_id IS NOT NULL
        AND (NEW.error_code IS NOT NULL OR NEW.error_message IS NOT NULL OR NEW.failure IS NOT NULL OR NEW.http_status >= 400))
    EXECUTE FUNCTION note_failure();

INSERT INTO uncounted_failures (partner_id, call_id)
SELECT partner_id, call_id FROM graph_calls
WHERE partner_id IS NOT NULL AND (error_code IS NOT NULL OR error_message IS NOT NULL OR failure IS NOT NULL OR http_status >= 400);
