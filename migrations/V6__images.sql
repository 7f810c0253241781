-- Links to blobs. An image is live until somebody withdraws it (ended_by = 'withdrawn') or time does ('expired'). It stops answering
-- at expires_at, whether or not the janitor has come by to write ended_at.
CREATE TABLE image (
    id                   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    public_id            text        NOT NULL UNIQUE CHECK (char_length(public_id) = 12),
    account_id           bigint      NOT NULL REFERENCES account (id) ON DELETE RESTRICT,
    album_id             bigint      NOT NULL,
    blob_id              bigint      NOT NULL REFERENCES blob (id) ON DELETE CASCADE,
    name                 text        NOT NULL,
    description          text        NOT NULL DEFAULT '',
    visibility           text        NOT NULL DEFAULT 'public' CHECK (visibility IN ('public', 'unlisted', 'private')),
    policy               jsonb, -- null: the album's
    kind                 text        NOT NULL CHECK (kind IN ('image', 'video')),
    taken_at             timestamptz,
    taken_offset_minutes smallint    CHECK (taken_offset_minutes BETWEEN -1080 AND 1080),
    created_at           timestamptz NOT NULL,
    updated_at           timestamptz NOT NULL,
    expires_at           timestamptz,
    ended_at             timestamptz,
    ended_by             text        CHECK (ended_by IN ('withdrawn', 'expired')),
    CHECK ((ended_at IS NULL) = (ended_by IS NULL)),
    FOREIGN KEY (account_id, album_id) REFERENCES album (account_id, id)
);

-- INVARIANT: one owner has one live link to the same bytes; a second upload answers with that one.
CREATE UNIQUE INDEX image_live_content ON image (account_id, blob_id) WHERE ended_at IS NULL;
CREATE INDEX image_blob ON image (blob_id, id);
CREATE INDEX image_newest ON image (account_id, id DESC) WHERE ended_at IS NULL;
CREATE INDEX image_album ON image (album_id, id DESC) WHERE ended_at IS NULL;
CREATE INDEX image_due ON image (expires_at) WHERE ended_at IS NULL AND expires_at IS NOT NULL;
CREATE INDEX image_ended ON image (ended_at) WHERE ended_at IS NOT NULL;

-- serve-svc keeps live images in memory; whatever changes what an image's URL answers is told to it.
CREATE FUNCTION image_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('berth_image', OLD.public_id);
    RETURN NULL;
END
$$;

CREATE TRIGGER image_changed AFTER UPDATE OF blob_id, visibility, policy, expires_at, ended_at, name, album_id ON image
    FOR EACH ROW
    WHEN ((OLD.blob_id, OLD.visibility, OLD.policy, OLD.expires_at, OLD.ended_at, OLD.name, OLD.album_id)
          IS DISTINCT FROM (NEW.blob_id, NEW.visibility, NEW.policy, NEW.expires_at, NEW.ended_at, NEW.name, NEW.album_id)
          -- What expired by time is gone for every reader at that second anyway; a batch of thousands need not be told.
          AND NEW.ended_by IS DISTINCT FROM 'expired')
    EXECUTE FUNCTION image_changed();

CREATE TRIGGER image_removed AFTER DELETE ON image
    FOR EACH ROW WHEN (OLD.ended_at IS NULL)
    EXECUTE FUNCTION image_changed();

GRANT SELECT, INSERT, UPDATE ON image TO berth_upload;
GRANT SELECT ON image TO berth_serve;
GRANT SELECT, UPDATE (ended_at, ended_by), DELETE ON image TO berth_janitor;
