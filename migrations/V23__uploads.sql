-- Uploads that come in pieces and may be resumed (tus). Their bytes are files in the folder of the blobs, named after the id; what is
-- here says how many of them are known to survive a power cut.
CREATE TABLE upload (
    id           text        PRIMARY KEY CHECK (char_length(id) = 12),
    account_id   bigint      NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    shape        text        NOT NULL CHECK (shape IN ('whole', 'part', 'joined')), -- tus: none, partial, final
    length_bytes bigint      NOT NULL CHECK (length_bytes >= 0),
    offset_bytes bigint      NOT NULL CHECK (offset_bytes BETWEEN 0 AND length_bytes),
    metadata     text        NOT NULL DEFAULT '', -- as the client wrote it
    parts        text[]      NOT NULL DEFAULT '{}', -- what a joined one was joined of
    image_id     text, -- the public id of the image that came of it; no foreign key: images come and go
    holder       bytea       CHECK (octet_length(holder) = 16), -- who writes to it
    held_until   timestamptz, -- a holder that has died is believed alive no longer than that
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    -- INVARIANT: the last byte counts once there is an image, so that a client that finds all its bytes here need ask no further.
    CHECK (shape = 'part' OR offset_bytes < length_bytes OR image_id IS NOT NULL)
);

CREATE INDEX upload_account ON upload (account_id);
CREATE INDEX upload_expires ON upload (expires_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON upload TO berth_upload;
GRANT SELECT (id, expires_at, held_until), DELETE ON upload TO berth_janitor;
