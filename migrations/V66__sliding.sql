-- Images that live as long as they are viewed: a policy may say so (`expiry.sliding`).

-- Whether nobody said when it ends, so that the policies do. Where somebody did, views change nothing, but for an image whose own
-- policy says so.
ALTER TABLE image ADD COLUMN ends_by_policy boolean NOT NULL DEFAULT false;

-- A duration as policies have it: `30d`, `12h`; null where it is none. Zero is "no limit", or "not at all".
CREATE FUNCTION lifetime(said text) RETURNS interval LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE WHEN $1 ~ '^\s*\d{1,9}[smhdw]?\s*$' THEN make_interval(secs =>
        substring($1 FROM '\d+')::double precision
        * CASE substring($1 FROM '[smhdw]') WHEN 'm' THEN 60 WHEN 'h' THEN 3600 WHEN 'd' THEN 86400 WHEN 'w' THEN 604800 ELSE 1 END)
    END
$$;

-- For how long a view keeps an image alive; null where views don't. The nearest level that says something holds, and no view lets an
-- image live longer than it may.
CREATE FUNCTION sliding(image image) RETURNS interval LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN said.sliding IS NOT NULL THEN nullif(least(said.sliding, nullif(said.longest, '0')), '0') END FROM (
        SELECT coalesce(lifetime(($1).policy #>> '{expiry,sliding}'),
                        CASE WHEN ($1).ends_by_policy THEN coalesce(
                            lifetime(album.policy #>> '{expiry,sliding}'), lifetime(site_policy.policy #>> '{expiry,sliding}')) END) AS sliding,
               coalesce(lifetime(album.policy #>> '{expiry,longest}'), lifetime(site_policy.policy #>> '{expiry,longest}')) AS longest
        FROM site_policy, album WHERE album.id = ($1).album_id
    ) AS said
$$;

-- When it ends, by all the views that were folded; null for never.
CREATE FUNCTION ends_at(image image) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN ($1).expires_at IS NOT NULL THEN greatest(($1).expires_at,
        (SELECT last_viewed_at FROM view_count WHERE image_id = ($1).id) + sliding($1)) END
$$;

-- The janitor writes the end down where everybody reads it, a little before it comes, so that it is written once for many views. It
-- can't set any other: this runs with the owner's rights.
CREATE FUNCTION slide_expiries(now timestamptz, most bigint) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH due AS (
        SELECT image.id, ends_at(image) AS slid FROM image
        WHERE image.ended_at IS NULL AND image.expires_at <= $1 + interval '1 hour' AND ends_at(image) > image.expires_at
        ORDER BY image.expires_at LIMIT $2 FOR UPDATE SKIP LOCKED
    ), slid AS (
        UPDATE image SET expires_at = due.slid FROM due WHERE image.id = due.id RETURNING image.id
    )
    SELECT count(*) FROM slid
$$;

REVOKE ALL ON FUNCTION slide_expiries(timestamptz, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION slide_expiries(timestamptz, bigint) TO berth_janitor;
GRANT SELECT (policy) ON album TO berth_janitor;
GRANT SELECT (policy) ON site_policy TO berth_janitor;
