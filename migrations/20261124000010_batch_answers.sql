-- A batch's page shows what was answered last and how many in each of the last minutes, however large the batch. Rows come into
-- this index when they are answered, not when they are claimed, so that dispatch pays for it once a request.
CREATE INDEX idx_requests_batch_answers ON requests (partner_id, batch_number, changed_at)
    WHERE NOT alone AND state NOT IN ('queued', 'sending', 'cancelled');
CREATE INDEX idx_batches_retry_of ON batches (partner_id, retry_of, batch_number) WHERE retry_of IS NOT NULL;
