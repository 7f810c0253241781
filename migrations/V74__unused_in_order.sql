-- A list of what nobody has looked at for long is a walk in every order, too: images that were last seen in one period lie together here, in each order of lists.
-- A period is a day; the janitor makes months of those that are further back than the month before this one, so that there are never many.
-- What stood here before is told by `image` and `view_count`. Uploads and folds wait some ten seconds at a million images.
LOCK TABLE image, view_count IN SHARE ROW EXCLUSIVE MODE; -- nothing may come or be seen between the copy and the triggers
DROP TABLE image_seen;

CREATE TABLE image_seen (
    image_id    bigint PRIMARY KEY REFERENCES image (id) ON DELETE CASCADE,
    account_id  bigint      NOT NULL,
    seen_on     date        NOT NULL, -- in UTC; '-infinity': never
    seen_period date        NOT NULL, -- its first day
    -- What lists are sorted by, as in `image`.
    created_at  timestamptz NOT NULL,
    taken_at    timestamptz NOT NULL, -- '-infinity': not known
    size_bytes  bigint      NOT NULL,
    name        text COLLATE "C" NOT NULL, -- in lower case
    CHECK (seen_period <= seen_on)
) WITH (fillfactor = 80);

INSERT INTO image_seen
SELECT image.id, image.account_id, seen.day, seen.day, image.created_at, coalesce(image.taken_at, '-infinity'), image.size_bytes, lower(image.name COLLATE "C")
FROM image LEFT JOIN view_count ON view_count.image_id = image.id
     CROSS JOIN LATERAL (SELECT coalesce((view_count.last_viewed_at AT TIME ZONE 'UTC')::date, '-infinity') AS day) AS seen;

CREATE INDEX image_seen_by_upload ON image_seen (account_id, seen_period, created_at, image_id);
CREATE INDEX image_seen_by_taken ON image_seen (account_id, seen_period, taken_at, image_id);
CREATE INDEX image_seen_by_size ON image_seen (account_id, seen_period, size_bytes, image_id);
CREATE INDEX image_seen_by_name ON image_seen (account_id, seen_period, name, image_id);

CREATE OR REPLACE FUNCTION image_unseen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO image_seen
    SELECT id, account_id, '-infinity', '-infinity', created_at, coalesce(taken_at, '-infinity'), size_bytes, lower(name COLLATE "C") FROM arrived;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION images_first_seen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE image_seen SET seen_on = seen.day, seen_period = seen.day
    FROM (SELECT image_id, (last_viewed_at AT TIME ZONE 'UTC')::date AS day FROM arrived WHERE last_viewed_at IS NOT NULL) AS seen
    WHERE image_seen.image_id = seen.image_id;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION image_seen_again() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    day date := (NEW.last_viewed_at AT TIME ZONE 'UTC')::date;
BEGIN
    UPDATE image_seen SET seen_on = day, seen_period = day WHERE image_id = NEW.image_id;
    RETURN NULL;
END
$$;

CREATE FUNCTION image_sorted_anew() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE image_seen
    SET account_id = NEW.account_id, created_at = NEW.created_at, taken_at = coalesce(NEW.taken_at, '-infinity'), size_bytes = NEW.size_bytes,
        name = lower(NEW.name COLLATE "C")
    WHERE image_id = NEW.id;
    RETURN NULL;
END
$$;

CREATE TRIGGER image_sorted_anew AFTER UPDATE ON image
    FOR EACH ROW WHEN ((OLD.account_id, OLD.created_at, OLD.taken_at, OLD.size_bytes, OLD.name)
                       IS DISTINCT FROM (NEW.account_id, NEW.created_at, NEW.taken_at, NEW.size_bytes, NEW.name))
    EXECUTE FUNCTION image_sorted_anew();

GRANT SELECT, INSERT, UPDATE (account_id, created_at, taken_at, size_bytes, name) ON image_seen TO berth_upload;
GRANT SELECT, UPDATE (seen_on, seen_period) ON image_seen TO berth_serve;
GRANT SELECT, UPDATE (seen_period) ON image_seen TO berth_janitor;
