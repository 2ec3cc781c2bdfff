-- A partner's history: bench.requests over the last year, two in three accepted, by eight managers with four solutions or none; and
-- bench.calls, of which those of the last day name how much of a limit is used.
INSERT INTO members (partner_id, facebook_user_id, name, role, joined_at)
SELECT '102000000000001', (990000000000000 + n)::text, 'Manager ' || n, 'account_manager', now() - interval '2 years' FROM generate_series(1, 8) AS n;
INSERT INTO solutions (partner_id, solution_id, name, role, seen_at)
SELECT '102000000000001', (880000000000000 + n)::text, 'Solution ' || n, 'owner', now() FROM generate_series(1, 4) AS n
ON CONFLICT DO NOTHING;
INSERT INTO batches (partner_id, member_id, source, started_at, size)
SELECT '102000000000001', member_id, 'selection', now() - interval '1 year', 1 FROM members WHERE name LIKE 'Manager %';
INSERT INTO requests (partner_id, batch_number, business_id, member_id, solution_id, state, attempts, cause, meta_request_id, queued_at,
    answered_at, accepted_at, ready_at, failed_at, changed_at, alone)
SELECT '102000000000001', b.batch_number, (500000000000000 + n)::text, b.member_id,
    CASE WHEN n % 5 > 0 THEN (880000000000000 + n % 5)::text END,
    made.state, 1, CASE made.state WHEN 'failed' THEN (ARRAY['access_denied', 'not_found_or_no_access', 'temporary'])[1 + n % 3] END,
    n::text, made.at, CASE WHEN made.state <> 'failed' THEN made.at + interval '2 seconds' END,
    CASE WHEN made.state IN ('accepted', 'ready') THEN made.at + made.wait END, CASE made.state WHEN 'ready' THEN made.at + made.wait END,
    CASE made.state WHEN 'failed' THEN made.at END, made.at, FALSE
FROM generate_series(1, current_setting('bench.requests')::bigint) AS n
JOIN LATERAL (
    SELECT now() - interval '1 year' * ((n * 7919 % 1000003) / 1000003.0) AS at, interval '1 hour' * (1 + (n * 104729 % 997) ^ 2 / 2000.0) AS wait,
        CASE WHEN n % 50 = 0 THEN 'failed' WHEN n % 3 = 0 THEN 'requested' WHEN n % 7 = 0 THEN 'accepted' ELSE 'ready' END AS state
) AS made ON TRUE
JOIN (SELECT batch_number, member_id, row_number() OVER (ORDER BY batch_number) AS place FROM batches WHERE source = 'selection') AS b
    ON b.place = 1 + n % 8;
INSERT INTO request_events (partner_id, number, at, state, attempt, cause)
SELECT r.partner_id, r.number, told.at, told.state, 1, told.cause
FROM requests r CROSS JOIN LATERAL (
    VALUES (r.queued_at, 'queued', NULL), (r.answered_at, 'requested', NULL), (r.accepted_at, 'accepted', NULL), (r.ready_at, 'ready', NULL),
        (r.failed_at, 'failed', r.cause)
) AS told (at, state, cause)
WHERE told.at IS NOT NULL AND r.business_id LIKE '5%';
INSERT INTO graph_calls (partner_id, number, attempt, operation, method, path, query, subject_id, graph_version, app_id, started_at, duration_ms,
    http_status, app_usage, business_use_case_usage, body)
SELECT '102000000000001', 1001, 1, 'onboard_partners_to_mm_lite', 'POST', '/v25.0/1/onboard_partners_to_mm_lite', '', '1', 'v25.0', '680000000000001',
    now() - interval '1 year' * (1 - n / current_setting('bench.calls')::float8), 120, 200,
    '{"call_count":' || n % 60 || ',"total_time":25,"total_cputime":25}',
    '{"1":[{"type":"whatsapp","call_count":' || n % 90 || ',"total_cputime":25,"total_time":25,"estimated_time_to_regain_access":0}]}',
    '{"request_id":"738201946655120"}'
FROM generate_series(1, current_setting('bench.calls')::bigint) AS n;
