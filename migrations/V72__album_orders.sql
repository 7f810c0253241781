-- An album is a walk in every order, however few of its owner's images it has; `image_by_album` is by time of upload, and has the ended ones, too.
-- Uploads wait some seconds for each at a million images.
CREATE INDEX image_album_by_taken ON image (album_id, (coalesce(taken_at, '-infinity'::timestamptz)), id) WHERE ended_at IS NULL;
CREATE INDEX image_album_by_name ON image (album_id, (lower(name COLLATE "C")), id) WHERE ended_at IS NULL;
CREATE INDEX image_album_by_size ON image (album_id, size_bytes, id) WHERE ended_at IS NULL;
