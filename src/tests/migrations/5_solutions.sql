INSERT INTO solutions (partner_id, solution_id, name, status, pending_status, role, seen_at)
SELECT partner_id, '19702253086745', 'Retail Reach', 'ACTIVE', 'NONE', 'owner', '2026-11-22 10:00Z' FROM partners;
