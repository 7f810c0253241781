//! `berth export`: every image as a file, filed by day or by album, with an index from which `berth import` brings it all back.
//!
//! A file appears under its name once it is whole and its checksums are right; then a line of the index says so. Whatever ends the
//! program in between, the next run finds what is there and goes on.

mod fetch;
pub(crate) mod index;
mod names;

use std::{collections::BTreeMap, fs, path::Path};

use futures_util::{StreamExt as _, stream};
use process::Person;
use serde::Deserialize;

use super::{
    albums,
    api::{Api, Ask},
    args::ExportArgs,
    image::Image,
    images::page,
    session::connect,
    upload::{Failed, digest::Digests, failure, progress::Progress},
    words::{Words, size},
};
use crate::Failure;
use fetch::{Came, Fetcher};
use index::{Entry, Index};
use names::{Layout, Taken, candidates};

/// What an export has done.
#[derive(Debug, Default)]
struct Tally {
    there: usize,
    linked: usize,
    copied: usize,
    bytes: u64,
}

/// An image, and where it belongs.
struct Job {
    image: Image,
    path: String,
    album: Option<String>,
}

struct Export<'a> {
    folder: &'a Path,
    layout: Layout,
    albums: BTreeMap<i64, String>,
    index: Index,
    taken: Taken,
}

#[derive(Deserialize)]
struct Account {
    used_files: u64,
}

/// Folder for files that are on their way, below that of the export.
const PARTIAL: &str = ".berth-partial";

/// `berth export`.
pub(crate) async fn export(person: &Person, words: Words, args: ExportArgs) -> Result<(), Failure> {
    let api = connect(person, words)?;
    let at = |error: std::io::Error| format!("{}: {error}", args.folder.display());
    fs::create_dir_all(&args.folder).map_err(at)?;
    let fetcher = Fetcher {
        api: &api,
        store: args.blobs.as_deref().map(blobs::BlobReader::new),
        partial: args.folder.join(PARTIAL),
    };
    let index = Index::read(&args.folder).map_err(at)?;
    let mut taken = Taken::default();
    for entry in index.entries() {
        taken.take(&entry.path);
    }
    let known = albums::all(&api).await?.into_iter();
    let layout = if args.by_album {
        Layout::ByAlbum
    } else {
        Layout::ByDate
    };
    let mut export = Export {
        folder: &args.folder,
        layout,
        albums: known.filter_map(albums::Album::name_unless_default).collect(),
        index,
        taken,
    };
    let mut query = vec![("sort", "oldest".to_owned())];
    if let Some(album) = &args.album {
        query.push(("album", albums::find(&api, album).await?.to_string()));
    }
    let account: Account = api.json(Ask::get("/v1/account")).await?;
    let progress = Progress::of_things(account.used_files, words.pick("images", "图片").to_owned());
    let (mut tally, mut failed) = (Tally::default(), Vec::new());
    let jobs = usize::from(args.jobs);
    let outcome = export
        .pages(
            &api,
            &fetcher,
            (&query, jobs),
            &progress,
            (&mut tally, &mut failed),
        )
        .await;
    progress.end();
    export.index.tidy().map_err(at)?;
    outcome?;
    // Empty unless something did not come.
    let _ = fs::remove_dir(&fetcher.partial);
    conclude(words, &tally, failed)
}

fn conclude(words: Words, tally: &Tally, failed: Vec<Failed>) -> Result<(), Failure> {
    let Tally {
        there,
        linked,
        copied,
        bytes,
    } = tally;
    let bytes = size(*bytes);
    say!(
        "{}",
        words.pick(
            format!("Exported: {copied} copied ({bytes}), {linked} linked, {there} were there already."),
            format!("已导出：复制 {copied} 张（{bytes}），硬链接 {linked} 张，原已存在 {there} 张。"),
        )
    );
    let missing = failed.len();
    let count = missing + there + linked + copied;
    super::upload::conclude(words, count, failed).map_err(|_| {
        words
            .pick(
                format!("{missing} of {count} images are missing; run it again to go on"),
                format!("{count} 张图片中缺 {missing} 张；再运行一次即可继续"),
            )
            .into()
    })
}

impl Export<'_> {
    async fn pages(
        &mut self,
        api: &Api,
        fetcher: &Fetcher<'_>,
        (query, jobs): (&[(&str, String)], usize),
        progress: &Progress,
        (tally, failed): (&mut Tally, &mut Vec<Failed>),
    ) -> Result<(), Failure> {
        let mut after: Option<String> = None;
        loop {
            let images;
            (images, after) = page(api, query, after.as_deref()).await?;
            let mut wanted = Vec::new();
            for image in images {
                if let Some(job) = self.place(image).await? {
                    wanted.push(job);
                } else {
                    tally.there += 1;
                    progress.done(1);
                }
            }
            let folder = self.folder;
            let fetching = stream::iter(wanted).map(|job| async move {
                let bar = progress.detail(&job.image.name, job.image.size_bytes);
                let came = fetcher.fetch(&job.image, &folder.join(&job.path), &bar).await;
                (job, came)
            });
            let mut arriving = std::pin::pin!(fetching.buffer_unordered(jobs));
            while let Some((job, came)) = arriving.next().await {
                progress.done(1);
                match came {
                    Ok(came) => {
                        tally.bytes += job.image.size_bytes;
                        match came {
                            Came::Linked => tally.linked += 1,
                            Came::Copied => tally.copied += 1,
                        }
                        self.index.add(Entry::of(&job.image, job.path, job.album))?;
                    }
                    Err(error) => failed.push(failure(Path::new(&job.path), &error)),
                }
            }
            if after.is_none() {
                return Ok(());
            }
        }
    }

    /// Where an image belongs; none when its bytes lie there already, and then the index says what is known of it today.
    async fn place(&mut self, image: Image) -> Result<Option<Job>, Failure> {
        let album = image.album.and_then(|album| self.albums.get(&album).cloned());
        if let Some(known) = self.index.find(&image.id) {
            let path = known.path.clone();
            let length = fs::metadata(self.folder.join(&path)).map(|file| file.len());
            if known.sha256 == image.sha256 && length.is_ok_and(|length| length == image.size_bytes) {
                self.index.add(Entry::of(&image, path, album))?;
                return Ok(None);
            }
            return Ok(Some(Job { image, path, album }));
        }
        for path in candidates(self.layout, &image, album.as_deref()) {
            if !self.taken.take(&path) {
                continue;
            }
            let full = self.folder.join(&path);
            if !full.exists() {
                return Ok(Some(Job { image, path, album }));
            }
            // From a run that was killed before the index knew of it; else it is somebody else's file, and stays.
            if Digests::of(&full)
                .await
                .is_ok_and(|digests| digests.sha256 == image.sha256)
            {
                self.index.add(Entry::of(&image, path, album))?;
                return Ok(None);
            }
        }
        let name = super::words::plain(&image.name);
        Err(format!("{name}: other files lie where it belongs · 目标位置已有其他文件").into())
    }
}
