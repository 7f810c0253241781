//! `berth upload`: the links of files, on standard output and in the order of the files; everything else goes to standard error.

mod chunks;
pub(crate) mod digest;
mod form;
pub(crate) mod gather;
mod kept;
mod pieces;
pub(crate) mod progress;
pub(crate) mod send;

use std::path::Path;

use domain::FileName;
use futures_util::{StreamExt as _, stream};
use process::{Clock, Person};
use tempfile::TempPath;

use super::{
    albums,
    args::UploadArgs,
    copy,
    problem::ApiError,
    session::{Session, connect},
    table::Table,
    words::{Words, plain},
};
use crate::Failure;
use gather::{Gathered, name_of, standard_input};
use progress::Progress;
use send::{Item, Options, Sender, Sent};

/// What was to be sent, and what can't be read.
struct Luggage {
    items: Vec<Item>,
    failed: Vec<Failed>,
    /// Standard input, which is there for as long as the value.
    _input: Option<TempPath>,
}

/// A file that did not get there.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) file: String,
    pub(crate) why: String,
}

/// Sees to it that files are there, and prints their links.
pub(crate) async fn upload(person: &Person, words: Words, args: UploadArgs) -> Result<(), Failure> {
    let api = connect(person, words)?;
    let session = Session::ask(&api).await?;
    let album = match &args.album {
        Some(album) => Some(albums::find(&api, album).await?),
        None => None,
    };
    let luggage = pack(words, &args, album)?;
    let total = luggage.items.iter().map(|item| item.size_bytes).sum();
    let progress = Progress::of_bytes(total, words.pick("all", "总计").to_owned());
    let now = Clock::system().now();
    let sender = Sender::new(&api, &session, person.state.clone(), now, &progress);
    let count = luggage.items.len() + luggage.failed.len();
    let mut failed = luggage.failed;
    let sending = stream::iter(&luggage.items).map(|item| {
        let sender = &sender;
        async move { (item, sender.send(item).await) }
    });
    let mut arriving = std::pin::pin!(sending.buffered(usize::from(args.jobs)));
    while let Some((item, outcome)) = arriving.next().await {
        match outcome {
            Ok(sent) => progress.print(|| show(&args, words, item, &sent)),
            Err(error) => failed.push(failure(&item.path, &error)),
        }
    }
    progress.end();
    conclude(words, count, failed)
}

/// What went wrong with a file.
pub(crate) fn failure(path: &Path, error: &ApiError) -> Failed {
    Failed {
        file: plain(&path.to_string_lossy()),
        why: error.to_string(),
    }
}

fn show(args: &UploadArgs, words: Words, item: &Item, sent: &Sent) {
    let line = if args.json {
        sent.json.to_string()
    } else {
        copy::Form::from(args.copy).of(&sent.image, &sent.image.url)
    };
    say!("{line}");
    let asked = item.options.visibility.as_deref();
    if let Some(asked) = asked.filter(|asked| *asked != sent.image.visibility) {
        let (name, is) = (plain(&item.options.name), &sent.image.visibility);
        eprintln!(
            "{}",
            words.pick(
                format!("{name} was there already and is {is}, not {asked}; change it on the page"),
                format!("{name} 早已上传，可见性是 {is} 而不是 {asked}；请到网页上修改"),
            )
        );
    }
}

fn pack(words: Words, args: &UploadArgs, album: Option<i64>) -> Result<Luggage, Failure> {
    let mut gathered = Gathered::default();
    let mut input = None;
    for path in &args.files {
        if path.as_os_str() == "-" {
            if input.is_some() {
                return Err(words
                    .pick("standard input can be read once", "标准输入只能读一次")
                    .into());
            }
            let (file, size) = standard_input()?;
            gathered.files.push((file.to_path_buf(), size));
            input = Some(file);
        } else if path.is_dir() && args.recursive {
            gathered.folder(path);
        } else if path.is_dir() {
            let why = words.pick(
                "is a folder; --recursive uploads what is in it",
                "是文件夹；加 --recursive 上传其中的图片",
            );
            gathered.missing.push((path.clone(), why.to_owned()));
        } else {
            gathered.file(path);
        }
    }
    gathered.tell_of_others(words);
    let input_path = input.as_deref();
    let items = gathered.files.iter().map(|(path, size_bytes)| {
        let name = match &args.name {
            Some(name) => FileName::clean(name, "image").to_string(),
            None if input_path == Some(path.as_path()) => "image".to_owned(),
            None => name_of(path),
        };
        let options = Options {
            name,
            album,
            description: args.description.clone(),
            expires_in: args.expires_in.clone(),
            visibility: args.visibility.map(|visibility| visibility.as_str().to_owned()),
            scrub: args.scrub.map(|scrub| scrub.to_string()),
            ends_at_a_moment: false,
        };
        Item {
            path: path.clone(),
            size_bytes: *size_bytes,
            options,
        }
    });
    let items = items.collect();
    let missing = gathered.missing.into_iter();
    let failed = missing.map(|(path, why)| Failed {
        file: plain(&path.to_string_lossy()),
        why,
    });
    Ok(Luggage {
        items,
        failed: failed.collect(),
        _input: input,
    })
}

/// Tells what did not get there, in a table on standard error.
pub(crate) fn conclude(words: Words, count: usize, failed: Vec<Failed>) -> Result<(), Failure> {
    if failed.is_empty() {
        return Ok(());
    }
    let missing = failed.len();
    let mut table = Table::new(&words.pick(["FILE", "WHY"], ["文件", "原因"]));
    for failed in failed {
        table.row([failed.file, failed.why]);
    }
    eprint!("{}", table.render(None));
    Err(words
        .pick(
            format!("{missing} of {count} files are not there"),
            format!("{count} 个文件中有 {missing} 个未上传"),
        )
        .into())
}
