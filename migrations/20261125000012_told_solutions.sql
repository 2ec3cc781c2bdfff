-- A solution's status comes from syncs and from webhooks, which may come in any order.
ALTER TABLE solutions ADD COLUMN told_at timestamptz;
COMMENT ON COLUMN solutions.told_at IS 'The hour Meta named with the status, where a webhook told it; NULL: only syncs did';
