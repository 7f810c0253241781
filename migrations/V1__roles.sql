-- Who connects: one role a service, so that each can do its own verb and no other. They cannot log in until
-- `berth setup` (or an operator) gives them passwords; berthd's own Postgres lets them in by its private socket.
DO $$
BEGIN
    -- Roles belong to the cluster, not to the database: another berth on it may have made them, even right now.
    PERFORM pg_advisory_xact_lock(hashtext('berth roles'));
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'berth_upload') THEN CREATE ROLE berth_upload NOLOGIN; END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'berth_serve') THEN CREATE ROLE berth_serve NOLOGIN; END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'berth_janitor') THEN CREATE ROLE berth_janitor NOLOGIN; END IF;
END
$$;

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO berth_upload, berth_serve, berth_janitor;
