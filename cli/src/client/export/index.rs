use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Write as _},
    path::{Component, Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::client::image::Image;

/// What `index.jsonl` says of a file, one a line: all that an import needs to bring it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// The file, below the folder of the export, with `/` between its parts.
    pub(crate) path: String,
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: String,
    /// Its album's name; null for the default album.
    pub(crate) album: Option<String>,
    pub(crate) visibility: String,
    pub(crate) media_type: String,
    pub(crate) size_bytes: u64,
    pub(crate) md5: String,
    pub(crate) sha256: String,
    pub(crate) taken_at: Option<String>,
    pub(crate) taken_zone: Option<String>,
    pub(crate) created_at: String,
    pub(crate) expires_at: Option<String>,
    pub(crate) url: String,
}

impl Entry {
    /// Of an image that lies at a path.
    pub(crate) fn of(image: &Image, path: String, album: Option<String>) -> Self {
        Self {
            path,
            id: image.id.clone(),
            name: image.name.clone(),
            description: image.description.clone(),
            album,
            visibility: image.visibility.clone(),
            media_type: image.media_type.clone(),
            size_bytes: image.size_bytes,
            md5: image.md5.clone(),
            sha256: image.sha256.clone(),
            taken_at: image.taken_at.clone(),
            taken_zone: image.taken_zone.clone(),
            created_at: image.created_at.clone(),
            expires_at: image.expires_at.clone(),
            url: image.url.clone(),
        }
    }
}

/// The index's name in the folder of an export.
pub(crate) const FILE: &str = "index.jsonl";

/// The index of an export, in memory, and its file, to which a line is added for each file that is there for good.
#[derive(Debug)]
pub(crate) struct Index {
    path: PathBuf,
    file: Option<File>,
    by_id: BTreeMap<String, Entry>,
}

impl Index {
    /// Reads the index of a folder, if there is one. A line that was cut off by a kill says nothing: its file is looked at again.
    pub(crate) fn read(folder: &Path) -> io::Result<Self> {
        let path = folder.join(FILE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        let entries = text
            .lines()
            .filter_map(|line| serde_json::from_str::<Entry>(line).ok());
        // SECURITY: whoever wrote the index must not make us read or write elsewhere.
        let entries = entries.filter(|entry| is_below(&entry.path));
        let by_id = entries.map(|entry| (entry.id.clone(), entry)).collect();
        Ok(Self {
            path,
            file: None,
            by_id,
        })
    }

    /// What is known of an image.
    pub(crate) fn find(&self, id: &str) -> Option<&Entry> {
        self.by_id.get(id)
    }

    /// All that is known.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.by_id.values()
    }

    /// Adds what is known of a file.
    pub(crate) fn add(&mut self, entry: Entry) -> io::Result<()> {
        if self.by_id.get(&entry.id) == Some(&entry) {
            return Ok(());
        }
        if self.file.is_none() {
            let mut file = File::options().create(true).append(true).open(&self.path)?;
            // After a line that was cut off.
            if file.metadata()?.len() > 0 {
                file.write_all(b"\n")?;
            }
            self.file = Some(file);
        }
        let mut line = serde_json::to_vec(&entry)?;
        line.push(b'\n');
        if let Some(file) = &mut self.file {
            file.write_all(&line)?;
        }
        self.by_id.insert(entry.id.clone(), entry);
        Ok(())
    }

    /// Writes it anew, one line for each image and in the order of paths, if a line was added.
    pub(crate) fn tidy(mut self) -> io::Result<()> {
        if self.file.take().is_none() {
            return Ok(());
        }
        let mut entries: Vec<&Entry> = self.by_id.values().collect();
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        let mut text = Vec::new();
        for entry in entries {
            serde_json::to_writer(&mut text, entry)?;
            text.push(b'\n');
        }
        let beside = self.path.with_extension("jsonl.new");
        let mut file = File::create(&beside)?;
        file.write_all(&text)?;
        file.sync_all()?;
        fs::rename(&beside, &self.path)
    }
}

/// Whether a path stays below the folder that it is relative to.
fn is_below(path: &str) -> bool {
    let mut parts = Path::new(path).components().peekable();
    parts.peek().is_some() && parts.all(|part| matches!(part, Component::Normal(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_read_again_and_what_was_cut_off_or_leads_elsewhere_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let json = serde_json::json!({ "id": "a", "url": "u", "album": null, "width": null, "height": null });
        let image: Image = serde_json::from_value(json).unwrap();
        let mut index = Index::read(folder.path()).unwrap();
        let entry = Entry::of(&image, "no_date/a.png".to_owned(), None);
        index.add(entry.clone()).unwrap();
        index
            .add(Entry {
                id: "b".to_owned(),
                path: "../b.png".to_owned(),
                ..entry.clone()
            })
            .unwrap();
        index
            .add(Entry {
                id: "c".to_owned(),
                path: "/etc/c".to_owned(),
                ..entry.clone()
            })
            .unwrap();
        drop(index);
        let file = folder.path().join(FILE);
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, format!("{text}{{\"path\":\"no_d")).unwrap();
        let mut index = Index::read(folder.path()).unwrap();
        assert_eq!(index.entries().collect::<Vec<_>>(), [&entry]);
        index
            .add(Entry {
                description: "new".to_owned(),
                ..entry
            })
            .unwrap();
        index.tidy().unwrap();
        let text = fs::read_to_string(&file).unwrap();
        assert_eq!(text.lines().count(), 1, "{text}");
        assert_eq!(
            Index::read(folder.path()).unwrap().find("a").unwrap().description,
            "new"
        );
    }
}
