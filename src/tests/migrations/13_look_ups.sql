INSERT INTO look_ups (partner_id, member_id, asked, was, at) SELECT partner_id, member_id, 'LB-1001', 'Aangan Textiles', now() FROM members;
