-- What told when an image was taken, beside the instant and the zone.
ALTER TABLE image ADD COLUMN taken_source text
    CHECK (taken_source IN ('exif_original', 'exif_created', 'exif_modified', 'xmp', 'container'));
