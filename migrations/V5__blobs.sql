-- Bytes that are stored once. SHA-256 says which bytes they are; MD5 is what clients call them and what the file is
-- named after, and two different files can share one.
CREATE TABLE blob (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sha256     bytea       NOT NULL UNIQUE CHECK (octet_length(sha256) = 32),
    md5        bytea       NOT NULL CHECK (octet_length(md5) = 16),
    key        text        NOT NULL UNIQUE, -- ab/cdef….ext, relative to the store
    size_bytes bigint      NOT NULL CHECK (size_bytes > 0),
    media_type text        NOT NULL,
    width      integer     CHECK (width > 0), -- null where the header does not tell
    height     integer     CHECK (height > 0),
    links      bigint      NOT NULL DEFAULT 0 CHECK (links >= 0), -- live images over it
    created_at timestamptz NOT NULL,
    doomed_at  timestamptz, -- since when nothing links to it; the janitor frees the bytes after the grace
    -- INVARIANT: what nothing links to is doomed, and only that.
    CHECK ((links = 0) = (doomed_at IS NOT NULL))
);

CREATE INDEX blob_md5 ON blob (md5);
CREATE INDEX blob_doomed ON blob (doomed_at) WHERE doomed_at IS NOT NULL;

GRANT SELECT, INSERT, UPDATE ON blob TO berth_upload;
GRANT SELECT ON blob TO berth_serve;
GRANT SELECT, INSERT, UPDATE, DELETE ON blob TO berth_janitor;
