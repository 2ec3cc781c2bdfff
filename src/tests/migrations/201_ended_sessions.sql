INSERT INTO sessions (id_hash, data, created_at, expires_at, ended) VALUES (sha256('ended'), '{}', now(), now() + interval '7 days', 'by_admin');
