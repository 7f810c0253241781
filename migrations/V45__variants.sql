-- Bytes derived from a blob: the picture in a named width and a format. A row is a wish from the moment that somebody asks for the
-- variant, and stands before its file does: so whoever sweeps the blob knows of every file that may be there.
CREATE TABLE variant (
    blob_id      bigint   NOT NULL REFERENCES blob (id) ON DELETE CASCADE,
    named_width  integer  NOT NULL CHECK (named_width BETWEEN 16 AND 4096),
    format       text     NOT NULL CHECK (format IN ('webp', 'jpeg')),
    due_at       timestamptz, -- when to derive it, or to try again; null: there is nothing to do
    tries        smallint NOT NULL DEFAULT 0, -- since it was last wished for
    none_because text, -- why there is none and will be none; null unless it was given up
    width        integer  CHECK (width > 0), -- of the variant itself, like the next three; null until it is there
    height       integer  CHECK (height > 0),
    size_bytes   bigint   CHECK (size_bytes > 0),
    sha256       bytea    CHECK (octet_length(sha256) = 32),
    PRIMARY KEY (blob_id, named_width, format),
    CHECK (num_nulls(width, height, size_bytes, sha256) IN (0, 4)),
    -- INVARIANT: a variant is there, or is to be made, or was given up.
    CHECK (sha256 IS NOT NULL OR due_at IS NOT NULL OR none_because IS NOT NULL)
);

CREATE INDEX variant_due ON variant (due_at) WHERE due_at IS NOT NULL;

-- What stands in for the picture until it has arrived: found while the first variant is derived.
ALTER TABLE blob ADD COLUMN thumbhash bytea, ADD COLUMN dominant_color bytea CHECK (octet_length(dominant_color) = 3);

-- A new picture's thumbnail is wished for in the transaction that publishes it, so that no crash can lose the wish. Nobody is
-- notified: commits that notify wait for each other, and uploads must not. upload-svc knows what it has published.
CREATE FUNCTION blob_wants_thumbnail() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO variant (blob_id, named_width, format, due_at) VALUES (NEW.id, 300, 'webp', NEW.created_at);
    RETURN NULL;
END
$$;

CREATE TRIGGER blob_wants_thumbnail AFTER INSERT ON blob
    FOR EACH ROW
    WHEN (NEW.media_type IN ('image/jpeg', 'image/png', 'image/gif', 'image/webp', 'image/bmp', 'image/tiff'))
    EXECUTE FUNCTION blob_wants_thumbnail();

GRANT SELECT, INSERT, UPDATE ON variant TO berth_upload;
-- serve-svc wishes for what it is asked for, and for what it finds lost; it says nothing about what a variant is.
GRANT SELECT, INSERT (blob_id, named_width, format, due_at), UPDATE (due_at) ON variant TO berth_serve;
-- The janitor wishes for thumbnails that are missing.
GRANT SELECT, INSERT (blob_id, named_width, format, due_at), UPDATE (due_at, tries, none_because) ON variant TO berth_janitor;
