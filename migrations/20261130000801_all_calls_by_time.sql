-- Every call of the partner in order, and not only those made for requests: support asks for failed syncs and polls, too.
CREATE INDEX idx_graph_calls_by_time ON graph_calls (partner_id, started_at DESC, call_id DESC);
COMMENT ON INDEX idx_graph_calls_by_time IS 'The calls of a partner, newest first';
CREATE INDEX idx_graph_calls_refused_by_time ON graph_calls (partner_id, started_at DESC, call_id DESC)
    WHERE error_code IS NOT NULL OR http_status IS NULL OR http_status >= 400;
COMMENT ON INDEX idx_graph_calls_refused_by_time IS 'Those of them that were refused or not answered, newest first';
CREATE INDEX idx_graph_calls_code ON graph_calls (partner_id, error_code, call_id DESC) WHERE error_code IS NOT NULL;
COMMENT ON INDEX idx_graph_calls_code IS 'Calls, and requests, that met an error few do';
DROP INDEX idx_graph_calls_time;
DROP INDEX idx_graph_calls_refused;
DROP INDEX idx_graph_calls_error;
