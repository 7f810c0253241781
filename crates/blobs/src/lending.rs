use std::{fs, io, path::Path};

use crate::Error;

/// How the bytes of a blob came out of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lent {
    /// As another name of the store's own file: it costs no space, and whoever writes into it damages the store.
    Linked,
    /// As a copy, where the target is in another file system or links are not allowed.
    Copied,
}

/// Links a file of the store to a path where nothing is yet, or else copies it there.
pub(crate) fn lend(path: &Path, target: &Path) -> Result<Option<Lent>, Error> {
    // SECURITY: a symbolic link in the store would hand out any file of the machine.
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_file() => {}
        Ok(_) => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::at("look at", path)(error)),
    }
    if fs::hard_link(path, target).is_ok() {
        return Ok(Some(Lent::Linked));
    }
    fs::copy(path, target).map_err(Error::at("copy", path))?;
    Ok(Some(Lent::Copied))
}
