-- What a row of a list means is found anew at each check, so what was read of it is kept beside what it was found to mean: a WABA's id
-- is told by it, and a person may enter another one in its place.
ALTER TABLE batch_rows
    ADD COLUMN given_id meta_id,
    ADD COLUMN entered text CHECK (char_length(entered) <= 200);
COMMENT ON COLUMN batch_rows.given_id IS 'The id that was read or entered: a business''s, or a WABA''s; NULL: none can be read';
COMMENT ON COLUMN batch_rows.entered IS 'What a member entered in place of what is given; NULL: nothing';
COMMENT ON COLUMN batch_rows.unreadable IS 'Why what is given, or entered, is no id; NULL: it''s one';
COMMENT ON COLUMN batch_rows.business_id IS 'The business it was found to mean; NULL: none, or it wasn''t looked for yet';

-- What belongs to a batch is found by partner and number, so that throwing a draft away doesn't walk through everybody's rows.
ALTER TABLE batches ADD CONSTRAINT uq_batches_partner UNIQUE (partner_id, batch_number);
ALTER TABLE batch_rows
    DROP CONSTRAINT batch_rows_batch_number_fkey,
    ADD CONSTRAINT batch_of_the_partner FOREIGN KEY (partner_id, batch_number) REFERENCES batches (partner_id, batch_number) ON DELETE CASCADE;
ALTER TABLE requests
    DROP CONSTRAINT requests_batch_number_fkey,
    ADD CONSTRAINT batch_of_the_partner FOREIGN KEY (partner_id, batch_number) REFERENCES batches (partner_id, batch_number);
CREATE INDEX idx_batches_retried ON batches (retry_of) WHERE retry_of IS NOT NULL;
CREATE INDEX idx_batches_drafts ON batches (partner_id, member_id, drafted_at) WHERE started_at IS NULL;

-- A batch holds at most 100,000 rows, which are read by their lines within milliseconds. Each row is written once and judged once or
-- twice: without an index to its finding, and with room beside it, that touches no index.
DROP INDEX idx_batch_rows_finding;
ALTER TABLE batch_rows SET (fillfactor = 45);
