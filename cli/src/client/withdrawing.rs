//! `berth rm` and `berth undo`.

use std::io::IsTerminal as _;

use console::Term;
use process::{Clock, Person};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    api::{Api, Ask},
    args::RmArgs,
    image::read_id,
    problem::Problem,
    session::{Session, connect},
    upload::{Failed, conclude},
    words::Words,
};
use crate::Failure;

/// The most that one request may be about.
const BATCH: usize = 1_000;

#[derive(Deserialize)]
struct Results {
    results: Vec<Done>,
}

#[derive(Deserialize)]
struct Done {
    id: String,
    ok: bool,
    problem: Option<Problem>,
}

/// `berth rm`: withdraws, and tells until when that can be undone.
pub(crate) async fn rm(person: &Person, words: Words, args: RmArgs) -> Result<(), Failure> {
    let ids = read_ids(&args.images)?;
    let api = connect(person, words)?;
    let terminal = Term::stderr();
    let count = ids.len();
    if !args.yes && terminal.is_term() && std::io::stdin().is_terminal() {
        let question = words.pick(
            format!("Withdraw {count} image(s)? None of their links will answer. [y/N] "),
            format!("删除 {count} 张图片？它们的链接将全部失效。[y/N] "),
        );
        terminal.write_str(&question)?;
        if !matches!(terminal.read_line()?.trim(), "y" | "Y" | "yes" | "是") {
            return Err(words.pick("nothing was done", "没有做任何改动").into());
        }
    }
    let session = Session::ask(&api).await?;
    let failed = do_all(&api, &ids, &json!({ "action": "withdraw" })).await?;
    let done = count - failed.len();
    if done > 0 {
        let grace = jiff::SignedDuration::from_secs(session.limits.undo_seconds);
        let until = Clock::system().now().checked_add(grace);
        let until = until.map_or_else(|_| String::new(), |until| super::image::local(&until.to_string()));
        say!(
            "{}",
            words.pick(
                format!("Withdrawn: {done}. `berth undo` brings them back until {until}."),
                format!("已删除 {done} 张。{until} 之前可用 `berth undo` 恢复。"),
            )
        );
    }
    conclude_ids(words, count, failed)
}

/// `berth undo`: the word that the page has for it, since `berth restore` brings back a backup.
pub(crate) async fn undo(person: &Person, words: Words, images: &[String]) -> Result<(), Failure> {
    let ids = read_ids(images)?;
    let api = connect(person, words)?;
    let failed = do_all(&api, &ids, &json!({ "action": "restore" })).await?;
    let done = ids.len() - failed.len();
    if done > 0 {
        say!(
            "{}",
            words.pick(format!("Brought back: {done}."), format!("已恢复 {done} 张。"))
        );
    }
    conclude_ids(words, ids.len(), failed)
}

fn conclude_ids(words: Words, count: usize, failed: Vec<Failed>) -> Result<(), Failure> {
    let missing = failed.len();
    conclude(words, count, failed).map_err(|_| {
        words
            .pick(
                format!("{missing} of {count} images could not be changed"),
                format!("{count} 张图片中有 {missing} 张未能更改"),
            )
            .into()
    })
}

fn read_ids(images: &[String]) -> Result<Vec<String>, Failure> {
    let mut ids = Vec::new();
    for text in images {
        if text == "-" {
            for line in std::io::stdin().lines() {
                let line = line?;
                if !line.trim().is_empty() {
                    ids.push(read_id(line.trim())?.to_string());
                }
            }
        } else {
            ids.push(read_id(text)?.to_string());
        }
    }
    let mut seen = std::collections::HashSet::new();
    ids.retain(|id| seen.insert(id.clone()));
    Ok(ids)
}

/// Does one thing to many images; an error, after all are done, if one could not be changed.
pub(crate) async fn change(api: &Api, words: Words, ids: &[String], what: &Value) -> Result<(), Failure> {
    let failed = do_all(api, ids, what).await?;
    conclude_ids(words, ids.len(), failed)
}

async fn do_all(api: &Api, ids: &[String], what: &Value) -> Result<Vec<Failed>, Failure> {
    let mut failed = Vec::new();
    for batch in ids.chunks(BATCH) {
        let mut body = what.clone();
        body["ids"] = json!(batch);
        let results: Results = api.json(Ask::post("/v1/images/bulk", &body)).await?;
        for done in results.results.into_iter().filter(|done| !done.ok) {
            let why = done
                .problem
                .map_or_else(String::new, |problem| problem.to_string());
            failed.push(Failed { file: done.id, why });
        }
    }
    Ok(failed)
}
