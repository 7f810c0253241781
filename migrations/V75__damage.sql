-- Blobs whose bytes the janitor found lost or changed when it read them again. Nothing of them is shown and no upload is spared because of
-- them; the upload of the right bytes takes the row away, and so does whoever puts the file back. A table of its own, and an empty one as a
-- rule, so that a blob's row is as wide as before.
CREATE TABLE damage (
    blob_id  bigint PRIMARY KEY REFERENCES blob (id) ON DELETE CASCADE,
    what     text        NOT NULL CHECK (what IN ('lost', 'length', 'bytes', 'unreadable')),
    found_at timestamptz NOT NULL
);

-- How far the janitor is with reading every blob again, in the order of their rows; one row. The next janitor goes on from here.
CREATE TABLE scrub (
    one       boolean PRIMARY KEY DEFAULT true CHECK (one),
    after     bigint NOT NULL DEFAULT 0, -- the last blob that was read
    began_at  timestamptz, -- when this round began; null before the first
    ended_at  timestamptz, -- when a round last came to its end
    blobs     bigint NOT NULL DEFAULT 0, -- read in this round
    bytes     bigint NOT NULL DEFAULT 0
);
INSERT INTO scrub DEFAULT VALUES;

-- Every serve-svc hears of it, and caches in front are told: they may hold what was damaged already when it was shown last.
CREATE FUNCTION damage_told() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    shown image;
BEGIN
    FOR shown IN SELECT * FROM image WHERE blob_id = coalesce(NEW.blob_id, OLD.blob_id) AND ended_at IS NULL LOOP
        PERFORM pg_notify('berth_image', shown.public_id);
        IF TG_OP = 'INSERT' AND shown.visibility <> 'private' AND (SELECT is_on FROM purge_hook) THEN
            PERFORM queue_purge(shown, NULL);
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;

CREATE TRIGGER damage_told AFTER INSERT OR DELETE ON damage
    FOR EACH ROW EXECUTE FUNCTION damage_told();

REVOKE ALL ON FUNCTION damage_told() FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE (what, found_at), DELETE ON damage TO berth_janitor;
GRANT SELECT, UPDATE ON scrub TO berth_janitor;
-- upload-svc heals: it never says that something is damaged.
GRANT SELECT, DELETE ON damage TO berth_upload;
GRANT SELECT ON damage TO berth_serve;
