-- What an index or a figure is computed by must find what it calls in any search path: Postgres 17 and later compute both in a safe one, so ANALYZE of images
-- failed there (lists of rare words were planned without figures), and so did REINDEX; pg_restore empties the path with every version.
CREATE OR REPLACE FUNCTION image_terms(account_id bigint, kind text, visibility text, name text, description text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 2000 AS $$
BEGIN
    RETURN ARRAY['account=' || account_id::text, 'kind=' || kind, 'visibility=' || visibility] || public.search_terms(name || E'\n' || description);
END
$$;
