-- Requests of three members of the partner under test, one a minute up to now, each with five calls; states, causes and codes in the shares
-- that a year of work leaves behind. A member and an error that hardly ever come are among them.
SELECT set_config('bench.partner', '102000000000001', FALSE);
INSERT INTO members (partner_id, facebook_user_id, name, role, joined_at)
VALUES (current_setting('bench.partner'), '900001', 'Miguel Santos', 'account_manager', now()),
    (current_setting('bench.partner'), '900002', 'Rare Visitor', 'account_manager', now());
INSERT INTO solutions (partner_id, solution_id, name, role, seen_at)
VALUES (current_setting('bench.partner'), '71', 'Retail Reach', 'owner', now()), (current_setting('bench.partner'), '72', 'Loyalty', 'owner', now());
INSERT INTO businesses (partner_id, business_id, name, name_key, words, country, wabas, first_seen_at)
SELECT current_setting('bench.partner'), (700000000000000 + n * 17)::text, 'Business ' || n, 'business ' || n, ''::tsvector,
    (ARRAY['BR', 'IN', 'BR', 'IN', 'MX', 'ID', 'IN', 'BR', 'AR', 'IN'])[1 + n % 10], 1, now()
FROM generate_series(1, current_setting('bench.requests')::bigint) AS n;
CREATE TEMP TABLE who AS
SELECT (SELECT min(member_id) FROM members WHERE partner_id = current_setting('bench.partner')) AS me,
    (SELECT member_id FROM members WHERE facebook_user_id = '900001') AS miguel,
    (SELECT member_id FROM members WHERE facebook_user_id = '900002') AS rare;
-- A batch for each thousand; the rare one has two.
CREATE TEMP TABLE made AS
SELECT b, now() - ((current_setting('bench.requests')::bigint / 1000 - b) * interval '1000 minutes') AS at,
    CASE WHEN b IN (3, 400) THEN rare WHEN b % 3 = 0 THEN miguel ELSE me END AS member
FROM who, generate_series(1, current_setting('bench.requests')::bigint / 1000) AS b;
INSERT INTO batches (batch_number, partner_id, member_id, source, started_at, size) OVERRIDING SYSTEM VALUE
SELECT 1000000 + b, current_setting('bench.partner'), member, 'selection', at, 1000 FROM made ORDER BY b;
INSERT INTO requests (number, partner_id, batch_number, business_id, member_id, solution_id, state, attempts, cause, meta_request_id, queued_at,
    sending_at, answered_at, accepted_at, ready_at, failed_at, cancelled_at, retry_at, changed_at, alone) OVERRIDING SYSTEM VALUE
SELECT 10000000 + n, current_setting('bench.partner'), 1000000 + made.b, (700000000000000 + n * 17)::text, made.member,
    CASE WHEN n % 10 = 0 THEN '71' WHEN n % 50 = 1 THEN '72' END, s.state, 1,
    CASE WHEN s.state = 'failed' THEN (ARRAY['access_denied', 'invalid_parameter', 'not_found_or_no_access', 'temporary'])[1 + n % 4] END,
    CASE WHEN s.state IN ('requested', 'accepted', 'ready') THEN (500000000000 + n)::text END, t.at, t.at, t.at,
    t.at, t.at, t.at, CASE WHEN s.state = 'cancelled' THEN t.at END, NULL, t.at, FALSE
FROM generate_series(1, current_setting('bench.requests')::bigint) AS n
JOIN made ON made.b = 1 + (n - 1) / 1000
CROSS JOIN LATERAL (SELECT made.at + (n % 1000) * interval '1 minute' - interval '1000 minutes' AS at) AS t
CROSS JOIN LATERAL (SELECT CASE WHEN n % 20 = 0 THEN 'failed' WHEN n % 20 IN (1, 2, 3, 4) THEN 'requested' WHEN n % 20 = 5 THEN 'already_requested'
    WHEN n % 20 = 6 THEN 'accepted' WHEN n % 20 = 7 THEN 'taken_by_another_partner' WHEN n % 200 = 8 THEN 'cancelled' ELSE 'ready' END AS state) AS s
ORDER BY n;
INSERT INTO graph_calls (partner_id, member_id, number, attempt, operation, method, path, query, subject_id, graph_version, app_id, started_at,
    duration_ms, http_status, failure, error_code, error_message, fbtrace_id, x_fb_request_id, body)
SELECT r.partner_id, r.member_id, r.number, 1, 'onboard_partners_to_mm_lite', 'POST', '/v25.0/' || r.business_id, '', r.business_id, 'v25.0', '7',
    r.queued_at + c * interval '1 second', 300, CASE WHEN c < 5 AND r.number % 97 = 0 THEN 503 WHEN r.state = 'failed' AND c = 5 THEN 400 ELSE 200 END, NULL,
    CASE WHEN r.number % 100003 = 0 AND c = 5 THEN 131000 WHEN c < 5 AND r.number % 97 = 0 THEN 2
        WHEN r.state = 'failed' AND c = 5 THEN (ARRAY[100, 200, 100, 200, 190])[1 + r.number / 20 % 5] END,
    NULL, 'A' || md5(r.number || ':' || c), md5('x' || r.number || ':' || c), '{"success":true}'
FROM requests r, generate_series(1, 5) AS c
ORDER BY r.number, c;
