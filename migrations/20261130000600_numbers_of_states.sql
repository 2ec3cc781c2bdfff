-- Requests are walked along the numbers of a state from some number on, either way. Where a walk begins is a row of both, and rows are
-- compared along an index only where it has both in the same direction.
--
-- Dropped first, which locks the table at once: a lock that grew while others write would end this or them.
DROP INDEX idx_requests_partner_state;
CREATE INDEX idx_requests_state ON requests (partner_id, state, number);
-- Twenty steps of one look-up each: planned once, as refresh_standing is.
ALTER FUNCTION requests_begin_at(timestamptz) SET plan_cache_mode = force_generic_plan;
