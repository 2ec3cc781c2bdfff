UPDATE businesses b SET assigned_to = m.member_id FROM members m WHERE m.partner_id = b.partner_id AND b.business_id IN ('20101', '20102');
INSERT INTO business_assignments (partner_id, business_id, at, member_id, assigned_to)
SELECT b.partner_id, b.business_id, '2026-11-25 10:00Z', m.member_id, m.member_id FROM businesses b JOIN members m USING (partner_id) WHERE b.business_id = '20101';
INSERT INTO business_assignments (partner_id, business_id, at, member_id)
SELECT b.partner_id, b.business_id, '2026-11-25 10:01Z', m.member_id FROM businesses b JOIN members m USING (partner_id) WHERE b.business_id = '20103';
