-- Opaque credentials. Only the SHA-256 of a token is here, so a dump of this table opens nothing.
CREATE TABLE token (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id      bigint      NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    hash            bytea       NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
    hint            text        NOT NULL, -- how it begins, to tell it from others in a list
    name            text        NOT NULL DEFAULT '',
    scopes          text[]      NOT NULL CHECK (scopes <@ ARRAY['upload', 'read', 'manage', 'admin'] AND scopes <> '{}'),
    album_id        bigint      REFERENCES album (id) ON DELETE SET NULL,
    rate_per_minute integer     CHECK (rate_per_minute > 0),
    created_at      timestamptz NOT NULL,
    expires_at      timestamptz,
    last_used_at    timestamptz,
    revoked_at      timestamptz
);

CREATE INDEX token_account ON token (account_id, id);

GRANT SELECT, INSERT, UPDATE, DELETE ON token TO berth_upload;
