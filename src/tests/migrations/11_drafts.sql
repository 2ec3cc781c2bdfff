INSERT INTO batch_rows (partner_id, batch_number, line, given, unreadable, given_id, entered, finding)
SELECT partner_id, batch_number, line, given, unreadable, given_id, entered, finding
FROM batches, (VALUES
    (6, '1.02E+15', NULL, '20103', '20103', 'eligible'),
    (7, 'Oakhaven', 'not_digits', NULL, 'Oakhaven', 'not_digits')
) AS read (line, given, unreadable, given_id, entered, finding)
WHERE source = 'list';
