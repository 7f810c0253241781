-- Who is signed in. A session's JWT is good only while its row is here: signing out, a new password and disabling the account take
-- the row away. The row alone opens nothing, for the JWT is signed.
CREATE TABLE session (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id     bigint      NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    jti            bytea       NOT NULL UNIQUE CHECK (octet_length(jti) = 16),
    created_at     timestamptz NOT NULL,
    expires_at     timestamptz NOT NULL,
    client_address inet
);

CREATE INDEX session_account ON session (account_id);
CREATE INDEX session_expires ON session (expires_at);

GRANT SELECT, INSERT, DELETE ON session TO berth_upload;
GRANT SELECT (id, expires_at), DELETE ON session TO berth_janitor;
