INSERT INTO webhook_changes (partner_id, hash, entry_id, sent_at, received_at, field, event, business_id, waba_id, body, settled_at, outcome, wants_sync)
SELECT partner_id, sha256(partner_id::text::bytea), partner_id, '2026-11-25 10:00Z', '2026-11-25 10:00:01Z', 'account_update', 'MM_LITE_TERMS_SIGNED',
    '20101', '9820101', '{}', '2026-11-25 10:00:02Z', 'applied', FALSE
FROM partners;
INSERT INTO webhook_changes (hash, entry_id, sent_at, received_at, field, body)
VALUES (sha256('nobodys'), '1', '2026-11-25 10:00Z', '2026-11-25 10:00:01Z', 'messages', '{}');
INSERT INTO webhook_refusals (hour, reason, n) VALUES ('2026-11-25 10:00Z', 'wrong_signature', 3);
