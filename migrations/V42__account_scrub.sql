-- What of an account's files' metadata is taken out when an upload does not say; null: what the settings say.
ALTER TABLE account ADD COLUMN scrub text CHECK (scrub IN ('keep', 'location', 'all'));
