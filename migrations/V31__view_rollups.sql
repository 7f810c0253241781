-- What the answers about usage are read from, kept by each fold, so that no answer ever sums up images. No foreign keys:
-- what was seen stays seen, and a fold need not wait for an image that is being forgotten. The janitor forgets old days.

-- An account's views by day.
CREATE TABLE account_day (
    account_id bigint NOT NULL,
    day        date   NOT NULL,
    views      bigint NOT NULL CHECK (views >= 0),
    bytes      bigint NOT NULL CHECK (bytes >= 0),
    bots       bigint NOT NULL CHECK (bots >= 0),
    bot_bytes  bigint NOT NULL CHECK (bot_bytes >= 0),
    refusals   bigint NOT NULL CHECK (refusals >= 0),
    PRIMARY KEY (account_id, day)
) WITH (fillfactor = 50);

-- Its most viewed images of a day, with at least what they had when a fold last had them among its hundred best. The janitor
-- keeps a hundred.
CREATE TABLE account_top_image (
    account_id bigint NOT NULL,
    day        date   NOT NULL,
    image_id   bigint NOT NULL,
    views      bigint NOT NULL CHECK (views >= 0),
    PRIMARY KEY (account_id, day, image_id)
) WITH (fillfactor = 70);

-- The sites that showed its images, by day. A site is a host; '' is who said none, '*' all those that there was no room for.
CREATE TABLE account_site_day (
    account_id bigint NOT NULL,
    day        date   NOT NULL,
    site       text   NOT NULL CHECK (char_length(site) <= 253),
    views      bigint NOT NULL CHECK (views >= 0),
    bytes      bigint NOT NULL CHECK (bytes >= 0),
    refusals   bigint NOT NULL CHECK (refusals >= 0),
    PRIMARY KEY (account_id, day, site)
) WITH (fillfactor = 70);

-- The same for one image.
CREATE TABLE image_site_day (
    image_id bigint NOT NULL,
    day      date   NOT NULL,
    site     text   NOT NULL CHECK (char_length(site) <= 253),
    views    bigint NOT NULL CHECK (views >= 0),
    bytes    bigint NOT NULL CHECK (bytes >= 0),
    refusals bigint NOT NULL CHECK (refusals >= 0),
    PRIMARY KEY (image_id, day, site)
) WITH (fillfactor = 70);

-- For the janitor, who goes by the day, and makes room where there was none.
CREATE INDEX account_top_image_day ON account_top_image (day, account_id);
CREATE INDEX account_site_day_day ON account_site_day (day);
CREATE INDEX account_site_day_others ON account_site_day (day, account_id) WHERE site = '*';
CREATE INDEX image_site_day_day ON image_site_day USING brin (day) WITH (pages_per_range = 32);
CREATE INDEX image_site_day_others ON image_site_day (day, image_id) WHERE site = '*';

GRANT SELECT ON account_day, account_top_image, account_site_day, image_site_day TO berth_upload;
GRANT SELECT, INSERT, UPDATE ON account_day, account_top_image, account_site_day, image_site_day TO berth_serve;
GRANT SELECT, UPDATE, DELETE ON account_site_day, image_site_day TO berth_janitor;
GRANT SELECT, DELETE ON account_top_image TO berth_janitor;
