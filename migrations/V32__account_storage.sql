-- What an account's live images take, by format, kept as they come and go, so that nobody sums them up.
CREATE TABLE account_storage (
    account_id bigint NOT NULL,
    media_type text   NOT NULL,
    kind       text   NOT NULL,
    images     bigint NOT NULL,
    bytes      bigint NOT NULL,
    PRIMARY KEY (account_id, media_type, kind)
) WITH (fillfactor = 50);

LOCK TABLE image IN SHARE ROW EXCLUSIVE MODE; -- nothing may come or go between the sum and the triggers
INSERT INTO account_storage
SELECT image.account_id, blob.media_type, image.kind, count(*), sum(blob.size_bytes)::bigint
FROM image JOIN blob ON blob.id = image.blob_id WHERE image.ended_at IS NULL
GROUP BY 1, 2, 3;

-- Rows are written in the order of their key, so that two statements that touch several can't wait for each other.
CREATE FUNCTION storage_gained() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO account_storage AS held (account_id, media_type, kind, images, bytes)
    SELECT account_id, blob.media_type, kind, count(*), sum(blob.size_bytes)::bigint
    FROM arrived JOIN blob ON blob.id = blob_id WHERE ended_at IS NULL
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (account_id, media_type, kind) DO UPDATE SET images = held.images + excluded.images, bytes = held.bytes + excluded.bytes;
    RETURN NULL;
END
$$;

CREATE FUNCTION storage_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO account_storage AS held (account_id, media_type, kind, images, bytes)
    SELECT account_id, media_type, kind, sum(images)::bigint, sum(bytes)::bigint FROM (
        SELECT account_id, blob.media_type, kind, 1 AS images, blob.size_bytes AS bytes
        FROM arrived JOIN blob ON blob.id = blob_id WHERE ended_at IS NULL
        UNION ALL
        SELECT account_id, blob.media_type, kind, -1, -blob.size_bytes
        FROM gone JOIN blob ON blob.id = blob_id WHERE ended_at IS NULL
    ) AS each
    GROUP BY 1, 2, 3 HAVING sum(images) <> 0 OR sum(bytes) <> 0 ORDER BY 1, 2, 3
    ON CONFLICT (account_id, media_type, kind) DO UPDATE SET images = held.images + excluded.images, bytes = held.bytes + excluded.bytes;
    RETURN NULL;
END
$$;

-- After those of the albums, by their names: account → album → storage is the order of locks.
CREATE TRIGGER storage_gained AFTER INSERT ON image REFERENCING NEW TABLE AS arrived FOR EACH STATEMENT EXECUTE FUNCTION storage_gained();
CREATE TRIGGER storage_changed AFTER UPDATE ON image REFERENCING OLD TABLE AS gone NEW TABLE AS arrived
    FOR EACH STATEMENT EXECUTE FUNCTION storage_changed();

GRANT SELECT, INSERT, UPDATE ON account_storage TO berth_upload;
GRANT SELECT, INSERT, UPDATE ON account_storage TO berth_janitor;
