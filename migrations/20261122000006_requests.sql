CREATE TABLE batches (
    batch_number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    partner_id meta_id NOT NULL,
    member_id bigint NOT NULL REFERENCES members,
    solution_id meta_id,
    started_at timestamptz NOT NULL
);
COMMENT ON TABLE batches IS 'The requests made by one action, one or thousands';
COMMENT ON COLUMN batches.batch_number IS 'Ours';
COMMENT ON COLUMN batches.partner_id IS 'The tenant';
COMMENT ON COLUMN batches.member_id IS 'Who acted';
COMMENT ON COLUMN batches.solution_id IS 'The multi-partner solution picked; NULL for none';
COMMENT ON COLUMN batches.started_at IS 'When the member acted';
CALL wall_off('batches', 'SELECT, INSERT');

CREATE TABLE requests (
    number bigint GENERATED ALWAYS AS IDENTITY (START WITH 1001) PRIMARY KEY,
    partner_id meta_id NOT NULL,
    batch_number bigint NOT NULL REFERENCES batches,
    business_id meta_id NOT NULL,
    member_id bigint NOT NULL REFERENCES members,
    solution_id meta_id,
    state text NOT NULL CHECK (state IN ('queued', 'sending', 'waiting_to_retry', 'requested', 'already_requested',
        'taken_by_another_partner', 'accepted', 'ready', 'failed', 'cancelled')),
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    faults integer NOT NULL DEFAULT 0 CHECK (faults >= 0),
    doubtful boolean NOT NULL DEFAULT FALSE,
    cause text,
    meta_request_id text,
    queued_at timestamptz NOT NULL,
    sending_at timestamptz,
    retry_at timestamptz,
    answered_at timestamptz,
    accepted_at timestamptz,
    ready_at timestamptz,
    failed_at timestamptz,
    cancelled_at timestamptz,
    changed_at timestamptz NOT NULL,
    CONSTRAINT sending_has_its_time CHECK (state <> 'sending' OR sending_at IS NOT NULL),
    CONSTRAINT waiting_has_its_time CHECK ((state = 'waiting_to_retry') = (retry_at IS NOT NULL)),
    CONSTRAINT answered_has_its_time CHECK (state NOT IN ('requested', 'already_requested', 'taken_by_another_partner') OR answered_at IS NOT NULL),
    CONSTRAINT accepted_has_its_time CHECK (state <> 'accepted' OR accepted_at IS NOT NULL),
    CONSTRAINT ready_has_its_time CHECK (state <> 'ready' OR ready_at IS NOT NULL),
    CONSTRAINT failed_has_its_time_and_cause CHECK (state <> 'failed' OR (failed_at IS NOT NULL AND cause IS NOT NULL)),
    CONSTRAINT cancelled_has_its_time CHECK ((state = 'cancelled') = (cancelled_at IS NOT NULL)),
    CONSTRAINT requested_has_metas_id CHECK (state <> 'requested' OR meta_request_id IS NOT NULL OR doubtful)
);
COMMENT ON TABLE requests IS 'One wish to onboard one business, from click to Ready; the row is the unit of dispatch';
COMMENT ON COLUMN requests.number IS 'Ours: shown as LB-1001';
COMMENT ON COLUMN requests.partner_id IS 'The tenant';
COMMENT ON COLUMN requests.batch_number IS 'The action it came from';
COMMENT ON COLUMN requests.business_id IS 'The end business the call is sent to';
COMMENT ON COLUMN requests.member_id IS 'Who asked for it';
COMMENT ON COLUMN requests.solution_id IS 'The multi-partner solution to link; NULL for none';
COMMENT ON COLUMN requests.state IS 'Moved only by onboarding/decide.rs';
COMMENT ON COLUMN requests.attempts IS 'POSTs begun';
COMMENT ON COLUMN requests.faults IS 'Temporary faults in a row; enough of them and it fails';
COMMENT ON COLUMN requests.doubtful IS 'A POST left and its outcome is not known: read the business''s status before the next one';
COMMENT ON COLUMN requests.cause IS 'Why it failed or waits, as graph::Cause spells it';
COMMENT ON COLUMN requests.meta_request_id IS 'Meta''s request_id';
COMMENT ON COLUMN requests.queued_at IS 'When the member asked';
COMMENT ON COLUMN requests.sending_at IS 'When the last POST began';
COMMENT ON COLUMN requests.retry_at IS 'When to try again';
COMMENT ON COLUMN requests.answered_at IS 'When Meta took it, or told us that a request stood already';
COMMENT ON COLUMN requests.accepted_at IS 'When the terms were seen signed';
COMMENT ON COLUMN requests.ready_at IS 'When a WABA was seen onboarded';
COMMENT ON COLUMN requests.failed_at IS 'When it was given up';
COMMENT ON COLUMN requests.cancelled_at IS 'When one of us stopped it before it was sent';
COMMENT ON COLUMN requests.changed_at IS 'The last change of state';
CREATE UNIQUE INDEX uq_requests_open ON requests (partner_id, business_id)
    WHERE state IN ('queued', 'sending', 'waiting_to_retry', 'requested', 'already_requested', 'accepted');
COMMENT ON INDEX uq_requests_open IS 'One open request per partner and business';
CREATE INDEX idx_requests_due ON requests (partner_id, (coalesce(retry_at, queued_at)), number)
    WHERE state IN ('queued', 'sending', 'waiting_to_retry');
CREATE INDEX idx_requests_partner_number ON requests (partner_id, number DESC);
CREATE INDEX idx_requests_partner_state ON requests (partner_id, state, number DESC);
CREATE INDEX idx_requests_business ON requests (partner_id, business_id, number DESC);
CREATE INDEX idx_requests_meta_request_id ON requests (partner_id, meta_request_id) WHERE meta_request_id IS NOT NULL;
CALL wall_off('requests', 'SELECT, INSERT, UPDATE');

CREATE TABLE request_events (
    event_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    partner_id meta_id NOT NULL,
    number bigint NOT NULL REFERENCES requests,
    at timestamptz NOT NULL,
    state text NOT NULL,
    attempt integer NOT NULL,
    cause text,
    retry_at timestamptz,
    member_id bigint REFERENCES members
);
COMMENT ON TABLE request_events IS 'Every state a request has been in: its story';
COMMENT ON COLUMN request_events.event_id IS 'Orders events of the same instant';
COMMENT ON COLUMN request_events.partner_id IS 'The tenant';
COMMENT ON COLUMN request_events.number IS 'The request';
COMMENT ON COLUMN request_events.at IS 'When it came to be so';
COMMENT ON COLUMN request_events.state IS 'The state it moved to';
COMMENT ON COLUMN request_events.attempt IS 'POSTs begun until then';
COMMENT ON COLUMN request_events.cause IS 'Why, as graph::Cause spells it';
COMMENT ON COLUMN request_events.retry_at IS 'The next try, where one was planned';
COMMENT ON COLUMN request_events.member_id IS 'Who did it; NULL where it was dispatch or a sync';
CREATE INDEX idx_request_events_number ON request_events (partner_id, number, event_id);
CALL wall_off('request_events', 'SELECT, INSERT');

CREATE TABLE dispatch_pauses (
    partner_id meta_id PRIMARY KEY,
    until timestamptz NOT NULL,
    told_at timestamptz NOT NULL,
    cause text NOT NULL
);
COMMENT ON TABLE dispatch_pauses IS 'Meta asked us to wait: nothing is sent for the partner until then';
COMMENT ON COLUMN dispatch_pauses.partner_id IS 'The tenant';
COMMENT ON COLUMN dispatch_pauses.until IS 'When sending starts again';
COMMENT ON COLUMN dispatch_pauses.told_at IS 'When Meta said so';
COMMENT ON COLUMN dispatch_pauses.cause IS 'Why, as graph::Cause spells it';
CALL wall_off('dispatch_pauses', 'SELECT, INSERT, UPDATE, DELETE');
