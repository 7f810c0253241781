-- Videos may have a picture in them: a cover, or frames that are pictures. Their thumbnail is wished for like a picture's; where there
-- is none, the wish is given up with that reason.
DROP TRIGGER blob_wants_thumbnail ON blob;

CREATE TRIGGER blob_wants_thumbnail AFTER INSERT ON blob
    FOR EACH ROW
    WHEN (NEW.media_type NOT IN ('image/avif', 'image/heic'))
    EXECUTE FUNCTION blob_wants_thumbnail();
