INSERT INTO businesses (partner_id, business_id, name, name_key, first_seen_at)
SELECT partner_id, '20109', 'Ikat Home', 'ikat home', '2026-11-24 10:00Z' FROM partners;
INSERT INTO business_words (partner_id, business_id, name_key, words)
SELECT partner_id, '20109', 'ikat home', to_tsvector('simple', 'ikat home') FROM partners;
