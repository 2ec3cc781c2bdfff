INSERT INTO partners (partner_id, name, verification_status, first_seen_at)
VALUES ('102000000000001', 'Northlane Messaging', 'VERIFIED', '2026-11-22 10:00Z'),
    ('102000000000002', 'Harbour Reach', NULL, '2026-11-22 10:00Z');
INSERT INTO members (partner_id, facebook_user_id, name, role, joined_at, signed_in_at)
VALUES ('102000000000001', '122000000000001', 'Ines Carvalho', 'admin', '2026-11-22 10:00Z', '2026-11-22 10:00Z'),
    ('102000000000002', '122000000000004', 'Rui Alves', 'admin', '2026-11-22 10:00Z', NULL);
INSERT INTO tokens (partner_id, member_id, sealed, key_id, scopes, expires_at, stored_at)
SELECT partner_id, member_id, '\x00', 'k1', '{business_management}', NULL, '2026-11-22 10:00Z' FROM members;
