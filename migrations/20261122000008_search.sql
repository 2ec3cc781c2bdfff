-- Full text and trigram operators aren't leakproof: under row-level security the planner drops their index. So they live in functions
-- of a role whose policy lets every row pass, and the functions pin the partner themselves.
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS btree_gin;

-- The partner stands in both indexes, in the first one as the beginning of each word: a name that is common among others costs this
-- one nothing.
CREATE INDEX idx_businesses_words ON businesses USING gin (words) WITH (gin_pending_list_limit = 256);
CREATE INDEX idx_businesses_trigrams ON businesses USING gin (partner_id, name_key gin_trgm_ops) WITH (gin_pending_list_limit = 256);

-- Roles belong to the cluster, so another database may have made it already, or be making it at this moment.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'liteboard_search') THEN
        CREATE ROLE liteboard_search NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END $$;

DO $$
BEGIN
    IF NOT pg_has_role(CURRENT_USER, 'liteboard_search', 'MEMBER') THEN
        GRANT liteboard_search TO CURRENT_USER;
    END IF;
END $$;

CREATE POLICY search ON businesses FOR SELECT TO liteboard_search USING (TRUE);
GRANT SELECT (partner_id, business_id, name, name_key, words, standing, needs_payment, last_request_number, waiting_since, left_at)
    ON businesses TO liteboard_search;

CREATE FUNCTION businesses_with_words(strong tsquery, weak tsquery, most integer)
    RETURNS TABLE (found_id text, found_key text, stands text, unpaid boolean, requested boolean, waits_since timestamptz)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 200
    SET search_path = public, pg_temp
    AS $$
BEGIN
    RETURN QUERY
    SELECT c.business_id::text, c.name_key, c.standing, c.needs_payment, c.last_request_number IS NOT NULL, c.waiting_since
    FROM (
        -- The words name the partner already; added to '', its column can't draw the planner to walk all its names in another index.
        SELECT b.business_id, b.name_key, b.words, b.standing, b.needs_payment, b.last_request_number, b.waiting_since FROM businesses b
        WHERE b.words @@ strong AND b.partner_id || '' = current_partner() AND b.left_at IS NULL
        LIMIT most
    ) AS c
    WHERE weak IS NULL OR c.words @@ weak;
END $$;
COMMENT ON FUNCTION businesses_with_words(tsquery, tsquery, integer) IS
    'The partner''s businesses whose names hold the strong words, found by index, at most so many; the weak ones are looked for among those';

CREATE FUNCTION businesses_named_like(key text, most integer) RETURNS TABLE (found_id text, found_name text)
    LANGUAGE sql STABLE SECURITY DEFINER ROWS 3
    SET search_path = public, pg_temp
    SET pg_trgm.word_similarity_threshold = 0.5
    AS $$
    SELECT b.business_id, b.name FROM businesses b
    WHERE b.partner_id = current_partner() AND key <% b.name_key AND b.left_at IS NULL
    ORDER BY word_similarity(key, b.name_key) DESC, similarity(key, b.name_key) DESC, b.name_key, b.business_id
    LIMIT most
$$;
COMMENT ON FUNCTION businesses_named_like(text, integer) IS 'The partner''s businesses in whose folded names something looks most like this; the caller limits the time';

REVOKE EXECUTE ON FUNCTION businesses_with_words(tsquery, tsquery, integer), businesses_named_like(text, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION businesses_with_words(tsquery, tsquery, integer), businesses_named_like(text, integer) TO liteboard_tenant;

-- Giving a function away needs its new owner to be one who could have made it here.
GRANT CREATE ON SCHEMA public TO liteboard_search;
ALTER FUNCTION businesses_with_words(tsquery, tsquery, integer) OWNER TO liteboard_search;
ALTER FUNCTION businesses_named_like(text, integer) OWNER TO liteboard_search;
REVOKE CREATE ON SCHEMA public FROM liteboard_search;
