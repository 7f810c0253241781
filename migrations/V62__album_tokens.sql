-- A token that is bound to an album is good for nothing else. It goes with its album: it used to lose its bound with it, and with
-- that became good for the whole account. Its children are bound to the same album.
ALTER TABLE token DROP CONSTRAINT token_album_id_fkey;
ALTER TABLE token ADD CONSTRAINT token_album_id_fkey FOREIGN KEY (album_id) REFERENCES album (id) ON DELETE CASCADE NOT VALID;
ALTER TABLE token VALIDATE CONSTRAINT token_album_id_fkey;

CREATE INDEX token_album ON token (album_id) WHERE album_id IS NOT NULL;

-- The album that the token is bound to with which an upload was begun: another album's token has nothing to do with it. No foreign
-- key: the row goes when its bytes do.
ALTER TABLE upload ADD COLUMN album_id bigint;
