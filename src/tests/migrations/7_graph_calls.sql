INSERT INTO graph_calls (partner_id, number, attempt, operation, method, path, query, subject_id, graph_version, app_id, started_at, duration_ms, http_status, fbtrace_id, body)
SELECT partner_id, number, 1, 'onboard_partners_to_mm_lite', 'POST', '/v25.0/' || business_id || '/onboard_partners_to_mm_lite', '',
    business_id, 'v25.0', '680000000000001', queued_at, 120, 200, 'AXsgnV2Cm3ZMGF3dF_cfYIn', '{"request_id":"738201946655120"}'
FROM requests;
