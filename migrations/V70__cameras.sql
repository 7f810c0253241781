-- With which camera a file says that it was taken, and how that was set: an object of what is known (crates/domain/src/camera.rs).
-- It stands with the bytes, for it is what they say once they are scrubbed: of two accounts' files of the same picture, one scrubbed
-- and one not, each says its own. Null: nothing is known, or the file came before anybody looked.
ALTER TABLE blob ADD COLUMN camera jsonb CHECK (jsonb_typeof(camera) = 'object');
