-- What Meta tells is kept word for word for as long as what it answers is; then only the facts read from it. It's dropped by a function
-- of a role that may do nothing else, since what is nobody's grows old as well.
ALTER TABLE webhook_changes ADD COLUMN body_dropped_at timestamptz;
COMMENT ON COLUMN webhook_changes.body_dropped_at IS 'When the words were dropped for their age; NULL: they are still there';
COMMENT ON COLUMN webhook_changes.body IS 'The change as it came, byte for byte; the whole entry or delivery where no change could be told apart; empty once it is too old';
CREATE INDEX idx_webhook_changes_kept ON webhook_changes (partner_id, received_at) WHERE body_dropped_at IS NULL;
COMMENT ON INDEX idx_webhook_changes_kept IS 'Whose words are due to go';

-- Members' transactions say what became of a change, and alter nothing else of it.
REVOKE UPDATE ON webhook_changes FROM liteboard_tenant;
GRANT UPDATE (settled_at, outcome, wants_sync) ON webhook_changes TO liteboard_tenant;

-- Roles belong to the cluster, so another database may have made it already, or be making it at this moment.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'liteboard_retention') THEN
        CREATE ROLE liteboard_retention NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END $$;

DO $$
BEGIN
    IF NOT pg_has_role(CURRENT_USER, 'liteboard_retention', 'MEMBER') THEN
        GRANT liteboard_retention TO CURRENT_USER;
    END IF;
END $$;

CREATE POLICY retention ON webhook_changes TO liteboard_retention USING (TRUE);
GRANT SELECT (change_id, partner_id, received_at, settled_at, body_dropped_at), UPDATE (body, body_dropped_at)
    ON webhook_changes TO liteboard_retention;

CREATE FUNCTION drop_webhook_bodies(partner text, due timestamptz, most integer, at timestamptz) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp
    AS $$
DECLARE
    dropped bigint;
BEGIN
    IF partner IS NULL THEN
        UPDATE webhook_changes SET body = '', body_dropped_at = at WHERE change_id = ANY (ARRAY (
            SELECT c.change_id FROM webhook_changes c
            WHERE c.partner_id IS NULL AND c.body_dropped_at IS NULL AND c.received_at < due
            ORDER BY c.received_at LIMIT most
        ));
    ELSE
        -- One that nobody has looked at yet is still to be read.
        UPDATE webhook_changes SET body = '', body_dropped_at = at WHERE change_id = ANY (ARRAY (
            SELECT c.change_id FROM webhook_changes c
            WHERE c.partner_id = partner AND c.body_dropped_at IS NULL AND c.received_at < due AND c.settled_at IS NOT NULL
            ORDER BY c.received_at LIMIT most
        ));
    END IF;
    GET DIAGNOSTICS dropped = ROW_COUNT;
    RETURN dropped;
END $$;
COMMENT ON FUNCTION drop_webhook_bodies(text, timestamptz, integer, timestamptz) IS
    'Drops the words of a partner''s oldest changes that came before a time, at most so many; without a partner, of those that are nobody''s';

REVOKE EXECUTE ON FUNCTION drop_webhook_bodies(text, timestamptz, integer, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION drop_webhook_bodies(text, timestamptz, integer, timestamptz) TO CURRENT_USER;

-- Giving a function away needs its new owner to be one who could have made it here.
GRANT CREATE ON SCHEMA public TO liteboard_retention;
ALTER FUNCTION drop_webhook_bodies(text, timestamptz, integer, timestamptz) OWNER TO liteboard_retention;
REVOKE CREATE ON SCHEMA public FROM liteboard_retention;
