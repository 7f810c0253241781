//! `berth import`: a folder of pictures, or an export with its index. What the berth has already is not sent, so it can be run again
//! until all is there.

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
};

use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;
use process::{Clock, Person};

use super::{
    albums,
    api::Api,
    args::ImportArgs,
    export::index::{Entry, Index},
    session::{Session, connect},
    upload::{
        Failed, failure,
        gather::{Gathered, name_of},
        progress::Progress,
        send::{Item, Options, Sender},
    },
    words::{Words, plain, size},
};
use crate::Failure;

/// A file and the album that it belongs to, by name.
struct Found {
    item: Item,
    album: Option<String>,
}

/// `berth import`.
pub(crate) async fn import(person: &Person, words: Words, args: ImportArgs) -> Result<(), Failure> {
    let api = connect(person, words)?;
    let session = Session::ask(&api).await?;
    let now = Clock::system().now();
    let (mut found, mut failed) = look(words, &args, &session, now)?;
    if args.dry_run {
        tell(words, &found);
        return conclude(words, [0, 0], found.len(), failed);
    }
    place(&api, &mut found).await?;
    let total = found.iter().map(|found| found.item.size_bytes).sum();
    let progress = Progress::of_bytes(total, words.pick("all", "总计").to_owned());
    let sender = Sender::new(&api, &session, person.state.clone(), now, &progress);
    let (mut new, mut there) = (0, 0);
    let sending = stream::iter(&found).map(|found| {
        let sender = &sender;
        async move { (&found.item.path, sender.send(&found.item).await) }
    });
    let mut arriving = std::pin::pin!(sending.buffer_unordered(usize::from(args.jobs)));
    while let Some((path, outcome)) = arriving.next().await {
        match outcome {
            Ok(sent) if sent.travelled && sent.image.status != "existing" => new += 1,
            Ok(_) => there += 1,
            Err(error) => failed.push(failure(path, &error)),
        }
    }
    progress.end();
    conclude(words, [new, there], found.len(), failed)
}

fn conclude(
    words: Words,
    [new, there]: [usize; 2],
    found: usize,
    failed: Vec<Failed>,
) -> Result<(), Failure> {
    say!(
        "{}",
        words.pick(
            format!("Imported: {new} new, {there} were there already."),
            format!("已导入：新增 {new} 张，原已存在 {there} 张。"),
        )
    );
    let missing = failed.len();
    let count = found.max(new + there + missing);
    super::upload::conclude(words, count, failed).map_err(|_| {
        words
            .pick(
                format!("{missing} of {count} files were not imported"),
                format!("{count} 个文件中有 {missing} 个未导入"),
            )
            .into()
    })
}

fn tell(words: Words, found: &[Found]) {
    let mut albums: BTreeMap<&str, (usize, u64)> = BTreeMap::new();
    for found in found {
        let album = albums.entry(found.album.as_deref().unwrap_or("")).or_default();
        album.0 += 1;
        album.1 += found.item.size_bytes;
    }
    for (album, (count, bytes)) in albums {
        let album = if album.is_empty() {
            words.pick("(default album)", "（默认相册）").to_owned()
        } else {
            plain(album)
        };
        say!("{count:>7}  {:>9}  {album}", size(bytes));
    }
}

/// The files of the folder, with what the index says of them, and what is missing or over.
fn look(
    words: Words,
    args: &ImportArgs,
    session: &Session,
    now: Timestamp,
) -> Result<(Vec<Found>, Vec<Failed>), Failure> {
    if !args.folder.is_dir() {
        return Err(format!(
            "{}: {}",
            args.folder.display(),
            words.pick("is no folder", "不是文件夹")
        )
        .into());
    }
    let mut gathered = Gathered::default();
    gathered.folder(&args.folder);
    let index = Index::read(&args.folder).map_err(|error| format!("{}: {error}", args.folder.display()))?;
    let mut said: HashMap<PathBuf, &Entry> = index
        .entries()
        .map(|entry| (args.folder.join(&entry.path), entry))
        .collect();
    gathered.tell_of_others(words);
    let mut failed: Vec<Failed> = gathered
        .missing
        .into_iter()
        .map(|(path, why)| Failed {
            file: plain(&path.to_string_lossy()),
            why,
        })
        .collect();
    let mut found = Vec::new();
    for (path, size_bytes) in gathered.files {
        let entry = said.remove(&path);
        let (options, album) = if let Some(entry) = entry {
            let Some(options) = options_of(args, entry, session, now) else {
                let why = words.pick(
                    "its time has come: the index says when it ended",
                    "已过期：索引中的到期时间已过",
                );
                failed.push(Failed {
                    file: plain(&entry.path),
                    why: why.to_owned(),
                });
                continue;
            };
            (options, entry.album.clone())
        } else {
            (options_without(args, &path), folder_name(args, &path))
        };
        let item = Item {
            path,
            size_bytes,
            options,
        };
        found.push(Found { item, album });
    }
    for entry in said.into_values() {
        let why = words.pick(
            "the index speaks of it, and it is not there",
            "索引中有，但文件不存在",
        );
        failed.push(Failed {
            file: plain(&entry.path),
            why: why.to_owned(),
        });
    }
    Ok((found, failed))
}

fn options_without(args: &ImportArgs, path: &Path) -> Options {
    Options {
        name: name_of(path),
        expires_in: args.expires_in.clone(),
        visibility: args.visibility.map(|visibility| visibility.to_string()),
        ..Options::default()
    }
}

/// What an index says of a file; none when its time is over.
fn options_of(args: &ImportArgs, entry: &Entry, session: &Session, now: Timestamp) -> Option<Options> {
    let left = match entry.expires_at.as_deref().map(str::parse::<Timestamp>) {
        Some(Ok(ends)) => u64::try_from(ends.duration_since(now).as_secs())
            .ok()
            .filter(|left| *left > 0)?,
        // 0 is for ever.
        _ => 0,
    };
    // As long as this berth allows, which may be another one.
    let longest = session.uploads.longest_seconds;
    let left = if longest != 0 && (left == 0 || left > longest) {
        longest
    } else {
        left
    };
    let ends = args.expires_in.clone();
    Some(Options {
        name: entry.name.clone(),
        description: Some(entry.description.clone()).filter(|text| !text.is_empty()),
        ends_at_a_moment: ends.is_none() && left != 0,
        expires_in: Some(ends.unwrap_or_else(|| {
            if left == 0 {
                "0".to_owned()
            } else {
                format!("{left}s")
            }
        })),
        visibility: Some(entry.visibility.clone()),
        ..Options::default()
    })
}

/// The folder that a file lies in, below the one that is imported, as an album's name.
fn folder_name(args: &ImportArgs, path: &Path) -> Option<String> {
    if !args.albums {
        return None;
    }
    let below = path.parent()?.strip_prefix(&args.folder).ok()?;
    Some(below.to_string_lossy().into_owned()).filter(|name| !name.is_empty())
}

/// Finds the albums by their names, and makes those that are not there.
async fn place(api: &Api, found: &mut [Found]) -> Result<(), Failure> {
    if found.iter().all(|found| found.album.is_none()) {
        return Ok(());
    }
    let known = albums::all(api).await?;
    let mut by_name: HashMap<String, i64> = known.into_iter().map(|album| (album.name, album.id)).collect();
    for found in found {
        let Some(name) = &found.album else { continue };
        let number = if let Some(number) = by_name.get(name) {
            *number
        } else {
            let made = albums::create(api, name, "").await?;
            by_name.insert(name.clone(), made.id);
            made.id
        };
        found.item.options.album = Some(number);
    }
    Ok(())
}
