-- What `/insights` reads. Every cell is a sum over facts that no longer change, so counting an event once is counting it for good; and
-- each is kept for all and for one solution, for all and for one member, so that a page reads one row a day whatever it is asked.
CREATE TABLE insight_marks (
    partner_id meta_id NOT NULL,
    source text NOT NULL CHECK (source IN ('request_events', 'graph_calls')),
    counted_id bigint NOT NULL DEFAULT 0,
    fenced_id bigint NOT NULL DEFAULT 0,
    fence bigint NOT NULL DEFAULT 0,
    fenced_at timestamptz NOT NULL,
    seen_id bigint NOT NULL DEFAULT 0,
    seen_at timestamptz NOT NULL,
    counted_at timestamptz,
    PRIMARY KEY (partner_id, source)
);
COMMENT ON TABLE insight_marks IS 'How far the insights of a partner are counted, in one transaction with what was counted';
COMMENT ON COLUMN insight_marks.partner_id IS 'The tenant';
COMMENT ON COLUMN insight_marks.source IS 'The table that is counted, in the order of its ids';
COMMENT ON COLUMN insight_marks.counted_id IS 'Everything up to this id is counted, and nothing after it';
COMMENT ON COLUMN insight_marks.fenced_id IS 'Ids up to this one were given before the fence';
COMMENT ON COLUMN insight_marks.fence IS 'Once no transaction before this one runs, whatever is to come of the fenced ids is there: they may be counted';
COMMENT ON COLUMN insight_marks.fenced_at IS 'When the fenced ids were all there were';
COMMENT ON COLUMN insight_marks.seen_id IS 'The last id given at the last look: fenced at the next one, so that whoever was about to write has begun by then';
COMMENT ON COLUMN insight_marks.seen_at IS 'When that was';
COMMENT ON COLUMN insight_marks.counted_at IS 'Everything that had happened by then is counted; NULL: the first count isn''t over';
CALL wall_off('insight_marks', 'SELECT, INSERT, UPDATE, DELETE');

CREATE TABLE insight_days (
    partner_id meta_id NOT NULL,
    solution_id text NOT NULL,
    member_id bigint NOT NULL,
    day date NOT NULL,
    asked integer NOT NULL DEFAULT 0,
    requested integer NOT NULL DEFAULT 0,
    accepted integer NOT NULL DEFAULT 0,
    ready integer NOT NULL DEFAULT 0,
    failed integer NOT NULL DEFAULT 0,
    taken integer NOT NULL DEFAULT 0,
    cancelled integer NOT NULL DEFAULT 0,
    PRIMARY KEY (partner_id, solution_id, member_id, day)
);
COMMENT ON TABLE insight_days IS 'What became of the requests of each day';
COMMENT ON COLUMN insight_days.partner_id IS 'The tenant';
COMMENT ON COLUMN insight_days.solution_id IS 'The solution asked for; empty: none; *: all of them together';
COMMENT ON COLUMN insight_days.member_id IS 'Who asked; 0: all of them together';
COMMENT ON COLUMN insight_days.day IS 'The day on which they were asked for, in UTC';
COMMENT ON COLUMN insight_days.asked IS 'Requests made';
COMMENT ON COLUMN insight_days.requested IS 'Of these: taken by Meta, or found signed already';
COMMENT ON COLUMN insight_days.accepted IS 'Of these: terms signed';
COMMENT ON COLUMN insight_days.ready IS 'Of these: a WABA onboarded';
COMMENT ON COLUMN insight_days.failed IS 'Given up';
COMMENT ON COLUMN insight_days.taken IS 'Taken by another partner';
COMMENT ON COLUMN insight_days.cancelled IS 'Stopped before they were sent';
CALL wall_off('insight_days', 'SELECT, INSERT, UPDATE, DELETE');
CREATE INDEX idx_insight_days_day ON insight_days (partner_id, day);
COMMENT ON INDEX idx_insight_days_day IS 'For the same days of every solution, or of every member';

CREATE TABLE insight_waits (
    partner_id meta_id NOT NULL,
    solution_id text NOT NULL,
    member_id bigint NOT NULL,
    day date NOT NULL,
    bucket smallint NOT NULL,
    accepted integer NOT NULL,
    PRIMARY KEY (partner_id, solution_id, member_id, day, bucket)
);
COMMENT ON TABLE insight_waits IS 'How long clients took to accept the requests of each day';
COMMENT ON COLUMN insight_waits.partner_id IS 'The tenant';
COMMENT ON COLUMN insight_waits.solution_id IS 'As in insight_days';
COMMENT ON COLUMN insight_waits.member_id IS 'As in insight_days';
COMMENT ON COLUMN insight_waits.day IS 'As in insight_days';
COMMENT ON COLUMN insight_waits.bucket IS 'From request to acceptance, as wait_bucket has it';
COMMENT ON COLUMN insight_waits.accepted IS 'Requests that took so long';
CALL wall_off('insight_waits', 'SELECT, INSERT, UPDATE, DELETE');

CREATE FUNCTION wait_bucket(wait interval) RETURNS smallint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (
        SELECT CASE WHEN hour < 72 THEN hour WHEN hour < 336 THEN 60 + hour / 6 WHEN hour < 1440 THEN 102 + hour / 24 ELSE 162 END
        FROM (SELECT greatest(floor(extract(EPOCH FROM wait) / 3600), 0)::bigint AS hour) AS whole
    )::smallint;
COMMENT ON FUNCTION wait_bucket(interval) IS 'The bucket of a wait: hours for three days, quarters of a day up to 14 days, days up to 60, then one for all longer ones';

CREATE TABLE insight_waiting (
    partner_id meta_id NOT NULL,
    solution_id text NOT NULL,
    member_id bigint NOT NULL,
    hour timestamptz NOT NULL,
    waiting integer NOT NULL,
    PRIMARY KEY (partner_id, solution_id, member_id, hour)
);
COMMENT ON TABLE insight_waiting IS 'Requests that wait for a client''s admin now, by when Meta took them';
COMMENT ON COLUMN insight_waiting.partner_id IS 'The tenant';
COMMENT ON COLUMN insight_waiting.solution_id IS 'As in insight_days';
COMMENT ON COLUMN insight_waiting.member_id IS 'As in insight_days';
COMMENT ON COLUMN insight_waiting.hour IS 'The hour in which Meta took them';
COMMENT ON COLUMN insight_waiting.waiting IS 'How many of them have not signed';
CALL wall_off('insight_waiting', 'SELECT, INSERT, UPDATE, DELETE');

CREATE TABLE insight_errors (
    partner_id meta_id NOT NULL,
    solution_id text NOT NULL,
    member_id bigint NOT NULL,
    day date NOT NULL,
    cause text NOT NULL,
    failed integer NOT NULL DEFAULT 0,
    put_off integer NOT NULL DEFAULT 0,
    PRIMARY KEY (partner_id, solution_id, member_id, day, cause)
);
COMMENT ON TABLE insight_errors IS 'Attempts that ended in an error, by cause';
COMMENT ON COLUMN insight_errors.partner_id IS 'The tenant';
COMMENT ON COLUMN insight_errors.solution_id IS 'As in insight_days';
COMMENT ON COLUMN insight_errors.member_id IS 'As in insight_days';
COMMENT ON COLUMN insight_errors.day IS 'The day of the error, in UTC';
COMMENT ON COLUMN insight_errors.cause IS 'As graph::Cause spells it';
COMMENT ON COLUMN insight_errors.failed IS 'Requests given up for it';
COMMENT ON COLUMN insight_errors.put_off IS 'Attempts put off for it';
CALL wall_off('insight_errors', 'SELECT, INSERT, UPDATE, DELETE');

CREATE TABLE insight_usage (
    partner_id meta_id NOT NULL,
    at timestamptz NOT NULL,
    app_percent real,
    business_percent real,
    refused integer NOT NULL DEFAULT 0,
    wait_minutes integer,
    PRIMARY KEY (partner_id, at)
);
COMMENT ON TABLE insight_usage IS 'How much of its limits Meta said was used up, for two days';
COMMENT ON COLUMN insight_usage.partner_id IS 'The tenant';
COMMENT ON COLUMN insight_usage.at IS 'Begin of five minutes';
COMMENT ON COLUMN insight_usage.app_percent IS 'The highest percentage of the app''s limit in them; NULL: Meta named none';
COMMENT ON COLUMN insight_usage.business_percent IS 'The highest percentage of any business use case; NULL: Meta named none';
COMMENT ON COLUMN insight_usage.refused IS 'Calls that Meta refused for a limit';
COMMENT ON COLUMN insight_usage.wait_minutes IS 'The longest wait Meta asked for; NULL: none';
CALL wall_off('insight_usage', 'SELECT, INSERT, UPDATE, DELETE');

-- The last id that was given to anybody, which no row that is visible tells.
GRANT SELECT ON SEQUENCE request_events_event_id_seq, graph_calls_call_id_seq TO liteboard_tenant;

CREATE PROCEDURE recount_insights(partner text)
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM set_config('app.partner_id', partner, TRUE);
    -- First, as counting locks it first: what is under way ends before.
    DELETE FROM insight_marks WHERE partner_id = partner;
    DELETE FROM insight_days WHERE partner_id = partner;
    DELETE FROM insight_waits WHERE partner_id = partner;
    DELETE FROM insight_waiting WHERE partner_id = partner;
    DELETE FROM insight_errors WHERE partner_id = partner;
    DELETE FROM insight_usage WHERE partner_id = partner;
END $$;
COMMENT ON PROCEDURE recount_insights(text) IS 'Forgets what was counted for a partner: it''s counted anew from the first request on, in steps';
