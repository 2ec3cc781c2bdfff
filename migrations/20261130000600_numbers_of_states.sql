-- Requests are walked along the numbers of a state from some number on, either way. Where a walk begins is a row of both, and rows are
-- compared along an index only where it has both in the same direction. The index it takes the place of goes in a migration of its own:
-- dropped here, it would keep readers waiting for as long as this one is built.
CREATE INDEX idx_requests_state ON requests (partner_id, state, number);
-- Twenty steps of one look-up each: planned once, as refresh_standing is.
ALTER FUNCTION requests_begin_at(timestamptz) SET plan_cache_mode = force_generic_plan;
