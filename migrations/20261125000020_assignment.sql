-- Who of us looks after a business, and who said so when.
ALTER TABLE businesses ADD COLUMN IF NOT EXISTS assigned_to bigint REFERENCES members;
COMMENT ON COLUMN businesses.assigned_to IS 'The member who looks after it; NULL: nobody in particular';
-- Holds all that a filter goes by, so that one manager's businesses are walked along without looking at their rows.
CREATE INDEX idx_businesses_assigned ON businesses (partner_id, assigned_to, name_key, business_id)
    INCLUDE (standing, needs_payment, last_request_number, waiting_since) WHERE left_at IS NULL AND assigned_to IS NOT NULL;
COMMENT ON INDEX idx_businesses_assigned IS 'The businesses of one manager, by name';

CREATE TABLE business_assignments (
    assignment_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    partner_id meta_id NOT NULL,
    business_id meta_id NOT NULL,
    at timestamptz NOT NULL,
    member_id bigint NOT NULL REFERENCES members,
    assigned_to bigint REFERENCES members
);
COMMENT ON TABLE business_assignments IS 'Every change of who looks after a business; never changed itself';
COMMENT ON COLUMN business_assignments.assignment_id IS 'Orders changes of the same instant';
COMMENT ON COLUMN business_assignments.partner_id IS 'The tenant';
COMMENT ON COLUMN business_assignments.business_id IS 'The business';
COMMENT ON COLUMN business_assignments.at IS 'When';
COMMENT ON COLUMN business_assignments.member_id IS 'Who changed it';
COMMENT ON COLUMN business_assignments.assigned_to IS 'Who looks after it from then on; NULL: nobody in particular';
CREATE INDEX idx_business_assignments_business ON business_assignments (partner_id, business_id, assignment_id);
COMMENT ON INDEX idx_business_assignments_business IS 'For the timeline of a business';
CALL wall_off('business_assignments', 'SELECT, INSERT');
