-- How far the journals of views have been folded. A fold writes the epoch of what it adds in the transaction that adds it, so that
-- a fold that is tried again, by whomever, adds nothing twice. Journals that are gone are forgotten.
CREATE TABLE view_journal (
    id        bytea PRIMARY KEY CHECK (octet_length(id) = 16),
    epoch     bigint      NOT NULL CHECK (epoch > 0),
    folded_at timestamptz NOT NULL
) WITH (fillfactor = 50);

GRANT SELECT, INSERT, UPDATE, DELETE ON view_journal TO berth_serve;
GRANT SELECT, DELETE ON view_journal TO berth_janitor;

-- Programs that say that they are ones, and requests that the hotlink rules refused, apart from views.
ALTER TABLE view_count
    ADD COLUMN bots      bigint NOT NULL DEFAULT 0 CHECK (bots >= 0),
    ADD COLUMN bot_bytes bigint NOT NULL DEFAULT 0 CHECK (bot_bytes >= 0),
    ADD COLUMN refusals  bigint NOT NULL DEFAULT 0 CHECK (refusals >= 0),
    ALTER COLUMN last_viewed_at DROP NOT NULL; -- null: only bots and refusals so far

ALTER TABLE view_count_day
    ADD COLUMN bots      bigint NOT NULL DEFAULT 0 CHECK (bots >= 0),
    ADD COLUMN bot_bytes bigint NOT NULL DEFAULT 0 CHECK (bot_bytes >= 0),
    ADD COLUMN refusals  bigint NOT NULL DEFAULT 0 CHECK (refusals >= 0);
