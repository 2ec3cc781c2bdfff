-- What Meta tells us by webhook. It comes before anyone knows whose it is: so it's kept by functions of a role that sees every row,
-- and a change that names nobody we know is nobody's until a partner comes to know the WABA.
CREATE TABLE webhook_changes (
    change_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    partner_id meta_id,
    hash bytea NOT NULL CHECK (octet_length(hash) = 32),
    entry_id meta_id,
    sent_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    field text CHECK (char_length(field) <= 100),
    event text CHECK (char_length(event) <= 100),
    business_id meta_id,
    waba_id meta_id,
    solution_id meta_id,
    body text NOT NULL,
    settled_at timestamptz,
    outcome text CHECK (outcome IN ('applied', 'already_so', 'outdated', 'waits_for_business', 'no_effect', 'unknown_event', 'unknown_shape')),
    wants_sync boolean NOT NULL DEFAULT FALSE,
    CONSTRAINT settled_has_its_outcome CHECK ((settled_at IS NULL) = (outcome IS NULL)),
    CONSTRAINT only_a_partners_are_settled CHECK (settled_at IS NULL OR partner_id IS NOT NULL)
);
COMMENT ON TABLE webhook_changes IS 'One change each that Meta told of in a signed delivery, once for each partner it concerns';
COMMENT ON COLUMN webhook_changes.change_id IS 'Ours';
COMMENT ON COLUMN webhook_changes.partner_id IS 'The tenant; NULL while it names no partner of ours and no WABA that one knows: nobody sees it';
COMMENT ON COLUMN webhook_changes.hash IS 'SHA-256 of entry id, entry time and the change as they came: a repeated delivery has the same';
COMMENT ON COLUMN webhook_changes.entry_id IS 'entry.id: a partner''s business id or a WABA''s, by the event; NULL where none could be read';
COMMENT ON COLUMN webhook_changes.sent_at IS 'entry.time; where Meta named none, when it came';
COMMENT ON COLUMN webhook_changes.received_at IS 'When it first came';
COMMENT ON COLUMN webhook_changes.field IS 'The field subscribed to, such as account_update, wherever in the change Meta put it';
COMMENT ON COLUMN webhook_changes.event IS 'value.event, such as MM_LITE_TERMS_SIGNED';
COMMENT ON COLUMN webhook_changes.business_id IS 'The end business it names, or whose WABA it names';
COMMENT ON COLUMN webhook_changes.waba_id IS 'The WABA it names';
COMMENT ON COLUMN webhook_changes.solution_id IS 'The solution it names';
COMMENT ON COLUMN webhook_changes.body IS 'The change as it came, byte for byte; the whole entry or delivery where no change could be told apart';
COMMENT ON COLUMN webhook_changes.settled_at IS 'When webhooks/reconcile.rs was done with it; NULL: not yet';
COMMENT ON COLUMN webhook_changes.outcome IS 'What became of it; waits_for_business is looked at again when the business turns up';
COMMENT ON COLUMN webhook_changes.wants_sync IS 'It says that something changed and not to what: a sync that begins later tells';
CREATE UNIQUE INDEX uq_webhook_changes ON webhook_changes (hash, partner_id) NULLS NOT DISTINCT;
COMMENT ON INDEX uq_webhook_changes IS 'Each change once per partner, however often Meta delivers it';
CREATE INDEX idx_webhook_changes_partner ON webhook_changes (partner_id, change_id DESC) WHERE partner_id IS NOT NULL;
CREATE INDEX idx_webhook_changes_fresh ON webhook_changes (partner_id, change_id) WHERE settled_at IS NULL AND partner_id IS NOT NULL;
CREATE INDEX idx_webhook_changes_waiting ON webhook_changes (partner_id, business_id) WHERE outcome = 'waits_for_business';
CREATE INDEX idx_webhook_changes_wants_sync ON webhook_changes (partner_id, received_at) WHERE wants_sync;
CREATE INDEX idx_webhook_changes_business ON webhook_changes (partner_id, business_id, change_id DESC) WHERE business_id IS NOT NULL;
CREATE INDEX idx_webhook_changes_waba ON webhook_changes (partner_id, waba_id, sent_at DESC) WHERE waba_id IS NOT NULL;
CREATE INDEX idx_webhook_changes_solution ON webhook_changes (partner_id, solution_id, sent_at DESC) WHERE solution_id IS NOT NULL;
CREATE INDEX idx_webhook_changes_unknown ON webhook_changes (entry_id) WHERE partner_id IS NULL;
CALL wall_off('webhook_changes', 'SELECT, UPDATE');

CREATE TABLE webhook_refusals (
    hour timestamptz NOT NULL,
    reason text NOT NULL CHECK (char_length(reason) <= 100),
    n bigint NOT NULL CHECK (n > 0),
    PRIMARY KEY (hour, reason)
);
COMMENT ON TABLE webhook_refusals IS 'Deliveries that were refused, counted: nothing of them is kept, and whose they were nobody can know';
COMMENT ON COLUMN webhook_refusals.hour IS 'The beginning of the hour';
COMMENT ON COLUMN webhook_refusals.reason IS 'Why, as webhooks/refusals.rs spells it';
COMMENT ON COLUMN webhook_refusals.n IS 'How many';
GRANT SELECT ON webhook_refusals TO liteboard_tenant;

-- Roles belong to the cluster, so another database may have made it already, or be making it at this moment.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'liteboard_webhooks') THEN
        CREATE ROLE liteboard_webhooks NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END $$;

DO $$
BEGIN
    IF NOT pg_has_role(CURRENT_USER, 'liteboard_webhooks', 'MEMBER') THEN
        GRANT liteboard_webhooks TO CURRENT_USER;
    END IF;
END $$;

CREATE POLICY webhooks ON webhook_changes TO liteboard_webhooks USING (TRUE) WITH CHECK (TRUE);
GRANT SELECT, INSERT, DELETE ON webhook_changes TO liteboard_webhooks;
CREATE POLICY webhooks ON wabas FOR SELECT TO liteboard_webhooks USING (TRUE);
GRANT SELECT (partner_id, waba_id, business_id) ON wabas TO liteboard_webhooks;

CREATE FUNCTION keep_webhook_changes(partners text[], hashes bytea[], entry_ids text[], sent_ats timestamptz[], received timestamptz, fields text[],
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
        ) AS o ON TRUE
        -- In one order, so that two instances that are told the same never wait for each other.
        ORDER BY g.hash
        ON CONFLICT (hash, partner_id) DO NOTHING
        RETURNING partner_id
    )
    SELECT DISTINCT partner_id::text FROM kept WHERE partner_id IS NOT NULL
$$;
COMMENT ON FUNCTION keep_webhook_changes(text[], bytea[], text[], timestamptz[], timestamptz, text[], text[], text[], text[], text[], text[]) IS
    'Keeps changes as they came, each for the partner that its entry names or for those who know the WABA that it names; returns the partners with something new';

CREATE FUNCTION adopt_webhook_changes(partners text[], most integer) RETURNS SETOF text
    LANGUAGE sql SECURITY DEFINER ROWS 2
    SET search_path = public, pg_temp
    AS $$
    -- One probe of the index for each entry id, not one row for each change.
    WITH RECURSIVE unknown (entry_id) AS (
        (SELECT c.entry_id::text FROM webhook_changes c WHERE c.partner_id IS NULL AND c.entry_id IS NOT NULL ORDER BY c.entry_id LIMIT 1)
        UNION ALL
        SELECT (SELECT c.entry_id::text FROM webhook_changes c WHERE c.partner_id IS NULL AND c.entry_id > u.entry_id ORDER BY c.entry_id LIMIT 1)
        FROM unknown u WHERE u.entry_id IS NOT NULL
    ), known AS MATERIALIZED (
        SELECT u.entry_id, p.partner, w.waba_id, w.business_id
        FROM unknown u CROSS JOIN unnest(partners) AS p (partner)
        LEFT JOIN LATERAL (
            SELECT w.waba_id, w.business_id FROM wabas w WHERE w.partner_id = p.partner AND w.waba_id = u.entry_id OFFSET 0
        ) AS w ON TRUE
        WHERE u.entry_id IS NOT NULL AND (p.partner = u.entry_id OR w.waba_id IS NOT NULL)
    ), taken AS (
        DELETE FROM webhook_changes WHERE change_id IN (
            SELECT c.change_id FROM (SELECT DISTINCT k.entry_id FROM known k) AS k, LATERAL (
                SELECT f.change_id FROM webhook_changes f WHERE f.partner_id IS NULL AND f.entry_id = k.entry_id LIMIT most
            ) AS c LIMIT most
        )
        RETURNING *
    ), kept AS (
        INSERT INTO webhook_changes (partner_id, hash, entry_id, sent_at, received_at, field, event, business_id, waba_id, solution_id, body)
        SELECT k.partner, t.hash, t.entry_id, t.sent_at, t.received_at, t.field, t.event, coalesce(t.business_id, k.business_id),
            coalesce(t.waba_id, k.waba_id), t.solution_id, t.body
        FROM taken t JOIN known k ON k.entry_id = t.entry_id
        ORDER BY t.hash
        ON CONFLICT (hash, partner_id) DO NOTHING
        RETURNING partner_id
    )
    SELECT DISTINCT partner_id::text FROM kept
$$;
COMMENT ON FUNCTION adopt_webhook_changes(text[], integer) IS
    'Gives changes that were nobody''s to the partners that have come to know their WABA, at most so many; returns those partners';

REVOKE EXECUTE ON FUNCTION
    keep_webhook_changes(text[], bytea[], text[], timestamptz[], timestamptz, text[], text[], text[], text[], text[], text[]),
    adopt_webhook_changes(text[], integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    keep_webhook_changes(text[], bytea[], text[], timestamptz[], timestamptz, text[], text[], text[], text[], text[], text[]),
    adopt_webhook_changes(text[], integer) TO CURRENT_USER;

-- Giving a function away needs its new owner to be one who could have made it here.
GRANT CREATE ON SCHEMA public TO liteboard_webhooks;
ALTER FUNCTION keep_webhook_changes(text[], bytea[], text[], timestamptz[], timestamptz, text[], text[], text[], text[], text[], text[])
    OWNER TO liteboard_webhooks;
ALTER FUNCTION adopt_webhook_changes(text[], integer) OWNER TO liteboard_webhooks;
REVOKE CREATE ON SCHEMA public FROM liteboard_webhooks;
