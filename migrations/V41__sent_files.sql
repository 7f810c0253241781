-- What a client sent, where it is not what is stored: before its metadata was taken out. By these digests the client asks whether
-- the file is there. They are its owner's alone: nobody learns of another's files by asking.
CREATE TABLE sent_file (
    account_id bigint NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    blob_id    bigint NOT NULL REFERENCES blob (id) ON DELETE CASCADE,
    sha256     bytea  NOT NULL CHECK (octet_length(sha256) = 32),
    md5        bytea  NOT NULL CHECK (octet_length(md5) = 16),
    PRIMARY KEY (account_id, sha256, blob_id)
);

CREATE INDEX sent_file_md5 ON sent_file (account_id, md5);
CREATE INDEX sent_file_blob ON sent_file (blob_id);

GRANT SELECT, INSERT ON sent_file TO berth_upload;
