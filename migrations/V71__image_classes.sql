-- A list of one kind or one visibility is a walk, too, however rare that is: in these indexes every kind with a visibility is apart. Before, the
-- terms of `image_found` found them, all of them for each page.
-- Each takes some seconds at a million images, and uploads wait that long.
CREATE INDEX image_class_by_upload ON image (account_id, kind, visibility, created_at, id) WHERE ended_at IS NULL;
CREATE INDEX image_class_by_taken ON image (account_id, kind, visibility, (coalesce(taken_at, '-infinity'::timestamptz)), id) WHERE ended_at IS NULL;
CREATE INDEX image_class_by_name ON image (account_id, kind, visibility, (lower(name COLLATE "C")), id) WHERE ended_at IS NULL;
CREATE INDEX image_class_by_size ON image (account_id, kind, visibility, size_bytes, id) WHERE ended_at IS NULL;
