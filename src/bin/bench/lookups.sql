-- Fills graph_calls up to bench.calls for the partner under test over a year, and a twentieth of that for another one: each tenth call is
-- an attempt of a request, each twelfth was refused in one of forty ways.
WITH known AS (
    SELECT array_agg(business_id::text ORDER BY business_id) AS ids FROM businesses WHERE partner_id = '102000000000001'
), member AS (
    SELECT member_id FROM members WHERE partner_id = '102000000000001' LIMIT 1
), batch AS (
    INSERT INTO batches (partner_id, member_id, source, started_at, size)
    SELECT '102000000000001', member_id, 'selection', now(), 1 FROM member RETURNING batch_number, member_id
)
INSERT INTO requests (partner_id, batch_number, business_id, member_id, state, attempts, cause, meta_request_id, queued_at, answered_at, failed_at, changed_at)
SELECT '102000000000001', batch_number, ids[1 + n % cardinality(ids)], member_id, CASE WHEN n % 12 = 0 THEN 'failed' ELSE 'taken_by_another_partner' END, 1,
    CASE WHEN n % 12 = 0 THEN 'access_denied' END, (7300000000000000 + n)::text, at, at, at, at
FROM batch, known, generate_series(1, current_setting('bench.calls')::bigint / 10) AS n,
    LATERAL (SELECT now() - interval '1 year' * (1 - n * 10.0 / current_setting('bench.calls')::bigint) AS at) AS t;
INSERT INTO request_events (partner_id, number, at, state, attempt, cause)
SELECT partner_id, number, queued_at, state, 1, cause FROM requests WHERE meta_request_id LIKE '73%';
INSERT INTO graph_calls (partner_id, number, attempt, operation, method, path, query, subject_id, graph_version, app_id, started_at, duration_ms,
    http_status, error_code, error_subcode, error_type, error_message, is_transient, fbtrace_id, x_fb_trace_id, x_fb_request_id, app_usage, body)
SELECT p.partner_id, CASE WHEN p.ours AND n % 10 = 0 THEN first_number + n / 10 - 1 END, CASE WHEN n % 10 = 0 THEN 1 END,
    CASE WHEN n % 10 = 0 THEN 'onboard_partners_to_mm_lite' ELSE 'read_business_status' END, 'POST',
    '/v25.0/' || ids[1 + n % cardinality(ids)] || '/onboard_partners_to_mm_lite', 'appsecret_proof=[redacted]', ids[1 + n % cardinality(ids)],
    'v25.0', '680000000000001', now() - interval '1 year' * (1 - n::float8 / most), 120 + n % 900,
    CASE WHEN n % 12 = 0 THEN 403 ELSE 200 END, CASE WHEN n % 12 = 0 THEN 200 + n / 12 % 40 END, CASE WHEN n % 12 = 0 THEN 1349174 END,
    CASE WHEN n % 12 = 0 THEN 'OAuthException' END,
    CASE WHEN n % 12 = 0 THEN '(#' || 200 + n / 12 % 40 || ') Object with ID ''' || n || ''' does not exist' END,
    CASE WHEN n % 12 = 0 THEN FALSE END, trace, trace, md5('r' || p.partner_id || n), '{"call_count":28}',
    '{"marketing_messages_onboarding_status":{"status":"NOT_STARTED"},"id":"' || n || '","fbtrace_id":"' || trace || '"}'
FROM (SELECT current_setting('bench.calls')::bigint AS most) AS m,
    (VALUES ('102000000000001', TRUE), ('102000000000099', FALSE)) AS p (partner_id, ours),
    (SELECT array_agg(business_id::text ORDER BY business_id) AS ids FROM businesses WHERE partner_id = '102000000000001') AS known,
    (SELECT min(number) AS first_number FROM requests WHERE meta_request_id LIKE '73%') AS numbers,
    generate_series(1, most / CASE WHEN p.ours THEN 1 ELSE 20 END) AS n,
    LATERAL (SELECT 'A' || translate(left(encode(decode(md5(p.partner_id || n), 'hex'), 'base64'), 22), '+/', '_-') AS trace) AS t;
