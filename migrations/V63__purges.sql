-- URLs that shared caches in front of us are to forget. Whatever changes what an image's URLs answer writes down here what they
-- were, by triggers and so in its own transaction: no way to change an image can miss it. The janitor tells the caches
-- (BERTH_PURGE_URL).

-- Whether there is anybody to be told. One row; while it is off, nothing is written down. The janitor sets it when it starts.
CREATE TABLE purge_hook (
    one   boolean PRIMARY KEY DEFAULT true CHECK (one),
    is_on boolean NOT NULL
);
INSERT INTO purge_hook (is_on) VALUES (false);

-- One image whose URLs are to be forgotten, as they were before the change.
CREATE TABLE purge (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    public_id  text        NOT NULL,
    key        text        NOT NULL, -- of its bytes then
    variants   jsonb       NOT NULL, -- that were there: [[300, "webp"], …]
    username   text        NOT NULL, -- its owner's, which is part of maple's URLs, as is the name
    name       text        NOT NULL,
    created_at timestamptz NOT NULL, -- of the image
    queued_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    due_at     timestamptz NOT NULL DEFAULT '-infinity', -- when to try (again); until then somebody tries, or waits
    tries      smallint    NOT NULL DEFAULT 0,
    urls       text[] -- what is left after a try; null before the first
);

CREATE INDEX purge_due ON purge (due_at, id);

-- Many images at once: an album's, an account's, or, where both are null, the site's. The janitor makes rows of `purge` of it, piece
-- by piece.
CREATE TABLE purge_many (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    album_id   bigint,
    account_id bigint,
    username   text, -- the account's then
    after      bigint NOT NULL DEFAULT 0 -- the last image that a row was made of
);

-- The owner's rights, in all of these: no service may read another account's name.
CREATE FUNCTION queue_purge(gone image, known_as text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    INSERT INTO purge (public_id, key, variants, username, name, created_at)
    SELECT ($1).public_id, blob.key,
           (SELECT coalesce(jsonb_agg(jsonb_build_array(named_width, format) ORDER BY named_width, format), '[]')
            FROM variant WHERE variant.blob_id = blob.id AND variant.sha256 IS NOT NULL),
           coalesce($2, account.username), ($1).name, ($1).created_at
    FROM blob, account WHERE blob.id = ($1).blob_id AND account.id = ($1).account_id
$$;

CREATE FUNCTION image_purged() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF (SELECT is_on FROM purge_hook) THEN
        PERFORM queue_purge(OLD, NULL);
    END IF;
    RETURN NULL;
END
$$;

-- Nothing of a private image is ever in a shared cache. What only changes when an image ends needs no purge before it does.
CREATE TRIGGER image_purged AFTER UPDATE OF blob_id, visibility, policy, ended_at, name, album_id ON image
    FOR EACH ROW
    WHEN (OLD.ended_at IS NULL AND OLD.visibility <> 'private'
          AND (OLD.blob_id, OLD.visibility, OLD.policy, OLD.ended_at, OLD.name, OLD.album_id)
              IS DISTINCT FROM (NEW.blob_id, NEW.visibility, NEW.policy, NEW.ended_at, NEW.name, NEW.album_id))
    EXECUTE FUNCTION image_purged();

CREATE FUNCTION many_purged() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF (SELECT is_on FROM purge_hook) THEN
        CASE TG_TABLE_NAME
            WHEN 'album' THEN INSERT INTO purge_many (album_id) VALUES (OLD.id);
            WHEN 'account' THEN INSERT INTO purge_many (account_id, username) VALUES (OLD.id, OLD.username);
            ELSE INSERT INTO purge_many DEFAULT VALUES;
        END CASE;
    END IF;
    RETURN NULL;
END
$$;

-- Who may embed decides what is public to caches; how long uploads live does not.
CREATE TRIGGER album_purged AFTER UPDATE OF policy ON album
    FOR EACH ROW WHEN (OLD.policy -> 'hotlink' IS DISTINCT FROM NEW.policy -> 'hotlink')
    EXECUTE FUNCTION many_purged();
CREATE TRIGGER site_purged AFTER UPDATE OF policy ON site_policy
    FOR EACH ROW WHEN (OLD.policy -> 'hotlink' IS DISTINCT FROM NEW.policy -> 'hotlink')
    EXECUTE FUNCTION many_purged();
CREATE TRIGGER account_purged AFTER UPDATE OF username ON account
    FOR EACH ROW WHEN (OLD.username <> NEW.username)
    EXECUTE FUNCTION many_purged();

REVOKE ALL ON FUNCTION queue_purge(image, text), image_purged(), many_purged() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION queue_purge(image, text) TO berth_janitor;
GRANT SELECT, UPDATE (is_on) ON purge_hook TO berth_janitor;
GRANT SELECT, UPDATE (due_at, tries, urls), DELETE ON purge TO berth_janitor;
GRANT SELECT, UPDATE (after), DELETE ON purge_many TO berth_janitor;
