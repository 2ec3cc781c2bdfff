-- A request has the member of its batch: one check says so of both, where two took a fifth of the time in which thousands of rows are
-- queued. Whose deed an event was is the request's member or who is signed in, and members are never removed from their table.
-- It's looked at as a transaction ends: a process of the version before gives a draft its member after its requests.
ALTER TABLE batches ADD CONSTRAINT uq_batches_member UNIQUE (partner_id, batch_number, member_id);
ALTER TABLE requests
    ADD CONSTRAINT batch_of_the_partner_and_member FOREIGN KEY (partner_id, batch_number, member_id)
        REFERENCES batches (partner_id, batch_number, member_id) DEFERRABLE INITIALLY DEFERRED,
    DROP CONSTRAINT batch_of_the_partner,
    DROP CONSTRAINT requests_member_id_fkey;
ALTER TABLE request_events DROP CONSTRAINT request_events_member_id_fkey;
