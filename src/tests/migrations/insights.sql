INSERT INTO insight_marks (partner_id, source, counted_id, fenced_id, fence, fenced_at, seen_id, seen_at, counted_at)
VALUES ('102000000000001', 'request_events', 1, 1, 700, '2026-11-22 10:00Z', 1, '2026-11-22 10:00Z', '2026-11-22 10:00Z');
INSERT INTO insight_days (partner_id, solution_id, member_id, day, asked, requested) VALUES ('102000000000001', '*', 0, '2026-11-22', 1, 1);
INSERT INTO insight_waits (partner_id, solution_id, member_id, day, bucket, accepted)
VALUES ('102000000000001', '*', 0, '2026-11-22', wait_bucket('3 days'), 1);
INSERT INTO insight_waiting (partner_id, solution_id, member_id, hour, waiting) VALUES ('102000000000001', '*', 0, '2026-11-22 10:00Z', 1);
INSERT INTO insight_errors (partner_id, solution_id, member_id, day, cause, failed)
VALUES ('102000000000001', '*', 0, '2026-11-22', 'access_denied', 1);
INSERT INTO insight_usage (partner_id, at, app_percent, refused) VALUES ('102000000000001', '2026-11-22 10:00Z', 28, 0);
