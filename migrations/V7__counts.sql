-- How often images were seen: in all, and by day (UTC). Apart from image, so that a busy day rewrites small rows only.
CREATE TABLE view_count (
    image_id       bigint PRIMARY KEY REFERENCES image (id) ON DELETE CASCADE,
    views          bigint      NOT NULL CHECK (views >= 0),
    bytes          bigint      NOT NULL CHECK (bytes >= 0),
    last_viewed_at timestamptz NOT NULL
) WITH (fillfactor = 70);

CREATE TABLE view_count_day (
    image_id bigint NOT NULL REFERENCES image (id) ON DELETE CASCADE,
    day      date   NOT NULL,
    views    bigint NOT NULL CHECK (views >= 0),
    bytes    bigint NOT NULL CHECK (bytes >= 0),
    PRIMARY KEY (image_id, day)
) WITH (fillfactor = 70);

GRANT SELECT ON view_count, view_count_day TO berth_upload;
GRANT SELECT, INSERT, UPDATE ON view_count, view_count_day TO berth_serve;
GRANT SELECT ON view_count, view_count_day TO berth_janitor;
