-- A business that has left is still asked about by its name: its requests and calls stay. It stands in no list, so it has ways of its own.
CREATE INDEX idx_businesses_departed ON businesses (partner_id, name_key, business_id) WHERE left_at IS NOT NULL;
COMMENT ON INDEX idx_businesses_departed IS 'Businesses that have left, by the beginning of their names';

CREATE FUNCTION departed_with_words(strong tsquery, weak tsquery, most integer) RETURNS TABLE (found_id text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 20
    SET search_path = public, pg_temp
    AS $$
BEGIN
    RETURN QUERY
    SELECT b.business_id::text
    FROM (
        -- As in businesses_with_words: added to '', the partner's column can't draw the planner to walk all its names in another index.
        SELECT w.business_id, w.words FROM business_words w
        WHERE w.words @@ strong AND w.partner_id || '' = current_partner()
        LIMIT most
    ) AS c, LATERAL (
        SELECT p.business_id, p.left_at FROM businesses p
        WHERE p.partner_id = current_partner() AND p.business_id = c.business_id OFFSET 0
    ) AS b
    WHERE (weak IS NULL OR c.words @@ weak) AND b.left_at IS NOT NULL;
END $$;
COMMENT ON FUNCTION departed_with_words(tsquery, tsquery, integer) IS
    'The partner''s businesses that have left and whose names hold the words, among at most so many that hold the strong ones';

REVOKE EXECUTE ON FUNCTION departed_with_words(tsquery, tsquery, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION departed_with_words(tsquery, tsquery, integer) TO liteboard_tenant;

-- Giving a function away needs its new owner to be one who could have made it here.
GRANT CREATE ON SCHEMA public TO liteboard_search;
ALTER FUNCTION departed_with_words(tsquery, tsquery, integer) OWNER TO liteboard_search;
REVOKE CREATE ON SCHEMA public FROM liteboard_search;
