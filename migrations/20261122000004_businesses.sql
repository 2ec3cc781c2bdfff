CREATE TABLE businesses (
    partner_id meta_id NOT NULL,
    business_id meta_id NOT NULL,
    name text NOT NULL,
    name_key text COLLATE "C" NOT NULL,
    words tsvector NOT NULL,
    country text,
    verification_status text,
    meta_status text,
    meta_status_date text,
    meta_status_since timestamptz,
    checked_at timestamptz,
    wabas integer NOT NULL DEFAULT 0,
    eligible_wabas integer NOT NULL DEFAULT 0,
    ready_wabas integer NOT NULL DEFAULT 0,
    standing text NOT NULL DEFAULT 'unknown' CHECK (standing IN ('eligible', 'not_eligible', 'unknown', 'queued', 'sending',
        'waiting_to_retry', 'requested', 'already_requested', 'taken_by_another_partner', 'accepted', 'ready', 'failed')),
    needs_payment boolean NOT NULL DEFAULT FALSE,
    setting_up boolean NOT NULL DEFAULT FALSE,
    waiting_since timestamptz,
    last_request_number bigint,
    last_requested_at timestamptz,
    last_requested_by text,
    first_seen_at timestamptz NOT NULL,
    left_at timestamptz,
    PRIMARY KEY (partner_id, business_id),
    CONSTRAINT counts_fit CHECK (wabas >= 0 AND eligible_wabas BETWEEN 0 AND wabas AND ready_wabas BETWEEN 0 AND wabas),
    CONSTRAINT status_has_its_times CHECK (meta_status IS NULL OR (checked_at IS NOT NULL AND meta_status_since IS NOT NULL)),
    CONSTRAINT waiting_has_its_time CHECK (waiting_since IS NULL OR standing IN ('requested', 'already_requested')),
    CONSTRAINT request_is_whole CHECK (num_nulls(last_request_number, last_requested_at, last_requested_by) IN (0, 3)),
    CONSTRAINT key_fits_an_index CHECK (octet_length(name_key) <= 800)
) WITH (fillfactor = 85);
COMMENT ON TABLE businesses IS 'The end businesses a partner serves, grouped from the WABAs that Graph lists';
COMMENT ON COLUMN businesses.partner_id IS 'The tenant';
COMMENT ON COLUMN businesses.business_id IS 'Meta''s id of the business portfolio: what the onboarding call is sent to';
COMMENT ON COLUMN businesses.name IS 'Its name at Meta, with U+FFFD for what Postgres can''t keep';
COMMENT ON COLUMN businesses.name_key IS 'The name as businesses/name_key.rs folds it: for order and for search by prefix';
COMMENT ON COLUMN businesses.words IS 'The words of the folded name, cut by businesses/name_key.rs, each behind the partner''s id';
COMMENT ON COLUMN businesses.country IS 'Country of one of its WABAs as Meta spelled it: the portfolio''s own isn''t told';
COMMENT ON COLUMN businesses.verification_status IS 'Its business verification as Meta spelled it';
COMMENT ON COLUMN businesses.meta_status IS 'marketing_messages_onboarding_status.status as Meta spelled it; NULL: Meta did not say';
COMMENT ON COLUMN businesses.meta_status_date IS 'marketing_messages_onboarding_status.time as Meta spelled it';
COMMENT ON COLUMN businesses.meta_status_since IS 'The same date as a time; where Meta named none, when we first saw the status';
COMMENT ON COLUMN businesses.checked_at IS 'When Meta last told us the status';
COMMENT ON COLUMN businesses.wabas IS 'WABAs we can see; kept by refresh_standing';
COMMENT ON COLUMN businesses.eligible_wabas IS 'Those Meta calls ELIGIBLE; kept by refresh_standing';
COMMENT ON COLUMN businesses.ready_wabas IS 'Those Meta calls ONBOARDED; kept by refresh_standing';
COMMENT ON COLUMN businesses.standing IS 'Where it stands in one word; kept by refresh_standing';
COMMENT ON COLUMN businesses.needs_payment IS 'A WABA signed but lacks a payment method; kept by refresh_standing';
COMMENT ON COLUMN businesses.setting_up IS 'A WABA signed and Meta is setting it up; kept by refresh_standing';
COMMENT ON COLUMN businesses.waiting_since IS 'Since when the client''s admin has been asked; NULL when nothing is waited for; kept by refresh_standing';
COMMENT ON COLUMN businesses.last_request_number IS 'The newest request of ours that wasn''t cancelled; kept by refresh_standing';
COMMENT ON COLUMN businesses.last_requested_at IS 'When that was asked for; kept by refresh_standing';
COMMENT ON COLUMN businesses.last_requested_by IS 'Name of the member who asked for it; kept by refresh_standing';
COMMENT ON COLUMN businesses.first_seen_at IS 'When a sync first saw it';
COMMENT ON COLUMN businesses.left_at IS 'Set when a whole sync saw none of its WABAs: kept, but neither listed nor counted';

CREATE INDEX idx_businesses_name ON businesses (partner_id, name_key, business_id)
    INCLUDE (standing, needs_payment, last_request_number, waiting_since) WHERE left_at IS NULL;
CREATE INDEX idx_businesses_standing ON businesses (partner_id, standing, name_key, business_id) WHERE left_at IS NULL;
CREATE INDEX idx_businesses_not_requested ON businesses (partner_id, name_key, business_id)
    WHERE left_at IS NULL AND last_request_number IS NULL;
CREATE INDEX idx_businesses_attention ON businesses (partner_id, name_key, business_id)
    WHERE left_at IS NULL AND (standing = 'failed' OR needs_payment);
CREATE INDEX idx_businesses_waiting_name ON businesses (partner_id, name_key, business_id) INCLUDE (waiting_since)
    WHERE left_at IS NULL AND waiting_since IS NOT NULL;
CREATE INDEX idx_businesses_waiting_since ON businesses (partner_id, waiting_since)
    WHERE left_at IS NULL AND waiting_since IS NOT NULL;
CREATE INDEX idx_businesses_id_prefix ON businesses (partner_id, business_id text_pattern_ops);
CALL wall_off('businesses', 'SELECT, INSERT, UPDATE');

CREATE TABLE syncs (
    sync_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    partner_id meta_id NOT NULL,
    asked_at timestamptz NOT NULL,
    asked_by bigint REFERENCES members,
    started_at timestamptz,
    finished_at timestamptz,
    failed_at timestamptz,
    part text NOT NULL DEFAULT 'client_wabas' CHECK (part IN ('client_wabas', 'owned_wabas', 'owned_solutions', 'partner_solutions')),
    cursor text,
    pages integer NOT NULL DEFAULT 0,
    wabas_seen integer NOT NULL DEFAULT 0,
    businesses_seen integer NOT NULL DEFAULT 0,
    skipped integer NOT NULL DEFAULT 0,
    expected integer,
    tries integer NOT NULL DEFAULT 0,
    retry_at timestamptz,
    cause text,
    fbtrace_id text,
    CONSTRAINT ends_once CHECK (finished_at IS NULL OR failed_at IS NULL),
    CONSTRAINT began_before_it_ended CHECK ((finished_at IS NULL AND failed_at IS NULL) OR started_at IS NOT NULL),
    CONSTRAINT failed_has_its_cause CHECK (failed_at IS NULL OR cause IS NOT NULL)
);
COMMENT ON TABLE syncs IS 'Each reading of the partner''s WABAs and solutions from Graph';
COMMENT ON COLUMN syncs.sync_id IS 'Ours; a later sync has a greater one';
COMMENT ON COLUMN syncs.partner_id IS 'The tenant';
COMMENT ON COLUMN syncs.asked_at IS 'When it was asked for, or fell due';
COMMENT ON COLUMN syncs.asked_by IS 'Who asked; NULL for the timer';
COMMENT ON COLUMN syncs.started_at IS 'When its first page was asked for';
COMMENT ON COLUMN syncs.finished_at IS 'When everything was read';
COMMENT ON COLUMN syncs.failed_at IS 'When it was given up';
COMMENT ON COLUMN syncs.part IS 'Which list is being read: where to go on after a crash';
COMMENT ON COLUMN syncs.cursor IS 'Graph''s cursor to the next page of that list; NULL: its first page';
COMMENT ON COLUMN syncs.pages IS 'Pages read';
COMMENT ON COLUMN syncs.wabas_seen IS 'WABAs read';
COMMENT ON COLUMN syncs.businesses_seen IS 'Businesses first met in this sync, counted by page: two pages may both hold one';
COMMENT ON COLUMN syncs.skipped IS 'Rows that couldn''t be read: with any, nothing is taken for gone';
COMMENT ON COLUMN syncs.expected IS 'WABAs read by the last finished sync; NULL in the first one, since Graph tells no total';
COMMENT ON COLUMN syncs.tries IS 'Temporary faults in a row';
COMMENT ON COLUMN syncs.retry_at IS 'When to ask Graph again, after a fault or a limit';
COMMENT ON COLUMN syncs.cause IS 'Why it waits or failed, as graph::Cause spells it';
COMMENT ON COLUMN syncs.fbtrace_id IS 'Meta''s trace of that refusal';
CREATE UNIQUE INDEX uq_syncs_open ON syncs (partner_id) WHERE finished_at IS NULL AND failed_at IS NULL;
COMMENT ON INDEX uq_syncs_open IS 'One open sync per partner: asking again is the same sync';
CREATE INDEX idx_syncs_partner ON syncs (partner_id, sync_id DESC);
CALL wall_off('syncs', 'SELECT, INSERT, UPDATE');

CREATE TABLE wabas (
    partner_id meta_id NOT NULL,
    waba_id meta_id NOT NULL,
    business_id meta_id NOT NULL,
    name text NOT NULL,
    link text NOT NULL CHECK (link IN ('shared', 'obo', 'own')),
    eligibility text,
    country text,
    currency text,
    review_status text,
    verification_status text,
    ownership_type text,
    first_seen_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    gone_at timestamptz,
    sync_id bigint,
    PRIMARY KEY (partner_id, waba_id),
    FOREIGN KEY (partner_id, business_id) REFERENCES businesses
) WITH (fillfactor = 85);
COMMENT ON TABLE wabas IS 'WhatsApp Business Accounts of the end businesses';
COMMENT ON COLUMN wabas.partner_id IS 'The tenant';
COMMENT ON COLUMN wabas.waba_id IS 'Meta''s id of it; never what the onboarding call is sent to';
COMMENT ON COLUMN wabas.business_id IS 'Whose it is';
COMMENT ON COLUMN wabas.name IS 'Its name at Meta';
COMMENT ON COLUMN wabas.link IS 'How the partner has it: shared by its owner, on behalf of (OBO), or the business''s own by another way';
COMMENT ON COLUMN wabas.eligibility IS 'marketing_messages_onboarding_status as Meta spelled it; NULL: Meta did not say';
COMMENT ON COLUMN wabas.country IS 'As Meta spelled it';
COMMENT ON COLUMN wabas.currency IS 'As Meta spelled it';
COMMENT ON COLUMN wabas.review_status IS 'account_review_status as Meta spelled it';
COMMENT ON COLUMN wabas.verification_status IS 'business_verification_status as Meta spelled it';
COMMENT ON COLUMN wabas.ownership_type IS 'As Meta spelled it';
COMMENT ON COLUMN wabas.first_seen_at IS 'When a sync first saw it';
COMMENT ON COLUMN wabas.changed_at IS 'When a sync last saw anything of it change';
COMMENT ON COLUMN wabas.gone_at IS 'Set when a whole sync did not see it';
COMMENT ON COLUMN wabas.sync_id IS 'The last sync that saw it';
CREATE INDEX idx_wabas_business ON wabas (partner_id, business_id);
CREATE INDEX idx_wabas_id_prefix ON wabas (partner_id, waba_id text_pattern_ops);
CALL wall_off('wabas', 'SELECT, INSERT, UPDATE');

CREATE TABLE business_events (
    event_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    partner_id meta_id NOT NULL,
    business_id meta_id NOT NULL,
    at timestamptz NOT NULL,
    kind text NOT NULL CHECK (kind IN ('first_seen', 'became_eligible', 'waba_shared', 'waba_gone', 'eligibility_changed',
        'meta_status_changed', 'left', 'returned')),
    waba_id meta_id,
    detail text,
    member_id bigint REFERENCES members
);
COMMENT ON TABLE business_events IS 'What changed about a business: its timeline, beside that of its requests';
COMMENT ON COLUMN business_events.event_id IS 'Orders events of the same instant';
COMMENT ON COLUMN business_events.partner_id IS 'The tenant';
COMMENT ON COLUMN business_events.business_id IS 'The business';
COMMENT ON COLUMN business_events.at IS 'When we saw it';
COMMENT ON COLUMN business_events.kind IS 'What happened';
COMMENT ON COLUMN business_events.waba_id IS 'The WABA it happened to; NULL where it is the business as a whole';
COMMENT ON COLUMN business_events.detail IS 'Meta''s new word for it, in the two kinds that end in _changed; else NULL';
COMMENT ON COLUMN business_events.member_id IS 'Whose doing it was; NULL for a sync';
CREATE INDEX idx_business_events_business ON business_events (partner_id, business_id, event_id DESC);
CALL wall_off('business_events', 'SELECT, INSERT');

-- The counts on the chips: sums, and what has changed since they were last folded. Writers only append, so no two of them ever wait
-- for the same row; a reader adds both up in one statement, so that folding is never seen half done.
CREATE TABLE business_counts (
    partner_id meta_id NOT NULL,
    standing text NOT NULL,
    needs_payment boolean NOT NULL,
    requested boolean NOT NULL,
    n bigint NOT NULL,
    PRIMARY KEY (partner_id, standing, needs_payment, requested)
);
COMMENT ON TABLE business_counts IS 'How many businesses stand where, up to the last folding';
COMMENT ON COLUMN business_counts.partner_id IS 'The tenant';
COMMENT ON COLUMN business_counts.standing IS 'businesses.standing';
COMMENT ON COLUMN business_counts.needs_payment IS 'businesses.needs_payment';
COMMENT ON COLUMN business_counts.requested IS 'Whether a request of ours stands behind them';
COMMENT ON COLUMN business_counts.n IS 'Businesses; those that left aren''t among them';
CALL wall_off('business_counts', 'SELECT, INSERT, UPDATE');

CREATE TABLE business_count_deltas (
    delta_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    partner_id meta_id NOT NULL,
    standing text NOT NULL,
    needs_payment boolean NOT NULL,
    requested boolean NOT NULL,
    delta bigint NOT NULL CHECK (delta <> 0)
);
COMMENT ON TABLE business_count_deltas IS 'Changes of those counts since, one row per statement that changed them';
COMMENT ON COLUMN business_count_deltas.delta_id IS 'Ours';
COMMENT ON COLUMN business_count_deltas.partner_id IS 'The tenant';
COMMENT ON COLUMN business_count_deltas.standing IS 'businesses.standing';
COMMENT ON COLUMN business_count_deltas.needs_payment IS 'businesses.needs_payment';
COMMENT ON COLUMN business_count_deltas.requested IS 'Whether a request of ours stands behind them';
COMMENT ON COLUMN business_count_deltas.delta IS 'How many more, or fewer';
CREATE INDEX idx_business_count_deltas_partner ON business_count_deltas (partner_id);
CALL wall_off('business_count_deltas', 'SELECT, INSERT, DELETE');

CREATE FUNCTION count_new_businesses() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO business_count_deltas (partner_id, standing, needs_payment, requested, delta)
    SELECT partner_id, standing, needs_payment, last_request_number IS NOT NULL, count(*)
    FROM now_rows WHERE left_at IS NULL GROUP BY 1, 2, 3, 4;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION count_new_businesses() IS 'Notes what an INSERT adds to the counts';

CREATE FUNCTION count_changed_businesses() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO business_count_deltas (partner_id, standing, needs_payment, requested, delta)
    SELECT partner_id, standing, needs_payment, requested, sum(sign)
    FROM (
        SELECT partner_id, standing, needs_payment, last_request_number IS NOT NULL AS requested, 1 AS sign
        FROM now_rows WHERE left_at IS NULL
        UNION ALL
        SELECT partner_id, standing, needs_payment, last_request_number IS NOT NULL, -1 FROM past_rows WHERE left_at IS NULL
    ) AS moved
    GROUP BY 1, 2, 3, 4 HAVING sum(sign) <> 0;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION count_changed_businesses() IS 'Notes what an UPDATE moves between the counts';

CREATE FUNCTION count_removed_businesses() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO business_count_deltas (partner_id, standing, needs_payment, requested, delta)
    SELECT partner_id, standing, needs_payment, last_request_number IS NOT NULL, -count(*)
    FROM past_rows WHERE left_at IS NULL GROUP BY 1, 2, 3, 4;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION count_removed_businesses() IS 'Notes what a DELETE takes from the counts: an operator''s, since the app deletes none';

CREATE TRIGGER count_inserted AFTER INSERT ON businesses
    REFERENCING NEW TABLE AS now_rows FOR EACH STATEMENT EXECUTE FUNCTION count_new_businesses();
CREATE TRIGGER count_updated AFTER UPDATE ON businesses
    REFERENCING OLD TABLE AS past_rows NEW TABLE AS now_rows FOR EACH STATEMENT EXECUTE FUNCTION count_changed_businesses();
CREATE TRIGGER count_deleted AFTER DELETE ON businesses
    REFERENCING OLD TABLE AS past_rows FOR EACH STATEMENT EXECUTE FUNCTION count_removed_businesses();

-- Everything on a business that follows from its WABAs, its requests and what Meta says of it. Whoever changes one of those calls this
-- at the end of the same transaction, once, with all the businesses concerned.
CREATE FUNCTION refresh_standing(ids text[]) RETURNS TABLE (business text, was text, became text)
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
            SELECT o.partner_id, o.business_id, o.name, o.name_key, o.words, o.first_seen_at, o.meta_status_since,
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
                SELECT * FROM businesses p WHERE p.partner_id = current_partner() AND p.business_id = asked.id OFFSET 0
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
        -- Every row is there; this is the way to change many by key.
        INSERT INTO businesses AS b (partner_id, business_id, name, name_key, words, first_seen_at, wabas, eligible_wabas, ready_wabas,
            needs_payment, setting_up, standing, waiting_since, last_request_number, last_requested_at, last_requested_by)
        SELECT n.partner_id, n.business_id, n.name, n.name_key, n.words, n.first_seen_at, n.live, n.eligible, n.onboarded,
            n.unpaid, n.setting_up, n.stands, n.waits_since, n.number, n.queued_at, n.member_name
        FROM news n
        WHERE (n.wabas, n.eligible_wabas, n.ready_wabas, n.needs_payment, n.was_setting_up, n.stood, n.waiting_since,
                n.last_request_number, n.last_requested_at, n.last_requested_by)
            IS DISTINCT FROM (n.live, n.eligible, n.onboarded, n.unpaid, n.setting_up, n.stands, n.waits_since,
                n.number, n.queued_at, n.member_name)
        ON CONFLICT (partner_id, business_id) DO UPDATE SET wabas = excluded.wabas, eligible_wabas = excluded.eligible_wabas,
            ready_wabas = excluded.ready_wabas, needs_payment = excluded.needs_payment, setting_up = excluded.setting_up,
            standing = excluded.standing, waiting_since = excluded.waiting_since, last_request_number = excluded.last_request_number,
            last_requested_at = excluded.last_requested_at, last_requested_by = excluded.last_requested_by
    )
    SELECT n.business_id::text, n.stood, n.stands FROM news n WHERE n.stood <> n.stands;
END $$;
COMMENT ON FUNCTION refresh_standing(text[]) IS 'Recomputes what follows from WABAs, requests and Meta''s status; returns those that stand elsewhere now';
