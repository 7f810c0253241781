-- The record is read newest first, one page at a time, by kind, by account or by address.
CREATE INDEX event_kind ON event (kind, id);
CREATE INDEX event_account ON event (account_id, id) WHERE account_id IS NOT NULL;
CREATE INDEX event_address ON event (client_address, id) WHERE client_address IS NOT NULL;
