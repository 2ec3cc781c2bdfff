INSERT INTO batches (partner_id, member_id, source, name, file_name, drafted_at, checked_at, size)
SELECT partner_id, member_id, 'list', 'November', 'november-wave.csv', '2026-11-24 10:00Z', '2026-11-24 10:00Z', 0 FROM members;
INSERT INTO batches (partner_id, member_id, source, started_at, drafted_at, checked_at, size, paused_at, paused_by, cancelled_at, cancelled_by)
SELECT partner_id, member_id, 'selection', '2026-11-24 10:00Z', '2026-11-24 09:00Z', '2026-11-24 10:00Z', 1, '2026-11-24 10:01Z', member_id, '2026-11-24 10:02Z', member_id
FROM members;
INSERT INTO batches (partner_id, member_id, source, started_at, retry_of)
SELECT partner_id, member_id, 'retry', '2026-11-24 11:00Z', batch_number FROM batches WHERE source = 'selection';
INSERT INTO batch_rows (partner_id, batch_number, line, given, given_solution, unreadable, business_id, solution_id, finding, same_as, left_out)
SELECT partner_id, batch_number, line, given, given_solution, unreadable, business_id, read.solution_id, finding, same_as, left_out
FROM batches, (VALUES
    (2, '20101', '19702253086745', NULL, '20101', '19702253086745', 'eligible', NULL, FALSE),
    (3, '20101', NULL, NULL, '20101', NULL, 'duplicate', 2, FALSE),
    (4, '2.2E+15', NULL, 'rounded', NULL, NULL, 'rounded', NULL, FALSE),
    (5, '20102', 'none', NULL, '20102', NULL, 'solution_not_an_id', NULL, TRUE)
) AS read (line, given, given_solution, unreadable, business_id, solution_id, finding, same_as, left_out)
WHERE source = 'list';
INSERT INTO selected_businesses (partner_id, member_id, business_id)
SELECT m.partner_id, m.member_id, b.business_id FROM members m JOIN businesses b USING (partner_id);
INSERT INTO requests (partner_id, batch_number, business_id, member_id, state, queued_at, changed_at, alone)
SELECT partner_id, batch_number, '20105', member_id, 'queued', started_at, started_at, FALSE FROM batches WHERE source = 'retry';
INSERT INTO paces (partner_id, concurrency, used_percent, used_at, wait_until, told_at, cause)
VALUES ('102000000000002', 4, 76.5, '2026-11-24 10:00Z', '2026-11-24 10:05Z', '2026-11-24 10:00Z', 'near_limit');
INSERT INTO app_paces (app_id, used_percent, used_at, wait_until, told_at)
VALUES ('680000000000001', 12, '2026-11-24 10:00Z', NULL, NULL);
