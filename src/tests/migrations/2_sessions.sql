INSERT INTO sessions (id_hash, data, created_at, expires_at)
VALUES (decode(repeat('ab', 32), 'hex'), '{}', '2026-11-22 10:00Z', '2026-11-22 11:00Z');
