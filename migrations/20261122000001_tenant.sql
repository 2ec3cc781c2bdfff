-- The role that every tenant transaction runs as, and the value its policies compare with.
-- Roles belong to the cluster, so another database may have made it already, or be making it at this moment.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'liteboard_tenant') THEN
        CREATE ROLE liteboard_tenant NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END $$;

DO $$
BEGIN
    IF NOT pg_has_role(CURRENT_USER, 'liteboard_tenant', 'MEMBER') THEN
        GRANT liteboard_tenant TO CURRENT_USER;
    END IF;
END $$;

-- The partner of the running transaction; NULL outside of one, and NULL equals no row's partner.
CREATE FUNCTION current_partner() RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('app.partner_id', TRUE), '');
COMMENT ON FUNCTION current_partner() IS 'The partner that db.rs set for this transaction';

-- A Meta id: digits, at most 20 of them, kept as text because no number type of the browser holds it.
CREATE DOMAIN meta_id AS text CHECK (VALUE ~ '^[0-9]{1,20}$');
COMMENT ON DOMAIN meta_id IS 'An id that Meta gave: 1 to 20 digits';

-- Gives a table its tenant wall; called once by the migration that makes the table.
CREATE PROCEDURE wall_off(tenant_table regclass, rights text)
    LANGUAGE plpgsql
    AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', tenant_table);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', tenant_table);
    EXECUTE format('CREATE POLICY tenant ON %s TO liteboard_tenant USING (partner_id = current_partner())', tenant_table);
    EXECUTE format('GRANT %s ON %s TO liteboard_tenant', rights, tenant_table);
END $$;
COMMENT ON PROCEDURE wall_off(regclass, text) IS 'Row-level security, its policy and the tenant role''s rights for a table with a partner_id';
