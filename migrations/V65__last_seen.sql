-- The day (UTC) on which each image was last seen, so that what nobody has looked at for long is found by an index, however rare it is. Apart from
-- view_count: a row of that one changes with every fold, a day changes once.
CREATE TABLE image_seen (
    image_id   bigint PRIMARY KEY REFERENCES image (id) ON DELETE CASCADE,
    account_id bigint NOT NULL,
    seen_on    date   NOT NULL -- '-infinity': never
) WITH (fillfactor = 90);

LOCK TABLE image, view_count IN SHARE ROW EXCLUSIVE MODE; -- nothing may come or be seen between the copy and the triggers
INSERT INTO image_seen
SELECT image.id, image.account_id, coalesce((view_count.last_viewed_at AT TIME ZONE 'UTC')::date, '-infinity')
FROM image LEFT JOIN view_count ON view_count.image_id = image.id;

CREATE INDEX image_seen_on ON image_seen (account_id, seen_on, image_id);

CREATE FUNCTION image_unseen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO image_seen SELECT id, account_id, '-infinity' FROM arrived;
    RETURN NULL;
END
$$;

CREATE TRIGGER image_unseen AFTER INSERT ON image REFERENCING NEW TABLE AS arrived
    FOR EACH STATEMENT EXECUTE FUNCTION image_unseen();

CREATE FUNCTION images_first_seen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE image_seen SET seen_on = (arrived.last_viewed_at AT TIME ZONE 'UTC')::date
    FROM arrived WHERE image_seen.image_id = arrived.image_id AND arrived.last_viewed_at IS NOT NULL;
    RETURN NULL;
END
$$;

CREATE TRIGGER images_first_seen AFTER INSERT ON view_count REFERENCING NEW TABLE AS arrived
    FOR EACH STATEMENT EXECUTE FUNCTION images_first_seen();

CREATE FUNCTION image_seen_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE image_seen SET seen_on = (NEW.last_viewed_at AT TIME ZONE 'UTC')::date WHERE image_id = NEW.image_id;
    RETURN NULL;
END
$$;

CREATE TRIGGER image_seen_again AFTER UPDATE OF last_viewed_at ON view_count
    FOR EACH ROW WHEN ((OLD.last_viewed_at AT TIME ZONE 'UTC')::date IS DISTINCT FROM (NEW.last_viewed_at AT TIME ZONE 'UTC')::date
                       AND NEW.last_viewed_at IS NOT NULL)
    EXECUTE FUNCTION image_seen_again();

GRANT SELECT, INSERT ON image_seen TO berth_upload;
GRANT SELECT, UPDATE (seen_on) ON image_seen TO berth_serve;
