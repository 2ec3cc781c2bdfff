-- Requests are walked along the numbers of a state from some number on, either way. Where a walk begins is the row of both, state and
-- number, and only an index that has both in one direction finds a row.
CREATE INDEX idx_requests_state ON requests (partner_id, state, number);
DROP INDEX idx_requests_partner_state;
-- Twenty steps of one look-up each: planned once, as refresh_standing is.
ALTER FUNCTION requests_begin_at(timestamptz) SET plan_cache_mode = force_generic_plan;
