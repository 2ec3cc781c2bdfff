INSERT INTO sessions (id_hash, data, created_at, expires_at, used_at)
SELECT decode(repeat('cd', 32), 'hex'), jsonb_build_object('signed_in', jsonb_build_object('memberships', jsonb_agg(jsonb_build_object('member_id', member_id)))),
    '2026-11-25 10:00Z', '2026-11-25 11:00Z', '2026-11-25 10:01Z'
FROM members;
UPDATE members SET seen_at = signed_in_at;
