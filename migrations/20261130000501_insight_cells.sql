-- A day of waits is one row with a cell for each bucket, and a day of what waits one with a cell for each hour. As rows of their own
-- the cells of a season lay on thousands of pages, and reading them took a page longer than all the rest of it.
CREATE FUNCTION with_cell(cells integer[], place integer, n bigint) RETURNS integer[]
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    AS $$
BEGIN
    cells[place + 1] := coalesce(cells[place + 1], 0) + n;
    RETURN cells;
END $$;
COMMENT ON FUNCTION with_cell(integer[], integer, bigint) IS 'Cells with so many more in one; places count from 0';

-- It begins with one cell: an array that has none would begin at the first place that is given.
CREATE AGGREGATE cells(place integer, n bigint) (SFUNC = with_cell, STYPE = integer[], INITCOND = '{0}', PARALLEL = SAFE);
COMMENT ON AGGREGATE cells(integer, bigint) IS 'Sums by place, which count from 0; NULL between them is none';

CREATE FUNCTION added(one integer[], other integer[]) RETURNS integer[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (
        SELECT array_agg(coalesce(a, 0) + coalesce(b, 0) ORDER BY place) FROM unnest(one, other) WITH ORDINALITY AS cell (a, b, place)
    );
COMMENT ON FUNCTION added(integer[], integer[]) IS 'Cells of both, added place by place';

-- Its rows are read by the owner once, who else sees none of them.
ALTER TABLE insight_waits NO FORCE ROW LEVEL SECURITY;
ALTER TABLE insight_waits RENAME TO past_waits;
ALTER INDEX insight_waits_pkey RENAME TO past_waits_pkey;
CREATE TABLE insight_waits (
    partner_id meta_id NOT NULL,
    solution_id text NOT NULL,
    member_id bigint NOT NULL,
    day date NOT NULL,
    accepted integer[] NOT NULL,
    PRIMARY KEY (partner_id, solution_id, member_id, day)
);
COMMENT ON TABLE insight_waits IS 'How long clients took to accept the requests of each day';
COMMENT ON COLUMN insight_waits.partner_id IS 'The tenant';
COMMENT ON COLUMN insight_waits.solution_id IS 'As in insight_days';
COMMENT ON COLUMN insight_waits.member_id IS 'As in insight_days';
COMMENT ON COLUMN insight_waits.day IS 'As in insight_days';
COMMENT ON COLUMN insight_waits.accepted IS 'Requests by the time from request to acceptance: a cell for each wait_bucket, from bucket 0 on; NULL: none';
INSERT INTO insight_waits SELECT partner_id, solution_id, member_id, day, cells(bucket, accepted) FROM past_waits GROUP BY 1, 2, 3, 4;
DROP TABLE past_waits;
CALL wall_off('insight_waits', 'SELECT, INSERT, UPDATE, DELETE');

ALTER TABLE insight_waiting NO FORCE ROW LEVEL SECURITY;
ALTER TABLE insight_waiting RENAME TO past_waiting;
ALTER INDEX insight_waiting_pkey RENAME TO past_waiting_pkey;
CREATE TABLE insight_waiting (
    partner_id meta_id NOT NULL,
    solution_id text NOT NULL,
    member_id bigint NOT NULL,
    day date NOT NULL,
    waiting integer[] NOT NULL,
    PRIMARY KEY (partner_id, solution_id, member_id, day)
);
COMMENT ON TABLE insight_waiting IS 'Requests that wait for a client''s admin now, by when Meta took them';
COMMENT ON COLUMN insight_waiting.partner_id IS 'The tenant';
COMMENT ON COLUMN insight_waiting.solution_id IS 'As in insight_days';
COMMENT ON COLUMN insight_waiting.member_id IS 'As in insight_days';
COMMENT ON COLUMN insight_waiting.day IS 'The day on which Meta took them, in UTC';
COMMENT ON COLUMN insight_waiting.waiting IS 'How many of them have not signed: a cell for each hour of the day, from 0 on; NULL: none';
INSERT INTO insight_waiting
SELECT partner_id, solution_id, member_id, (hour AT TIME ZONE 'UTC')::date, cells(extract(HOUR FROM hour AT TIME ZONE 'UTC')::integer, waiting)
FROM past_waiting GROUP BY 1, 2, 3, 4;
DROP TABLE past_waiting;
CALL wall_off('insight_waiting', 'SELECT, INSERT, UPDATE, DELETE');
