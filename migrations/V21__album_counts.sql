-- How many live images an album holds, kept as they come and go, so that nobody counts by scanning.
ALTER TABLE album ADD COLUMN images bigint NOT NULL DEFAULT 0 CHECK (images >= 0);
UPDATE album SET images = counted.images
FROM (SELECT album_id, count(*) AS images FROM image WHERE ended_at IS NULL GROUP BY album_id) AS counted
WHERE counted.album_id = album.id;

-- Rows are locked in the order of their id, so that two statements that touch several albums can't wait for each other.
CREATE FUNCTION album_counted(ids bigint[], changes bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM album WHERE id = ANY (ids) ORDER BY id FOR NO KEY UPDATE;
    UPDATE album SET images = album.images + changed.change FROM unnest(ids, changes) AS changed (id, change) WHERE album.id = changed.id;
END
$$;

CREATE FUNCTION album_gained() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM album_counted(array_agg(album_id), array_agg(change))
    FROM (SELECT album_id, count(*) AS change FROM arrived WHERE ended_at IS NULL GROUP BY album_id) AS changes HAVING count(*) > 0;
    RETURN NULL;
END
$$;

CREATE FUNCTION album_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM album_counted(array_agg(album_id), array_agg(change)) FROM (
        SELECT album_id, sum(change)::bigint AS change FROM (
            SELECT album_id, 1 AS change FROM arrived WHERE ended_at IS NULL
            UNION ALL
            SELECT album_id, -1 FROM gone WHERE ended_at IS NULL
        ) AS each GROUP BY album_id HAVING sum(change) <> 0
    ) AS changes HAVING count(*) > 0;
    RETURN NULL;
END
$$;

CREATE FUNCTION album_lost() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM album_counted(array_agg(album_id), array_agg(change))
    FROM (SELECT album_id, -count(*) AS change FROM gone WHERE ended_at IS NULL GROUP BY album_id) AS changes HAVING count(*) > 0;
    RETURN NULL;
END
$$;

CREATE TRIGGER album_gained AFTER INSERT ON image REFERENCING NEW TABLE AS arrived FOR EACH STATEMENT EXECUTE FUNCTION album_gained();
CREATE TRIGGER album_changed AFTER UPDATE ON image REFERENCING OLD TABLE AS gone NEW TABLE AS arrived
    FOR EACH STATEMENT EXECUTE FUNCTION album_changed();
CREATE TRIGGER album_lost AFTER DELETE ON image REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION album_lost();

GRANT SELECT (id, images), UPDATE (images) ON album TO berth_janitor;
