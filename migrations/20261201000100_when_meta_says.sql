-- What a webhook tells stands in the timeline at the hour that Meta names, however late it comes.
ALTER TABLE business_events ADD COLUMN heard_at timestamptz;
-- One change comes for each WABA whose terms are signed, in any order: the line stands at the earliest hour of them.
GRANT UPDATE (at, heard_at) ON business_events TO liteboard_tenant;
COMMENT ON COLUMN business_events.heard_at IS 'When a webhook told it; NULL where that is when it happened, as far as we know';
COMMENT ON COLUMN business_events.at IS 'When it happened, as far as Meta says; else when we saw it';
