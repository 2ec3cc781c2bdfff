-- Who had Meta asked how a business stands stands in its timeline.
ALTER TABLE business_events
    DROP CONSTRAINT business_events_kind_check,
    ADD CONSTRAINT business_events_kind_check CHECK (kind IN ('first_seen', 'became_eligible', 'waba_shared', 'waba_gone',
        'eligibility_changed', 'meta_status_changed', 'left', 'returned', 'told', 'check_asked'));
