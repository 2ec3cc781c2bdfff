-- A batch is written before it's started, so that what it will do can be looked at first. Started, its requests are made in one
-- transaction; they are dispatched as those of a click are.
ALTER TABLE batches
    ALTER COLUMN started_at DROP NOT NULL,
    ADD COLUMN source text NOT NULL DEFAULT 'click' CHECK (source IN ('click', 'selection', 'list', 'retry')),
    ADD COLUMN name text NOT NULL DEFAULT '' CHECK (char_length(name) <= 80),
    ADD COLUMN file_name text,
    ADD COLUMN drafted_at timestamptz,
    ADD COLUMN checked_at timestamptz,
    ADD COLUMN size integer NOT NULL DEFAULT 1 CHECK (size >= 0),
    ADD COLUMN retry_of bigint REFERENCES batches,
    ADD COLUMN paused_at timestamptz,
    ADD COLUMN paused_by bigint REFERENCES members,
    ADD COLUMN cancelled_at timestamptz,
    ADD COLUMN cancelled_by bigint REFERENCES members,
    ADD CONSTRAINT drafted_or_started CHECK (started_at IS NOT NULL OR drafted_at IS NOT NULL),
    ADD CONSTRAINT paused_by_somebody CHECK ((paused_at IS NULL) = (paused_by IS NULL)),
    ADD CONSTRAINT cancelled_by_somebody CHECK ((cancelled_at IS NULL) = (cancelled_by IS NULL));
COMMENT ON COLUMN batches.started_at IS 'When the member had it sent; NULL: it''s a draft, of which nothing is sent';
COMMENT ON COLUMN batches.source IS 'What the member did: a click on one business, a selection in the list, a list of ids, a retry of failures';
COMMENT ON COLUMN batches.name IS 'What the member calls it; empty for none';
COMMENT ON COLUMN batches.file_name IS 'The imported file''s name; NULL: ids were pasted, or there was no list';
COMMENT ON COLUMN batches.drafted_at IS 'When its rows were written; NULL where it was started without a draft';
COMMENT ON COLUMN batches.checked_at IS 'When its rows were last compared with what is known of the businesses';
COMMENT ON COLUMN batches.size IS 'Requests it made when it was started';
COMMENT ON COLUMN batches.retry_of IS 'The batch whose failures it tries again';
COMMENT ON COLUMN batches.paused_at IS 'Since when nothing of it is sent; NULL while it runs';
COMMENT ON COLUMN batches.paused_by IS 'Who paused it';
COMMENT ON COLUMN batches.cancelled_at IS 'When what hadn''t been sent was stopped';
COMMENT ON COLUMN batches.cancelled_by IS 'Who stopped it';
GRANT UPDATE, DELETE ON batches TO liteboard_tenant;
CREATE INDEX idx_batches_partner ON batches (partner_id, batch_number DESC) WHERE source <> 'click';

CREATE TABLE batch_rows (
    partner_id meta_id NOT NULL,
    batch_number bigint NOT NULL REFERENCES batches ON DELETE CASCADE,
    line integer NOT NULL CHECK (line > 0),
    given text NOT NULL CHECK (char_length(given) <= 200),
    given_solution text CHECK (char_length(given_solution) <= 200),
    unreadable text CHECK (unreadable IN ('empty', 'not_digits', 'rounded', 'too_long')),
    business_id meta_id,
    solution_id meta_id,
    finding text NOT NULL DEFAULT 'unchecked' CHECK (finding IN ('unchecked', 'eligible', 'unsaid', 'waba_id', 'duplicate', 'empty',
        'not_digits', 'rounded', 'too_long', 'unknown', 'left', 'already_requested', 'accepted', 'ready', 'taken', 'not_eligible',
        'solution_not_an_id', 'solution_gone', 'solution_unusable')),
    same_as integer,
    left_out boolean NOT NULL DEFAULT FALSE,
    PRIMARY KEY (partner_id, batch_number, line)
);
COMMENT ON TABLE batch_rows IS 'What a batch was made from, row by row, and what was found of each before it was sent';
COMMENT ON COLUMN batch_rows.partner_id IS 'The tenant';
COMMENT ON COLUMN batch_rows.batch_number IS 'The batch';
COMMENT ON COLUMN batch_rows.line IS 'Line in the file, from 1; for a selection its place in the order of names';
COMMENT ON COLUMN batch_rows.given IS 'What stands there for the business, cut to 200 characters';
COMMENT ON COLUMN batch_rows.given_solution IS 'What stands there for the solution; NULL: the batch''s own holds';
COMMENT ON COLUMN batch_rows.unreadable IS 'Why what stands there is no id; NULL: it''s one';
COMMENT ON COLUMN batch_rows.business_id IS 'The business meant, as far as one is known';
COMMENT ON COLUMN batch_rows.solution_id IS 'The solution meant, where one is given and readable';
COMMENT ON COLUMN batch_rows.finding IS 'What becomes of it when the batch starts; eligible, unsaid and waba_id are sent';
COMMENT ON COLUMN batch_rows.same_as IS 'The line that names the same business first; NULL: this one does';
COMMENT ON COLUMN batch_rows.left_out IS 'The member does not want it sent';
CALL wall_off('batch_rows', 'SELECT, INSERT, UPDATE, DELETE');
CREATE INDEX idx_batch_rows_finding ON batch_rows (partner_id, batch_number, finding, line);

-- The businesses a member has ticked, on whichever page.
CREATE TABLE selected_businesses (
    partner_id meta_id NOT NULL,
    member_id bigint NOT NULL REFERENCES members,
    business_id meta_id NOT NULL,
    PRIMARY KEY (partner_id, member_id, business_id)
);
COMMENT ON TABLE selected_businesses IS 'The businesses a member has ticked in the list and not acted on yet';
COMMENT ON COLUMN selected_businesses.partner_id IS 'The tenant';
COMMENT ON COLUMN selected_businesses.member_id IS 'Whose tick it is';
COMMENT ON COLUMN selected_businesses.business_id IS 'The business ticked';
CALL wall_off('selected_businesses', 'SELECT, INSERT, DELETE');

ALTER TABLE requests ADD COLUMN alone boolean NOT NULL DEFAULT TRUE;
COMMENT ON COLUMN requests.alone IS 'Asked for by itself: it goes before those of batches';
-- Dispatch takes single clicks first and then from each batch in turn, so each way has its index.
CREATE INDEX idx_requests_alone_due ON requests (partner_id, (coalesce(retry_at, queued_at)), number)
    WHERE alone AND state IN ('queued', 'waiting_to_retry');
CREATE INDEX idx_requests_batch_due ON requests (partner_id, batch_number, (coalesce(retry_at, queued_at)), number)
    WHERE NOT alone AND state IN ('queued', 'waiting_to_retry');
CREATE INDEX idx_requests_batch ON requests (partner_id, batch_number, state, number);
DROP INDEX idx_requests_due;

-- How fast Meta lets us go. One row a partner, beside the waits that dispatch_pauses held until now.
CREATE TABLE paces (
    partner_id meta_id PRIMARY KEY,
    concurrency integer NOT NULL DEFAULT 8 CHECK (concurrency > 0),
    used_percent real,
    used_at timestamptz,
    wait_until timestamptz,
    told_at timestamptz,
    cause text,
    waits integer NOT NULL DEFAULT 0,
    troubles integer NOT NULL DEFAULT 0,
    CONSTRAINT usage_has_its_time CHECK ((used_percent IS NULL) = (used_at IS NULL)),
    CONSTRAINT wait_is_whole CHECK (num_nulls(wait_until, told_at, cause) IN (0, 3))
);
COMMENT ON TABLE paces IS 'What Meta said of a partner''s limits, and how many calls may be under way';
COMMENT ON COLUMN paces.partner_id IS 'The tenant';
COMMENT ON COLUMN paces.concurrency IS 'Calls that may be under way at once: grows with successes, halves with trouble';
COMMENT ON COLUMN paces.used_percent IS 'The highest percentage of any limit in the last answer that named one';
COMMENT ON COLUMN paces.used_at IS 'When that answer came';
COMMENT ON COLUMN paces.wait_until IS 'Nothing is sent before: Meta said so, or the limit is nearly used up';
COMMENT ON COLUMN paces.told_at IS 'When the wait began';
COMMENT ON COLUMN paces.cause IS 'Why: throttled, when Meta said so; near_limit, before it had to; meta_away, when nobody answers';
COMMENT ON COLUMN paces.waits IS 'Waits in a row that Meta named no end of: each is longer than the one before';
COMMENT ON COLUMN paces.troubles IS 'Calls in a row that nobody answered';
INSERT INTO paces (partner_id, concurrency, wait_until, told_at, cause) SELECT partner_id, 8, until, told_at, cause FROM dispatch_pauses;
CALL wall_off('paces', 'SELECT, INSERT, UPDATE');
COMMENT ON TABLE dispatch_pauses IS 'Unused: see paces. It stays for as long as a process of the version before may ask it';

-- The app's own limit is everybody's: no partner stands in this row.
CREATE TABLE app_paces (
    app_id meta_id PRIMARY KEY,
    used_percent real,
    used_at timestamptz,
    wait_until timestamptz,
    told_at timestamptz,
    CONSTRAINT usage_has_its_time CHECK ((used_percent IS NULL) = (used_at IS NULL)),
    CONSTRAINT wait_is_whole CHECK ((wait_until IS NULL) = (told_at IS NULL))
);
COMMENT ON TABLE app_paces IS 'What Meta said of the app''s limit, which all its partners share';
COMMENT ON COLUMN app_paces.app_id IS 'Meta''s id of the app';
COMMENT ON COLUMN app_paces.used_percent IS 'The highest percentage in the last X-App-Usage';
COMMENT ON COLUMN app_paces.used_at IS 'When that came';
COMMENT ON COLUMN app_paces.wait_until IS 'Nothing is sent for anybody before';
COMMENT ON COLUMN app_paces.told_at IS 'When Meta said so';
GRANT SELECT, INSERT, UPDATE ON app_paces TO liteboard_tenant;
