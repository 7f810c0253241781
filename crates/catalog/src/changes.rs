use std::{future::poll_fn, time::Duration};

use domain::PublicId;
use tokio_postgres::{AsyncMessage, NoTls};

use crate::{Catalog, Error};

/// What the database tells about images while somebody listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// From here on every change is told. What was learnt before may be out of date: forget it.
    Listening,
    /// This image answers differently now, or not at all.
    Image(PublicId),
    /// Images of this album may be embedded by others now.
    Album(i64),
    /// Any image may.
    Site,
    /// Nobody tells of changes any more, until the next [`Change::Listening`].
    Deaf,
}

/// How long to wait before listening is tried again.
const RETRY: Duration = Duration::from_millis(200);
/// How often a silent connection is asked whether it is still there: a server that was cut off without a word never
/// closes it.
const KEEPALIVE: Duration = Duration::from_secs(5);

/// Listens for changes of images for ever, on a connection of its own, and opens a new one whenever it breaks.
pub async fn watch_images(catalog: &Catalog, mut tell: impl FnMut(Change)) {
    let heard = |heard: Heard<'_>| match heard {
        Heard::Listening => tell(Change::Listening),
        Heard::Note(channel, payload) => {
            if let Some(change) = read(channel, payload) {
                tell(change);
            }
        }
        Heard::Deaf => tell(Change::Deaf),
    };
    watch(catalog, "LISTEN berth_image; LISTEN berth_policy", heard).await;
}

/// Listens for wishes for variants for ever, likewise, and tells whenever there may be any.
pub async fn watch_wishes(catalog: &Catalog, mut tell: impl FnMut()) {
    let heard = |heard: Heard<'_>| match heard {
        Heard::Listening | Heard::Note(..) => tell(),
        Heard::Deaf => {}
    };
    watch(catalog, "LISTEN berth_variant_wish", heard).await;
}

/// What a notification says; nothing where a newer release says what this one does not understand.
fn read(channel: &str, payload: &str) -> Option<Change> {
    match channel {
        "berth_policy" if payload == "site" => Some(Change::Site),
        "berth_policy" => payload.strip_prefix("album ")?.parse().ok().map(Change::Album),
        _ => payload.parse().ok().map(Change::Image),
    }
}

/// What comes of listening.
enum Heard<'a> {
    /// From here on everything is told.
    Listening,
    /// A notification: its channel and its payload.
    Note(&'a str, &'a str),
    /// Nobody tells of anything any more.
    Deaf,
}

async fn watch(catalog: &Catalog, command: &str, mut tell: impl FnMut(Heard<'_>)) {
    loop {
        if let Err(error) = listen(catalog, command, &mut tell).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "not listening for changes; trying again"
            );
        }
        tell(Heard::Deaf);
        tokio::time::sleep(RETRY).await;
    }
}

async fn listen(catalog: &Catalog, command: &str, tell: &mut impl FnMut(Heard<'_>)) -> Result<(), Error> {
    const OPERATION: &str = "listen for changes";
    let (client, mut connection) = catalog
        .config()
        .connect(NoTls)
        .await
        .map_err(Error::statement(OPERATION))?;
    // The connection only moves while it is polled, so asking and polling go side by side.
    let (sender, mut messages) = tokio::sync::mpsc::unbounded_channel();
    let pump = async move {
        loop {
            match poll_fn(|context| connection.poll_message(context)).await {
                Some(Ok(message)) => drop(sender.send(message)),
                Some(Err(error)) => return Err(Error::statement(OPERATION)(error)),
                None => return Ok(()),
            }
        }
    };
    let follow = async {
        client
            .batch_execute(command)
            .await
            .map_err(Error::statement(OPERATION))?;
        tell(Heard::Listening);
        loop {
            match tokio::time::timeout(KEEPALIVE, messages.recv()).await {
                Ok(Some(AsyncMessage::Notification(note))) => {
                    tell(Heard::Note(note.channel(), note.payload()));
                }
                Ok(Some(_)) => {}
                Ok(None) => return Ok(()),
                Err(_silence) => {
                    let answer = tokio::time::timeout(KEEPALIVE, client.simple_query("SELECT 1")).await;
                    let _ = answer.map_err(|_| Error::row(OPERATION, "the connection is dead"))?;
                }
            }
        }
    };
    tokio::select! {
        outcome = pump => outcome,
        outcome = follow => outcome,
    }
}
