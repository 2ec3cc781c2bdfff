-- Raw answers are kept for a time, the facts read from them for good. The index holds the calls whose answer is still there, so that
-- those due are found without looking at any other; a call leaves it when its answer goes.
ALTER TABLE graph_calls ADD COLUMN body_dropped_at timestamptz;
COMMENT ON COLUMN graph_calls.body_dropped_at IS 'When the raw answer was dropped for its age; NULL: it is still there';
CREATE INDEX idx_graph_calls_kept ON graph_calls (partner_id, started_at) WHERE body_dropped_at IS NULL;
COMMENT ON INDEX idx_graph_calls_kept IS 'Whose raw answer is due to go';
GRANT UPDATE (body, body_dropped_at) ON graph_calls TO liteboard_tenant;
