-- What search looks into, in a table of its own. A business changes where it stands several times in a batch, and each change of a row
-- is written into every index of its table: two GIN indexes more than double the price of one.
CREATE TABLE business_words (
    partner_id meta_id NOT NULL,
    business_id meta_id NOT NULL,
    name_key text COLLATE "C" NOT NULL,
    words tsvector NOT NULL,
    PRIMARY KEY (partner_id, business_id),
    FOREIGN KEY (partner_id, business_id) REFERENCES businesses ON DELETE CASCADE
);
COMMENT ON TABLE business_words IS 'The names of businesses as search looks into them; kept beside businesses by the same statements';
COMMENT ON COLUMN business_words.partner_id IS 'The tenant';
COMMENT ON COLUMN business_words.business_id IS 'The business';
COMMENT ON COLUMN business_words.name_key IS 'As in businesses: what misspelt names are compared with';
COMMENT ON COLUMN business_words.words IS 'The words of the folded name, cut by businesses/name_key.rs, each behind the partner''s id';
INSERT INTO business_words (partner_id, business_id, name_key, words) SELECT partner_id, business_id, name_key, words FROM businesses;
CALL wall_off('business_words', 'SELECT, INSERT, UPDATE');

CREATE POLICY search ON business_words FOR SELECT TO liteboard_search USING (TRUE);
GRANT SELECT ON business_words TO liteboard_search;

-- The partner stands in both indexes, in the first one as the beginning of each word: a name that is common among others costs this
-- one nothing.
CREATE INDEX idx_business_words_words ON business_words USING gin (words) WITH (gin_pending_list_limit = 256);
CREATE INDEX idx_business_words_trigrams ON business_words USING gin (partner_id, name_key gin_trgm_ops) WITH (gin_pending_list_limit = 256);
DROP INDEX idx_businesses_words;
DROP INDEX idx_businesses_trigrams;
-- Nothing reads it any more. It stays, empty, for as long as a process of the version before may write it.
ALTER TABLE businesses ALTER COLUMN words SET DEFAULT '';
COMMENT ON COLUMN businesses.words IS 'Unused: see business_words';

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
        SELECT w.business_id, w.words FROM business_words w
        WHERE w.words @@ strong AND w.partner_id || '' = current_partner()
        LIMIT most
    ) AS c, LATERAL (
        SELECT p.business_id, p.name_key, p.standing, p.needs_payment, p.last_request_number, p.waiting_since, p.left_at
        FROM businesses p WHERE p.partner_id = current_partner() AND p.business_id = c.business_id OFFSET 0
    ) AS b
    WHERE (weak IS NULL OR c.words @@ weak) AND b.left_at IS NULL;
END $$;

CREATE OR REPLACE FUNCTION businesses_named_like(key text, most integer) RETURNS TABLE (found_id text, found_name text)
    LANGUAGE sql STABLE SECURITY DEFINER ROWS 3
    SET search_path = public, pg_temp
    SET pg_trgm.word_similarity_threshold = 0.5
    AS $$
    SELECT b.business_id, b.name
    FROM business_words w JOIN businesses b USING (partner_id, business_id)
    WHERE w.partner_id = current_partner() AND key <% w.name_key AND b.left_at IS NULL
    ORDER BY word_similarity(key, w.name_key) DESC, similarity(key, w.name_key) DESC, w.name_key, w.business_id
    LIMIT most
$$;

-- As before, but for the words that went and the way a row is written.
CREATE OR REPLACE FUNCTION refresh_standing(ids text[]) RETURNS TABLE (business text, was text, became text)
    LANGUAGE plpgsql
    AS $$
BEGIN
    -- Locked first, always in the same order, so that two callers never wait for each other; and the statement after the lock sees
    -- what the other one wrote. Here and below each business is looked up by its whole key: the planner can't know how many a partner
    -- has that came a minute ago, and would walk through all of them.
    PERFORM count(*)
    FROM (SELECT DISTINCT unnest(ids) AS id ORDER BY id) AS asked,
        LATERAL (
            SELECT FROM businesses o WHERE o.partner_id = current_partner() AND o.business_id = asked.id FOR NO KEY UPDATE
        ) AS locked;

    RETURN QUERY
    WITH news AS MATERIALIZED (
        SELECT t.*,
            CASE WHEN t.stands NOT IN ('requested', 'already_requested') THEN NULL
                WHEN t.state = t.stands THEN t.answered_at
                ELSE t.meta_status_since
            END AS waits_since
        FROM (
            SELECT o.row_at, o.business_id, o.meta_status_since,
                o.standing AS stood, o.waiting_since, o.wabas, o.eligible_wabas, o.ready_wabas, o.needs_payment,
                o.setting_up AS was_setting_up, o.last_request_number, o.last_requested_at, o.last_requested_by,
                w.live, w.eligible, w.onboarded, w.unpaid, w.setting_up,
                r.number, r.state, r.queued_at, r.answered_at, r.member_name,
                CASE
                    WHEN w.onboarded > 0 THEN 'ready'
                    WHEN upper(o.meta_status) = 'TERM_OF_SERVICE_SIGNED' OR w.pending > 0 THEN 'accepted'
                    WHEN r.state IN ('queued', 'sending', 'waiting_to_retry', 'requested', 'already_requested', 'accepted',
                        'taken_by_another_partner') THEN r.state
                    -- What Meta said after the failure is newer than the failure.
                    WHEN r.state = 'failed' AND NOT coalesce(upper(o.meta_status) = 'REQUEST_SENT' AND o.checked_at > r.failed_at, FALSE)
                        THEN 'failed'
                    WHEN upper(o.meta_status) = 'REQUEST_SENT' THEN 'already_requested'
                    WHEN w.eligible > 0 THEN 'eligible'
                    WHEN w.live > 0 AND w.ineligible = w.live THEN 'not_eligible'
                    ELSE 'unknown'
                END AS stands
            FROM (SELECT DISTINCT unnest(ids) AS id) AS asked
            CROSS JOIN LATERAL (
                SELECT p.ctid AS row_at, p.* FROM businesses p WHERE p.partner_id = current_partner() AND p.business_id = asked.id OFFSET 0
            ) AS o
            CROSS JOIN LATERAL (
                SELECT count(*)::integer AS live,
                    (count(*) FILTER (WHERE upper(a.eligibility) = 'ELIGIBLE'))::integer AS eligible,
                    (count(*) FILTER (WHERE upper(a.eligibility) = 'ONBOARDED'))::integer AS onboarded,
                    (count(*) FILTER (WHERE upper(a.eligibility) LIKE 'INELIGIBLE\_%'))::integer AS ineligible,
                    count(*) FILTER (WHERE upper(a.eligibility) LIKE 'PENDING\_%') AS pending,
                    count(*) FILTER (WHERE upper(a.eligibility) = 'PENDING_VALID_PAYMENT_METHOD') > 0 AS unpaid,
                    count(*) FILTER (WHERE upper(a.eligibility) = 'PENDING_INTERNAL_SETUP') > 0 AS setting_up
                FROM wabas a
                WHERE a.partner_id = o.partner_id AND a.business_id = o.business_id AND a.gone_at IS NULL
            ) AS w
            LEFT JOIN LATERAL (
                SELECT q.number, q.state, q.queued_at, q.answered_at, q.failed_at, m.name AS member_name
                FROM requests q JOIN members m ON m.member_id = q.member_id
                WHERE q.partner_id = o.partner_id AND q.business_id = o.business_id AND q.state <> 'cancelled'
                ORDER BY q.number DESC LIMIT 1
            ) AS r ON TRUE
        ) AS t
    ), written AS (
        -- By its place in the table: the row is locked, so it can't have moved.
        UPDATE businesses b SET wabas = n.live, eligible_wabas = n.eligible, ready_wabas = n.onboarded, needs_payment = n.unpaid,
            setting_up = n.setting_up, standing = n.stands, waiting_since = n.waits_since, last_request_number = n.number,
            last_requested_at = n.queued_at, last_requested_by = n.member_name
        FROM news n
        WHERE b.ctid = n.row_at
            AND (n.wabas, n.eligible_wabas, n.ready_wabas, n.needs_payment, n.was_setting_up, n.stood, n.waiting_since,
                n.last_request_number, n.last_requested_at, n.last_requested_by)
            IS DISTINCT FROM (n.live, n.eligible, n.onboarded, n.unpaid, n.setting_up, n.stands, n.waits_since,
                n.number, n.queued_at, n.member_name)
    )
    SELECT n.business_id::text, n.stood, n.stands FROM news n WHERE n.stood <> n.stands;
END $$;
