-- Every page of an owner's list is a walk along one of these indexes from where the last page ended, or a look-up of few rows.

-- The size stands with the image, so that an index can sort by it. The trigger keeps it the blob's.
ALTER TABLE image ADD COLUMN size_bytes bigint;
UPDATE image SET size_bytes = blob.size_bytes FROM blob WHERE blob.id = image.blob_id;

CREATE FUNCTION image_sized() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.size_bytes := (SELECT size_bytes FROM blob WHERE id = NEW.blob_id);
    RETURN NEW;
END
$$;

CREATE TRIGGER image_sized BEFORE INSERT OR UPDATE OF blob_id ON image FOR EACH ROW EXECUTE FUNCTION image_sized();

CREATE INDEX image_by_upload ON image (account_id, created_at, id) WHERE ended_at IS NULL;
CREATE INDEX image_by_taken ON image (account_id, (coalesce(taken_at, '-infinity'::timestamptz)), id) WHERE ended_at IS NULL;
-- In the order of code points, ASCII in any case: an index on a language's order breaks when the system's tables change.
CREATE INDEX image_by_name ON image (account_id, (lower(name COLLATE "C")), id) WHERE ended_at IS NULL;
CREATE INDEX image_by_size ON image (account_id, size_bytes, id) WHERE ended_at IS NULL;
CREATE INDEX image_by_expiry ON image (account_id, expires_at) WHERE ended_at IS NULL AND expires_at IS NOT NULL;
CREATE INDEX image_by_end ON image (account_id, ended_at) WHERE ended_at IS NOT NULL;
-- Of ended images too: emptying an album moves them, and its foreign key looks for them.
CREATE INDEX image_by_album ON image (album_id, created_at, id);
DROP INDEX image_newest;
DROP INDEX image_album;

-- What a text is found by: every character and every pair of neighbours, in lower case. Pairs and not pg_trgm's threes,
-- because a Chinese word is often two characters long, and because pg_trgm sees no Chinese at all where the locale is C.
CREATE FUNCTION search_terms(words text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 2000 AS $$
    SELECT coalesce(array_agg(DISTINCT term), '{}') FROM (
        SELECT letter AS term FROM string_to_table(lower(words), NULL) AS letter
        UNION ALL
        SELECT letter || lead(letter) OVER (ORDER BY place)
        FROM string_to_table(lower(words), NULL) WITH ORDINALITY AS letters (letter, place)
    ) AS terms WHERE term IS NOT NULL
$$;

-- The terms of an image and the few-valued columns that lists filter by, so that one index finds every rare combination.
CREATE FUNCTION image_terms(account_id bigint, kind text, visibility text, name text, description text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 2000 AS $$
BEGIN
    RETURN ARRAY['account=' || account_id::text, 'kind=' || kind, 'visibility=' || visibility] || search_terms(name || E'\n' || description);
END
$$;

CREATE INDEX image_found ON image USING gin (image_terms(account_id, kind, visibility, name, description)) WHERE ended_at IS NULL;

-- How common each term and each day is. Postgres keeps such figures with an index on an expression, too, but does not use them
-- when the index is partial; without them it takes every word for a rare one.
CREATE STATISTICS image_term_figures ON (image_terms(account_id, kind, visibility, name, description)) FROM image;
CREATE STATISTICS image_taken_figures ON (coalesce(taken_at, '-infinity'::timestamptz)) FROM image;
