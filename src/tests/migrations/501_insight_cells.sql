INSERT INTO insight_waits (partner_id, solution_id, member_id, day, accepted) VALUES ('102000000000001', '*', 0, '2026-11-30', '{0,NULL,3}');
INSERT INTO insight_waiting (partner_id, solution_id, member_id, day, waiting) VALUES ('102000000000001', '*', 0, '2026-11-30', '{0,1}');
