-- What a search asks the index of terms for. A pair of characters says all that its characters say; asking for these, too, was a look-up more for each
-- image that is found, among terms that nearly every image has.
CREATE FUNCTION wanted_terms(words text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 2000 AS $$
    SELECT coalesce(array_agg(term), '{}') FROM unnest(public.search_terms(words)) AS term
    WHERE char_length(term) = least(char_length(lower(words)), 2)
$$;
