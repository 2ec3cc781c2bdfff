-- What a search finds is read in the index of names, which holds all that is shown or counted of it: of a thousand hits, each row of
-- `businesses` lies on a page of its own, while names that begin alike lie side by side.
CREATE OR REPLACE FUNCTION businesses_with_words(strong tsquery, weak tsquery, most integer)
    RETURNS TABLE (found_id text, found_key text, stands text, unpaid boolean, requested boolean, waits_since timestamptz)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 200
    SET search_path = public, pg_temp
    AS $$
BEGIN
    RETURN QUERY
    SELECT b.business_id::text, b.name_key, b.standing, b.needs_payment, b.last_request_number IS NOT NULL, b.waiting_since
    FROM (
        -- The words name the partner already; added to '', its column can't draw the planner to walk all its names in another index.
        SELECT w.business_id, w.name_key, w.words FROM business_words w
        WHERE w.words @@ strong AND w.partner_id || '' = current_partner()
        LIMIT most
    ) AS c, LATERAL (
        SELECT p.business_id, p.name_key, p.standing, p.needs_payment, p.last_request_number, p.waiting_since
        FROM businesses p
        WHERE p.partner_id = current_partner() AND p.name_key = c.name_key AND p.business_id = c.business_id AND p.left_at IS NULL
        OFFSET 0
    ) AS b
    WHERE weak IS NULL OR c.words @@ weak;
END $$;
