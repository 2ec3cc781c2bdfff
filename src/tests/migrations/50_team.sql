INSERT INTO partner_settings (partner_id, partner_kind, stalled_days, raw_body_days, probe_request_ids)
VALUES ('102000000000001', 'tech_provider', 14, 90, TRUE);
INSERT INTO audit_log (partner_id, at, act, member_id, detail, address, agent)
SELECT partner_id, '2026-11-25 10:00Z', 'signed_in', member_id, '', '198.51.100.7', 'curl/8.5.0' FROM members;
INSERT INTO audit_log (partner_id, at, act, other, detail, agent)
VALUES ('102000000000001', '2026-11-25 10:01Z', 'role_changed', 'liteboard member', 'Ines: admin', '');
