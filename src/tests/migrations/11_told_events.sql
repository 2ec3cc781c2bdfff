INSERT INTO business_events (partner_id, business_id, at, kind, detail)
SELECT partner_id, business_id, '2026-11-25 10:00Z', 'told', 'MM_LITE_TERMS_SIGNED' FROM businesses;
