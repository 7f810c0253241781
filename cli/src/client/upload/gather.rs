use std::{
    fs,
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use domain::{FileName, MediaType};
use tempfile::TempPath;

use crate::{Failure, client::words::Words};

/// Files that were named, and those in folders that were.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    /// Each with its size.
    pub(crate) files: Vec<(PathBuf, u64)>,
    /// What can't be read, and why.
    pub(crate) missing: Vec<(PathBuf, String)>,
    /// Files in folders whose names are those of no picture or video.
    passed_over: usize,
}

impl Gathered {
    /// Adds a file that was named, whatever its name ends in.
    pub(crate) fn file(&mut self, path: &Path) {
        match fs::metadata(path) {
            Ok(found) if found.is_file() => self.files.push((path.to_owned(), found.len())),
            Ok(_) => self.missing.push((path.to_owned(), "is no file".to_owned())),
            Err(error) => self.missing.push((path.to_owned(), error.to_string())),
        }
    }

    /// Adds the pictures and videos of a folder and of those in it, in the order of their names. Hidden ones are left alone, and so are
    /// folders behind symbolic links, which may go in circles.
    pub(crate) fn folder(&mut self, folder: &Path) {
        let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let mut entries = match entries {
            Ok(entries) => entries,
            Err(error) => return self.missing.push((folder.to_owned(), error.to_string())),
        };
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let (path, name) = (entry.path(), entry.file_name());
            if name.to_string_lossy().starts_with('.') {
                continue;
            }
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                self.folder(&path);
            } else if path.is_dir() {
                self.passed_over += 1;
            } else if is_picture(&path) {
                self.file(&path);
            } else {
                self.passed_over += 1;
            }
        }
    }
}

impl Gathered {
    /// Says on standard error how many files were left out.
    pub(crate) fn tell_of_others(&self, words: Words) {
        let count = self.passed_over;
        if count > 0 {
            eprintln!(
                "{}",
                words.pick(
                    format!("Left out: {count} files whose names are those of no picture or video."),
                    format!("已略过 {count} 个从扩展名看不是图片或视频的文件。"),
                )
            );
        }
    }
}

/// Whether a name ends as that of a picture or a video that a berth may take.
fn is_picture(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| MediaType::from_extension(&ending.to_ascii_lowercase()).is_some())
}

/// The name by which a file is shown.
pub(crate) fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    FileName::clean(&name, "image").to_string()
}

/// Standard input as a file, which goes with the value: it is read twice, to be known and to be sent.
pub(crate) fn standard_input() -> Result<(TempPath, u64), Failure> {
    let mut file = tempfile::Builder::new().prefix("berth-").tempfile()?;
    let mut input = io::stdin().lock();
    let mut buffer = vec![0; 256 << 10];
    let mut size = 0;
    loop {
        let count = input.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        file.write_all(&buffer[..count])?;
        size += count as u64;
    }
    file.flush()?;
    Ok((file.into_temp_path(), size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_gives_its_pictures_in_order_and_nothing_hidden() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir(root.join("b")).unwrap();
        fs::create_dir(root.join(".git")).unwrap();
        for name in [
            "c.JPG",
            "a.png",
            "notes.txt",
            ".hidden.png",
            "b/x.mp4",
            ".git/y.png",
        ] {
            fs::write(root.join(name), name).unwrap();
        }
        std::os::unix::fs::symlink(root, root.join("b/round")).unwrap();
        let mut gathered = Gathered::default();
        gathered.folder(root);
        gathered.file(&root.join("notes.txt"));
        gathered.file(&root.join("gone.png"));
        let names: Vec<_> = gathered
            .files
            .iter()
            .map(|(path, _)| path.strip_prefix(root).unwrap())
            .collect();
        assert_eq!(names, ["a.png", "b/x.mp4", "c.JPG", "notes.txt"].map(Path::new));
        assert_eq!((gathered.passed_over, gathered.missing.len()), (2, 1));
    }
}
