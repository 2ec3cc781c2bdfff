INSERT INTO businesses (partner_id, business_id, name, name_key, words, country, meta_status, meta_status_date, meta_status_since, checked_at, first_seen_at)
SELECT partner_id, '2010' || n, 'Estrela ' || n, 'estrela ' || n, to_tsvector('simple', 'estrela ' || n), 'BR', 'NOT_STARTED', '2026-11-20', '2026-11-20Z', '2026-11-22 10:00Z', '2026-11-22 10:00Z'
FROM partners, generate_series(1, 5) AS n;
INSERT INTO syncs (partner_id, asked_at, started_at, finished_at, pages, wabas_seen, businesses_seen)
SELECT partner_id, '2026-11-22 10:00Z', '2026-11-22 10:00Z', '2026-11-22 10:01Z', 1, 5, 5 FROM partners;
INSERT INTO wabas (partner_id, waba_id, business_id, name, link, eligibility, first_seen_at, changed_at, sync_id)
SELECT b.partner_id, '98' || b.business_id, b.business_id, b.name, 'shared', 'ELIGIBLE', b.first_seen_at, b.first_seen_at, s.sync_id
FROM businesses b JOIN syncs s USING (partner_id);
INSERT INTO business_events (partner_id, business_id, at, kind)
SELECT partner_id, business_id, first_seen_at, 'first_seen' FROM businesses;
