CREATE TABLE graph_calls (
    call_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    partner_id meta_id,
    member_id bigint,
    number bigint,
    attempt integer,
    operation text NOT NULL,
    method text NOT NULL,
    path text NOT NULL,
    query text NOT NULL,
    subject_id text,
    solution_id text,
    graph_version text NOT NULL,
    app_id text NOT NULL,
    started_at timestamptz NOT NULL,
    duration_ms integer NOT NULL,
    http_status smallint,
    failure text,
    failure_detail text,
    error_code bigint,
    error_subcode bigint,
    error_type text,
    error_message text,
    error_user_title text,
    error_user_message text,
    error_data text,
    is_transient boolean,
    fbtrace_id text,
    x_fb_trace_id text,
    x_fb_request_id text,
    x_fb_rev text,
    x_fb_debug text,
    app_usage text,
    business_use_case_usage text,
    retry_after text,
    content_type text,
    body text NOT NULL
);
COMMENT ON TABLE graph_calls IS 'One HTTP exchange with Meta each, tokens redacted before they reach here';
COMMENT ON COLUMN graph_calls.call_id IS 'Ours';
COMMENT ON COLUMN graph_calls.partner_id IS 'The tenant; NULL for the calls of a sign-in before the partner is known, which nobody sees';
COMMENT ON COLUMN graph_calls.member_id IS 'Whose action or token it was';
COMMENT ON COLUMN graph_calls.number IS 'The request it was an attempt of';
COMMENT ON COLUMN graph_calls.attempt IS 'Which POST of that request, from 1';
COMMENT ON COLUMN graph_calls.operation IS 'What it was for, as graph::Operation spells it';
COMMENT ON COLUMN graph_calls.method IS 'HTTP method';
COMMENT ON COLUMN graph_calls.path IS 'Path with version';
COMMENT ON COLUMN graph_calls.query IS 'Query with secrets masked';
COMMENT ON COLUMN graph_calls.subject_id IS 'The node it was sent to: a business, the partner, the app';
COMMENT ON COLUMN graph_calls.solution_id IS 'The solution asked for, where one was';
COMMENT ON COLUMN graph_calls.graph_version IS 'Version called';
COMMENT ON COLUMN graph_calls.app_id IS 'The app that called';
COMMENT ON COLUMN graph_calls.started_at IS 'When it left';
COMMENT ON COLUMN graph_calls.duration_ms IS 'Until the answer was read, or given up';
COMMENT ON COLUMN graph_calls.http_status IS 'NULL: no answer';
COMMENT ON COLUMN graph_calls.failure IS 'Why there is no usable answer: timed_out, reset, html, cut_off, ...; NULL for a Graph answer';
COMMENT ON COLUMN graph_calls.failure_detail IS 'The transport''s own words for a failure';
COMMENT ON COLUMN graph_calls.error_code IS 'error.code';
COMMENT ON COLUMN graph_calls.error_subcode IS 'error.error_subcode';
COMMENT ON COLUMN graph_calls.error_type IS 'error.type';
COMMENT ON COLUMN graph_calls.error_message IS 'error.message';
COMMENT ON COLUMN graph_calls.error_user_title IS 'error.error_user_title';
COMMENT ON COLUMN graph_calls.error_user_message IS 'error.error_user_msg';
COMMENT ON COLUMN graph_calls.error_data IS 'error.error_data as it came, object or text';
COMMENT ON COLUMN graph_calls.is_transient IS 'error.is_transient';
COMMENT ON COLUMN graph_calls.fbtrace_id IS 'error.fbtrace_id, or the header''s where the body had none';
COMMENT ON COLUMN graph_calls.x_fb_trace_id IS 'Header of the answer';
COMMENT ON COLUMN graph_calls.x_fb_request_id IS 'Header of the answer';
COMMENT ON COLUMN graph_calls.x_fb_rev IS 'Header of the answer';
COMMENT ON COLUMN graph_calls.x_fb_debug IS 'Header of the answer';
COMMENT ON COLUMN graph_calls.app_usage IS 'X-App-Usage as it came';
COMMENT ON COLUMN graph_calls.business_use_case_usage IS 'X-Business-Use-Case-Usage as it came';
COMMENT ON COLUMN graph_calls.retry_after IS 'Retry-After as it came';
COMMENT ON COLUMN graph_calls.content_type IS 'Header of the answer';
COMMENT ON COLUMN graph_calls.body IS 'The answer, at most 64 KiB, secrets masked';
CREATE INDEX idx_graph_calls_number ON graph_calls (partner_id, number, call_id) WHERE number IS NOT NULL;
CREATE INDEX idx_graph_calls_fbtrace_id ON graph_calls (partner_id, fbtrace_id) WHERE fbtrace_id IS NOT NULL;
CREATE INDEX idx_graph_calls_x_fb_request_id ON graph_calls (partner_id, x_fb_request_id) WHERE x_fb_request_id IS NOT NULL;
CREATE INDEX idx_graph_calls_subject ON graph_calls (partner_id, subject_id, call_id DESC) WHERE subject_id IS NOT NULL;
CALL wall_off('graph_calls', 'SELECT, INSERT');
-- Calls made before the partner is known are written by nobody's transaction and seen in none.
CREATE POLICY before_sign_in ON graph_calls FOR INSERT TO PUBLIC WITH CHECK (partner_id IS NULL);
