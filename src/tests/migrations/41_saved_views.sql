INSERT INTO saved_views (partner_id, member_id, place, name, query, shared, saved_at)
SELECT partner_id, member_id, '/requests', 'Failures', 'q=is:failed', TRUE, '2026-11-25 10:00Z' FROM members;
