-- A policy may name a duration that no calendar holds ("999999999w"), or one with many zeros in front. The first broke the pass that
-- lets views keep images alive, for everybody; the second was read as none. As domain reads them now, up to a hundred years.
CREATE OR REPLACE FUNCTION lifetime(said text) RETURNS interval LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE WHEN $1 ~ '^\s*\d{1,40}[smhdw]?\s*$' AND said.seconds < 18446744073709551616 THEN
        make_interval(secs => least(said.seconds, 3155760000)::double precision)
    END FROM (
        SELECT substring($1 FROM '\d{1,40}')::numeric
            * CASE substring($1 FROM '[smhdw]') WHEN 'm' THEN 60 WHEN 'h' THEN 3600 WHEN 'd' THEN 86400 WHEN 'w' THEN 604800 ELSE 1 END AS seconds
    ) AS said
$$;
