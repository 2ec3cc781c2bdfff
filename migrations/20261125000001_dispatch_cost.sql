-- What it costs to move a request, which happens twice for each that is sent.

-- A request's story is written by the statement that moves the request, so that there can be none of a request that doesn't exist, and
-- requests are never deleted.
ALTER TABLE request_events DROP CONSTRAINT request_events_number_fkey;

-- One index serves what two did: a request is always asked for with its partner, and lists are walked backwards.
ALTER TABLE requests DROP CONSTRAINT requests_pkey;
ALTER TABLE requests ADD PRIMARY KEY (partner_id, number);
DROP INDEX idx_requests_partner_number;
