-- Requests that carry an Idempotency-Key: what was answered, so that a client that lost the answer can ask again. The key itself
-- is not here, and the answer is sealed with it (an answer may show a new token), so a dump of this table opens nothing.
CREATE TABLE idempotency (
    account_id    bigint      NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    key_hash      bytea       NOT NULL CHECK (octet_length(key_hash) = 32),
    holder        bytea       NOT NULL CHECK (octet_length(holder) = 16), -- which try does the work
    claimed_until timestamptz NOT NULL, -- while it is under way: a holder that has died is believed alive no longer than that
    expires_at    timestamptz NOT NULL,
    fingerprint   bytea       CHECK (octet_length(fingerprint) = 32), -- of URL and body
    answer        bytea,
    PRIMARY KEY (account_id, key_hash),
    CHECK ((fingerprint IS NULL) = (answer IS NULL))
);

CREATE INDEX idempotency_expires ON idempotency (expires_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency TO berth_upload;
GRANT SELECT (account_id, key_hash, expires_at), DELETE ON idempotency TO berth_janitor;
