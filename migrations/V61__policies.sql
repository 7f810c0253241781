-- What holds for the whole site, over the settings and under the albums' policies. One row.
CREATE TABLE site_policy (
    one        boolean     PRIMARY KEY DEFAULT true CHECK (one),
    policy     jsonb       NOT NULL CHECK (jsonb_typeof(policy) = 'object'),
    updated_at timestamptz NOT NULL
);

INSERT INTO site_policy (policy, updated_at) VALUES ('{}', now());

GRANT SELECT, UPDATE (policy, updated_at) ON site_policy TO berth_upload;
GRANT SELECT (policy) ON site_policy TO berth_serve;

-- serve-svc reads an image's policies with the image and keeps them as long. One word tells it which of them to read anew, however
-- many images they hold for.
CREATE FUNCTION album_policy_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('berth_policy', 'album ' || NEW.id);
    RETURN NULL;
END
$$;

CREATE TRIGGER album_policy_changed AFTER UPDATE OF policy ON album
    FOR EACH ROW WHEN (OLD.policy IS DISTINCT FROM NEW.policy)
    EXECUTE FUNCTION album_policy_changed();

CREATE FUNCTION site_policy_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('berth_policy', 'site');
    RETURN NULL;
END
$$;

CREATE TRIGGER site_policy_changed AFTER UPDATE ON site_policy
    FOR EACH ROW WHEN (OLD.policy IS DISTINCT FROM NEW.policy)
    EXECUTE FUNCTION site_policy_changed();
