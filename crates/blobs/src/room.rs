//! Whether an upload can be taken at all, asked before its body is read.

use std::io;

use rustix::fs::{StatVfsMountFlags, statvfs};

use crate::{BlobWriter, Error};

/// Files that a store which counts them must have room for: those that are staged, and those of other uploads at that moment.
const SPARE_FILES: u64 = 64;

impl BlobWriter {
    /// Whether so many bytes can be staged and `reserve` more bytes stay free: for the database, which may be on the same disk, and for uploads
    /// that are under way. It asks the file system, which knows at once.
    ///
    /// [`Error::Full`] where there is no room, [`Error::ReadOnly`] where nothing can be written.
    pub fn has_room(&self, bytes: u64, reserve: u64) -> Result<(), Error> {
        const OPERATION: &str = "find room in";
        let folder = self.disk.staging();
        let system = statvfs(&folder).map_err(|errno| Error::at(OPERATION, &folder)(errno.into()))?;
        if system.f_flag.contains(StatVfsMountFlags::RDONLY) {
            return Err(Error::at(OPERATION, folder)(
                io::ErrorKind::ReadOnlyFilesystem.into(),
            ));
        }
        let free = system.f_bavail.saturating_mul(system.f_frsize);
        // A file system that does not count files says that it can have none.
        let lacks_files = system.f_files > 0 && system.f_favail < SPARE_FILES;
        if lacks_files || free < bytes.saturating_add(reserve) {
            return Err(Error::at(OPERATION, folder)(io::ErrorKind::StorageFull.into()));
        }
        Ok(())
    }
}
