use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use crate::{BlobWriter, Error, staging::StagingName};

/// A file of the staging folder that becomes no blob: something is written there for one reader. Dropped, it is gone; after a crash the
/// janitor purges it like an upload that nobody has gone on with.
#[derive(Debug)]
pub struct Scratch(StagingName);

impl BlobWriter {
    /// An empty file that nobody else has. SECURITY: only this user may read it.
    pub fn scratch(&self) -> Result<Scratch, Error> {
        let folder = self.disk.staging();
        self.with_free_name(|name| {
            let path = folder.join(name);
            let made = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&path);
            made.map_err(Error::at("create", &path))?;
            Ok(Scratch(StagingName(path)))
        })
    }
}

impl Scratch {
    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0.0
    }

    /// Opens what was written, with its length, and takes its name away: the bytes are there as long as the file is open, however that
    /// ends.
    pub fn into_file(self) -> Result<(File, u64), Error> {
        let file = File::open(self.path()).map_err(Error::at("open", self.path()))?;
        let metadata = file.metadata().map_err(Error::at("look at", self.path()))?;
        Ok((file, metadata.len()))
    }

    /// The error of somebody who could not write there.
    #[must_use]
    pub fn unwritable(&self, source: io::Error) -> Error {
        Error::at("write", self.path())(source)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[tokio::test]
    async fn a_scratch_file_leaves_no_name_however_it_ends() {
        let folder = tempfile::tempdir().unwrap();
        let writer = BlobWriter::open(folder.path()).unwrap();
        let names = || std::fs::read_dir(folder.path().join(".staging")).unwrap().count();
        drop(writer.scratch().unwrap());
        assert_eq!(names(), 0);
        let scratch = writer.scratch().unwrap();
        std::fs::write(scratch.path(), b"written").unwrap();
        let (mut file, length) = scratch.into_file().unwrap();
        assert_eq!(names(), 0);
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!((text.as_str(), length), ("written", 7));
    }
}
