-- What happened, for the operator: uploads with the client's address, refusals, deletions. Rows only ever arrive in time order.
CREATE TABLE event (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at             timestamptz NOT NULL,
    kind           text        NOT NULL,
    account_id     bigint, -- no foreign key: the record outlives the account
    client_address inet,
    subject        text        NOT NULL DEFAULT '', -- the public id, user name, … that it is about
    detail         jsonb       NOT NULL DEFAULT '{}'
);

CREATE INDEX event_at ON event USING brin (at);

GRANT SELECT, INSERT ON event TO berth_upload;
GRANT SELECT, INSERT, DELETE ON event TO berth_janitor;
