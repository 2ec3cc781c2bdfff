INSERT INTO batches (partner_id, member_id, started_at)
SELECT partner_id, member_id, '2026-11-22 10:00Z' FROM members;
INSERT INTO requests (partner_id, batch_number, business_id, member_id, state, attempts, meta_request_id, queued_at, sending_at, answered_at, changed_at)
SELECT b.partner_id, b.batch_number, '2010' || b.batch_number, b.member_id, 'requested', 1, '738201946655120', b.started_at, b.started_at, b.started_at, b.started_at
FROM batches b;
INSERT INTO request_events (partner_id, number, at, state, attempt)
SELECT partner_id, number, queued_at, 'queued', 0 FROM requests;
INSERT INTO dispatch_pauses (partner_id, until, told_at, cause)
VALUES ('102000000000001', '2026-11-22 10:05Z', '2026-11-22 10:00Z', 'throttled');
