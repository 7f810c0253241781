-- Who connects: one role a service, so that each can do its own verb and no other. They cannot log in until
-- `berth setup` (or an operator) gives them passwords; berthd's own Postgres lets them in by its private socket.
DO $$
DECLARE
    service text;
BEGIN
    FOREACH service IN ARRAY ARRAY['berth_upload', 'berth_serve', 'berth_janitor'] LOOP
        -- Roles belong to the cluster, not to the database. Another berth on it may have made them; if it does so right
        -- now, no lock would tell us (advisory locks end at the database), but the attempt does.
        CONTINUE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = service);
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', service);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END;
    END LOOP;
END
$$;

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO berth_upload, berth_serve, berth_janitor;
