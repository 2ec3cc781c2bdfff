-- What Meta told of a business by webhook stands in its timeline as well. Old code reads over a kind it doesn't know.
ALTER TABLE business_events
    DROP CONSTRAINT business_events_kind_check,
    ADD CONSTRAINT business_events_kind_check CHECK (kind IN ('first_seen', 'became_eligible', 'waba_shared', 'waba_gone',
        'eligibility_changed', 'meta_status_changed', 'left', 'returned', 'told'));
COMMENT ON COLUMN business_events.detail IS
    'Meta''s new word for it, in the two kinds that end in _changed; the webhook''s event, and after a blank what it says of it, in told; else NULL';
COMMENT ON COLUMN business_events.member_id IS 'Whose doing it was; NULL for a sync or a webhook';
