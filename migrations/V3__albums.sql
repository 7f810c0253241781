-- An owner's named groups of images. Everyone has `default`, made with the account.
CREATE TABLE album (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id  bigint      NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    name        text        NOT NULL CHECK (char_length(name) BETWEEN 1 AND 255),
    description text        NOT NULL DEFAULT '',
    policy      jsonb, -- null: the site's
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    UNIQUE (account_id, name),
    UNIQUE (account_id, id) -- so that an image can't point at somebody else's album
);

GRANT SELECT, INSERT, UPDATE, DELETE ON album TO berth_upload;
GRANT SELECT (id, policy) ON album TO berth_serve;
