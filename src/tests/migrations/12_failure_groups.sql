INSERT INTO graph_calls (partner_id, number, attempt, operation, method, path, query, subject_id, graph_version, app_id, started_at, duration_ms, http_status, error_code, error_message, fbtrace_id, body)
SELECT partner_id, number, 2, 'onboard_partners_to_mm_lite', 'POST', '/v25.0/' || business_id || '/onboard_partners_to_mm_lite', '',
    business_id, 'v25.0', '680000000000001', queued_at, 120, 403, 200, '(#200) No', 'AfR7uWcN1eKq_Zs84TgXo2M', '{"error":{"code":200}}'
FROM requests;
INSERT INTO failure_groups (partner_id, code, words, cause, calls, businesses, first_at, last_at, last_call_id)
SELECT partner_id, error_code, 'No', 'access_denied', 1, 1, started_at, started_at, call_id FROM graph_calls WHERE error_code = 200 LIMIT 1;
INSERT INTO failure_days (partner_id, day, group_id, calls) SELECT partner_id, first_at::date, group_id, 1 FROM failure_groups;
INSERT INTO failure_businesses (partner_id, group_id, business_id, calls, last_at, last_call_id)
SELECT partner_id, group_id, '2210758843906172', 1, last_at, last_call_id FROM failure_groups;
