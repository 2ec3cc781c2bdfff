-- What the search over requests and calls goes by. Requests are written three or four times each while a batch is sent, so an index on
-- them is partial or there is none: what few requests have is found by one, what many have is met soon by walking along the numbers.
ALTER TABLE businesses ADD COLUMN IF NOT EXISTS assigned_to bigint REFERENCES members;
COMMENT ON COLUMN businesses.assigned_to IS 'The member who looks after it; NULL: nobody in particular';
CREATE INDEX idx_businesses_country ON businesses (partner_id, country, business_id);
COMMENT ON INDEX idx_businesses_country IS 'Businesses of a country few are of, and which countries there are';
CREATE INDEX idx_requests_cause ON requests (partner_id, cause, number DESC) WHERE cause IS NOT NULL;
COMMENT ON INDEX idx_requests_cause IS 'Requests that failed or wait for a reason few do';
CREATE INDEX idx_requests_solution ON requests (partner_id, solution_id, number DESC) WHERE solution_id IS NOT NULL;
COMMENT ON INDEX idx_requests_solution IS 'Requests for a solution few ask for';
CREATE INDEX idx_batches_member ON batches (partner_id, member_id, batch_number DESC) WHERE started_at IS NOT NULL;
COMMENT ON INDEX idx_batches_member IS 'What a member who asked for little asked for: requests have the member of their batch';
CREATE INDEX idx_graph_calls_error ON graph_calls (partner_id, error_code, number DESC) WHERE error_code IS NOT NULL AND number IS NOT NULL;
COMMENT ON INDEX idx_graph_calls_error IS 'Requests that met an error few do';

-- Numbers grow with the time a request was asked for, but for requests written at the same time in several transactions, which take two
-- minutes at most. So a time is found among the numbers by halving, without an index on times that each change of state would pay for.
CREATE FUNCTION requests_begin_at(at timestamptz) RETURNS bigint
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    partner CONSTANT text := current_partner();
    sought CONSTANT timestamptz := at - interval '10 minutes';
    low bigint;
    high bigint;
    middle bigint;
    found record;
BEGIN
    SELECT number INTO low FROM requests WHERE partner_id = partner ORDER BY number LIMIT 1;
    SELECT number + 1 INTO high FROM requests WHERE partner_id = partner ORDER BY number DESC LIMIT 1;
    IF low IS NULL THEN
        RETURN 0;
    END IF;
    WHILE low < high LOOP
        middle := low + (high - low) / 2;
        SELECT number, queued_at INTO found FROM requests WHERE partner_id = partner AND number >= middle ORDER BY number LIMIT 1;
        IF found.queued_at >= sought OR found.number IS NULL THEN
            high := middle;
        ELSE
            low := found.number + 1;
        END IF;
    END LOOP;
    RETURN low;
END $$;
COMMENT ON FUNCTION requests_begin_at(timestamptz) IS 'A number below which no request of the partner was asked for at that time or later; few from it on were asked for much earlier';
