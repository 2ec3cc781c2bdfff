CREATE TABLE business_notes (
    note_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    partner_id meta_id NOT NULL,
    business_id meta_id NOT NULL,
    member_id bigint NOT NULL REFERENCES members,
    at timestamptz NOT NULL,
    words text NOT NULL CHECK (char_length(words) <= 2000),
    deleted_at timestamptz,
    CONSTRAINT words_until_deleted CHECK ((words = '') = (deleted_at IS NOT NULL))
);
COMMENT ON TABLE business_notes IS 'What members wrote down about a business, for each other';
COMMENT ON COLUMN business_notes.note_id IS 'Ours';
COMMENT ON COLUMN business_notes.partner_id IS 'The tenant';
COMMENT ON COLUMN business_notes.business_id IS 'The business';
COMMENT ON COLUMN business_notes.member_id IS 'Who wrote it: nobody else may delete it';
COMMENT ON COLUMN business_notes.at IS 'When';
COMMENT ON COLUMN business_notes.words IS 'What was written; emptied when it is deleted';
COMMENT ON COLUMN business_notes.deleted_at IS 'When its writer deleted it: that there was a note, and whose, stays';
CREATE INDEX idx_business_notes_business ON business_notes (partner_id, business_id, note_id);
COMMENT ON INDEX idx_business_notes_business IS 'For the timeline of a business';
CALL wall_off('business_notes', 'SELECT, INSERT, UPDATE');
