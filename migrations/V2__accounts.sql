-- Who owns images. A name is unique whatever its case.
CREATE TABLE account (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    username      text        NOT NULL CHECK (char_length(username) BETWEEN 1 AND 64),
    role          text        NOT NULL CHECK (role IN ('admin', 'member')),
    password_hash text        NOT NULL, -- argon2id in PHC form
    quota_bytes   bigint      CHECK (quota_bytes >= 0), -- null: no limit
    quota_files   bigint      CHECK (quota_files >= 0),
    used_bytes    bigint      NOT NULL DEFAULT 0 CHECK (used_bytes >= 0), -- counter rows, so that nobody counts by scanning
    used_files    bigint      NOT NULL DEFAULT 0 CHECK (used_files >= 0),
    created_at    timestamptz NOT NULL,
    disabled_at   timestamptz
);

CREATE UNIQUE INDEX account_username ON account (lower(username));

GRANT SELECT, INSERT, UPDATE, DELETE ON account TO berth_upload;
GRANT SELECT (id, used_bytes, used_files), UPDATE (used_bytes, used_files) ON account TO berth_janitor;
