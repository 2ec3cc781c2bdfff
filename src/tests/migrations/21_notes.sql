INSERT INTO business_notes (partner_id, business_id, member_id, at, words, deleted_at)
SELECT b.partner_id, b.business_id, m.member_id, '2026-11-25 10:00Z', note.words, note.deleted_at
FROM businesses b JOIN members m USING (partner_id), (VALUES
    ('Spoke to Carla, the owner.', NULL),
    ('', timestamptz '2026-11-25 10:05Z')
) AS note (words, deleted_at)
WHERE b.business_id = '20101';
