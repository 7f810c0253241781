-- A deleted account leaves a row without name, password or rights, so that its number is never given to anybody else and the record of
-- what it did keeps its meaning. Its name is free at once: the row's own becomes '#' and its number, which no account can have.
ALTER TABLE account ADD COLUMN deleted_at timestamptz;

CREATE INDEX account_deleted ON account (id) WHERE deleted_at IS NOT NULL;

-- INVARIANT: a deleted account gets no image and none back. The row is held until the image is written: whoever deletes the account
-- waits for it and then finds the image, or is found here. 40001: the same request, sent again, is refused for want of an account.
CREATE FUNCTION image_has_owner() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM account WHERE id = NEW.account_id AND deleted_at IS NULL FOR KEY SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the account % is deleted', NEW.account_id USING ERRCODE = 'serialization_failure';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER image_has_owner BEFORE INSERT ON image FOR EACH ROW EXECUTE FUNCTION image_has_owner();
CREATE TRIGGER image_has_owner_again BEFORE UPDATE OF ended_at ON image
    FOR EACH ROW WHEN (OLD.ended_at IS NOT NULL AND NEW.ended_at IS NULL) EXECUTE FUNCTION image_has_owner();

GRANT SELECT (deleted_at) ON account TO berth_janitor;
