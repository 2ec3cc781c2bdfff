-- Meta's documents say of the entry's id now that it is the partner's, now the WABA's. Where it is neither, but 0 or the business itself,
-- the business in waba_info has signed, for whoever serves it now. Where it is another partner's, what it tells is not ours. What comes
-- before a sync has seen the business stays nobody's: the sync reads how the business stands.
GRANT SELECT (gone_at) ON wabas TO liteboard_webhooks;

CREATE OR REPLACE FUNCTION keep_webhook_changes(partners text[], hashes bytea[], entry_ids text[], sent_ats timestamptz[], received timestamptz, fields text[],
        events text[], business_ids text[], waba_ids text[], solution_ids text[], bodies text[]) RETURNS SETOF text
    LANGUAGE sql SECURITY DEFINER ROWS 2
    SET search_path = public, pg_temp
    AS $$
    WITH given AS (
        SELECT * FROM unnest(hashes, entry_ids, sent_ats, fields, events, business_ids, waba_ids, solution_ids, bodies)
            AS given (hash, entry_id, sent_at, field, event, business_id, waba_id, solution_id, body)
    ), kept AS (
        INSERT INTO webhook_changes (partner_id, hash, entry_id, sent_at, received_at, field, event, business_id, waba_id, solution_id, body)
        SELECT o.partner, g.hash, g.entry_id, g.sent_at, received, g.field, g.event, coalesce(g.business_id, o.business_id),
            coalesce(g.waba_id, o.waba_id), g.solution_id, g.body
        FROM given g LEFT JOIN LATERAL (
            SELECT p.partner, addressed.waba_id, coalesce(addressed.business_id, named.business_id) AS business_id
            FROM unnest(partners) AS p (partner)
            LEFT JOIN LATERAL (
                SELECT w.waba_id, w.business_id FROM wabas w WHERE w.partner_id = p.partner AND w.waba_id = g.entry_id OFFSET 0
            ) AS addressed ON TRUE
            LEFT JOIN LATERAL (
                SELECT w.business_id FROM wabas w WHERE w.partner_id = p.partner AND w.waba_id = g.waba_id OFFSET 0
            ) AS named ON TRUE
            WHERE p.partner = g.entry_id OR addressed.waba_id IS NOT NULL
                OR (g.event = 'MM_LITE_TERMS_SIGNED' AND g.entry_id IN ('0', g.business_id) AND (
                    EXISTS (SELECT FROM wabas w WHERE w.partner_id = p.partner AND w.business_id = g.business_id AND w.gone_at IS NULL)
                    OR EXISTS (SELECT FROM wabas w WHERE w.partner_id = p.partner AND w.waba_id = g.waba_id AND w.gone_at IS NULL)
                ))
        ) AS o ON TRUE
        -- In one order, so that two instances that are told the same never wait for each other.
        ORDER BY g.hash
        ON CONFLICT (hash, partner_id) DO NOTHING
        RETURNING partner_id
    )
    SELECT DISTINCT partner_id::text FROM kept WHERE partner_id IS NOT NULL
$$;
COMMENT ON FUNCTION keep_webhook_changes(text[], bytea[], text[], timestamptz[], timestamptz, text[], text[], text[], text[], text[], text[]) IS
    'Keeps changes as they came, each for the partner that its entry names or for those who know the WABA that it names, signed terms that name no partner for those who serve the business; returns the partners with something new';
COMMENT ON COLUMN webhook_changes.entry_id IS
    'entry.id: a partner''s business id or a WABA''s, by the event; 0 or the business''s own where it names neither; NULL where none could be read';
COMMENT ON COLUMN webhook_changes.partner_id IS
    'The tenant; none where the entry names no partner of ours and no WABA that one knows, and tells of no business that one serves';
