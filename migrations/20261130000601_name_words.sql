-- Each word that the partner's names are made of, once. What somebody types begins a few of them: an index of names finds a whole word,
-- and names with two of them, ten times as fast as names with words that begin so. And a misspelt word looks like a few: its letters are
-- compared with words, each of which many names share, and not with all names.
CREATE TABLE name_words (
    partner_id meta_id NOT NULL,
    word text COLLATE "C" NOT NULL,
    PRIMARY KEY (partner_id, word)
);
COMMENT ON TABLE name_words IS 'The words in business_words, each once; one that no name has any more stays, and finds nothing';
COMMENT ON COLUMN name_words.partner_id IS 'The tenant';
COMMENT ON COLUMN name_words.word IS 'As businesses/name_key.rs cuts it, without the partner''s id';
-- The walls stand before an owner that is no superuser, too.
ALTER TABLE business_words NO FORCE ROW LEVEL SECURITY;
INSERT INTO name_words (partner_id, word)
SELECT DISTINCT w.partner_id, substr(cut.lexeme, length(w.partner_id) + 2) FROM business_words w, unnest(w.words) AS cut;
ALTER TABLE business_words FORCE ROW LEVEL SECURITY;
ANALYZE name_words;
CREATE INDEX idx_name_words_trigrams ON name_words USING gin (partner_id, word gin_trgm_ops) WITH (gin_pending_list_limit = 256);
CALL wall_off('name_words', 'SELECT, INSERT');
CREATE POLICY search ON name_words FOR SELECT TO liteboard_search USING (TRUE);
GRANT SELECT ON name_words TO liteboard_search;

CREATE FUNCTION learn_name_words() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    -- In order, so that two that insert names don't wait for each other for ever. A statement that updates some as well comes here twice:
    -- only a partner's sync does, one at a time.
    INSERT INTO name_words (partner_id, word)
    SELECT DISTINCT n.partner_id, substr(cut.lexeme, length(n.partner_id) + 2) FROM now_rows n, unnest(n.words) AS cut ORDER BY 1, 2
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION learn_name_words() IS 'Keeps name_words complete, whoever writes a name';
CREATE TRIGGER words_inserted AFTER INSERT ON business_words REFERENCING NEW TABLE AS now_rows
    FOR EACH STATEMENT EXECUTE FUNCTION learn_name_words();
CREATE TRIGGER words_updated AFTER UPDATE ON business_words REFERENCING NEW TABLE AS now_rows
    FOR EACH STATEMENT EXECUTE FUNCTION learn_name_words();

CREATE FUNCTION words_like(asked text[], most integer) RETURNS TABLE (asked_word text, like_word text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 9
    SET search_path = public, pg_temp
    SET pg_trgm.similarity_threshold = 0.3
    AS $$
BEGIN
    RETURN QUERY
    SELECT a.word, near.word FROM unnest(asked) AS a (word), LATERAL (
        SELECT n.word FROM name_words n WHERE n.partner_id = current_partner() AND n.word % a.word
        ORDER BY similarity(n.word, a.word) DESC, n.word LIMIT most
    ) AS near;
END $$;
COMMENT ON FUNCTION words_like(text[], integer) IS 'For each word the partner''s words that look most like it, best first';
REVOKE EXECUTE ON FUNCTION words_like(text[], integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION words_like(text[], integer) TO liteboard_tenant;
-- Giving a function away needs its new owner to be one who could have made it here.
GRANT CREATE ON SCHEMA public TO liteboard_search;
ALTER FUNCTION words_like(text[], integer) OWNER TO liteboard_search;
REVOKE CREATE ON SCHEMA public FROM liteboard_search;

-- Whole names are compared with nothing any more. The function stays for as long as a process of the version before may call it.
DROP INDEX idx_business_words_trigrams;
COMMENT ON FUNCTION businesses_named_like(text, integer) IS 'Unused: see words_like';
