INSERT INTO business_polls (partner_id, business_id, standing, due_at, asked_at, refusals, cause)
SELECT partner_id, business_id, poll.standing, '2026-11-25 11:00Z', poll.asked_at, poll.refusals, poll.cause
FROM businesses JOIN (VALUES
    ('20101', 'requested', NULL, 0, NULL),
    ('20102', 'accepted', timestamptz '2026-11-25 10:00Z', 3, 'not_found_or_no_access')
) AS poll (business_id, standing, asked_at, refusals, cause) USING (business_id);
INSERT INTO business_events (partner_id, business_id, at, kind, detail, heard_from)
SELECT partner_id, business_id, '2026-11-25 10:00Z', 'meta_status_changed', 'TERM_OF_SERVICE_SIGNED', 'poll' FROM businesses WHERE business_id = '20102';
