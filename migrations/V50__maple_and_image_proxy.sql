-- How often an image's bytes were sent again: image-proxy's clients count that as an access.
ALTER TABLE image ADD COLUMN sent_again bigint NOT NULL DEFAULT 0 CHECK (sent_again >= 0);

-- maple's pictures are seen under their owner's name.
GRANT SELECT (id, username, deleted_at) ON account TO berth_serve;
