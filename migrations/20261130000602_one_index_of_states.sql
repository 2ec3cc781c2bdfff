-- idx_requests_state has taken its place.
DROP INDEX idx_requests_partner_state;
