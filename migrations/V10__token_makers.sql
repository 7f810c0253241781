-- A token may make narrower ones. Revoking it revokes them, too: else whoever stole it would keep one of its children.
ALTER TABLE token ADD COLUMN made_by bigint REFERENCES token (id) ON DELETE SET NULL;

CREATE INDEX token_made_by ON token (made_by) WHERE made_by IS NOT NULL;
