-- The list of calls goes by their own time, and by that of those alone that Meta refused or didn't answer: they are few, and what is
-- asked for most.
CREATE INDEX idx_graph_calls_time ON graph_calls (partner_id, started_at DESC, call_id DESC) WHERE number IS NOT NULL;
COMMENT ON INDEX idx_graph_calls_time IS 'The calls made for requests, newest first';
CREATE INDEX idx_graph_calls_refused ON graph_calls (partner_id, started_at DESC, call_id DESC)
    WHERE number IS NOT NULL AND (error_code IS NOT NULL OR http_status IS NULL OR http_status >= 400);
COMMENT ON INDEX idx_graph_calls_refused IS 'Those of them that were refused or not answered, newest first';

-- By the order of the numbers alone: where statistics are older than the partner's requests, the planner finds any index that begins with
-- the partner as good, and sorts all of them for each step.
ALTER FUNCTION requests_begin_at(timestamptz) SET enable_sort = off;
ALTER FUNCTION requests_begin_at(timestamptz) SET enable_seqscan = off;
ALTER FUNCTION requests_begin_at(timestamptz) SET enable_bitmapscan = off;
