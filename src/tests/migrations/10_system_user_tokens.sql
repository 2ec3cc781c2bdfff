INSERT INTO system_user_tokens (partner_id, system_user_id, system_user_name, sealed, key_id, scopes, expires_at, stored_at, stored_by, problem, problem_at)
SELECT partner_id, '61', 'Liteboard', '\x00', 'k1', '{business_management}', NULL, '2026-11-24 10:00Z', member_id, 'revoked', '2026-11-24 11:00Z'
FROM members;
