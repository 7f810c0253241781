-- Signed links and delete links are signatures over this number, so that counting it up takes back all that were given out.
ALTER TABLE image ADD COLUMN link_generation integer NOT NULL DEFAULT 0 CHECK (link_generation >= 0);

-- serve-svc judges signed links: it is told when they are taken back.
CREATE TRIGGER image_links_revoked AFTER UPDATE OF link_generation ON image
    FOR EACH ROW WHEN (OLD.link_generation <> NEW.link_generation)
    EXECUTE FUNCTION image_changed();
