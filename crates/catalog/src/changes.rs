use std::time::Duration;

use domain::PublicId;
use tokio_postgres::Notification;

use crate::{
    Catalog, Error,
    ear::Ear,
    readers::{ASKED, answer_asks, be_a_reader},
};

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

/// Listens for changes of images for ever, on a connection of its own, and opens a new one whenever it breaks. Whoever changes an
/// image may wait until `tell` has returned from it (see `readers`).
pub async fn watch_images(catalog: &Catalog, mut tell: impl FnMut(Change)) {
    loop {
        let Err(error) = hear_images(catalog, &mut tell).await;
        deplore(&error);
        tell(Change::Deaf);
        tokio::time::sleep(RETRY).await;
    }
}

/// Listens for wishes for variants for ever, likewise, and tells whenever there may be any.
pub async fn watch_wishes(catalog: &Catalog, mut tell: impl FnMut()) {
    loop {
        let Err(error) = hear_wishes(catalog, &mut tell).await;
        deplore(&error);
        tokio::time::sleep(RETRY).await;
    }
}

async fn hear_images(
    catalog: &Catalog,
    tell: &mut impl FnMut(Change),
) -> Result<std::convert::Infallible, Error> {
    let channels = ["berth_image", "berth_policy", ASKED];
    let mut ear = Ear::open(catalog, "listen for changes of images", &channels).await?;
    be_a_reader(&ear).await?;
    tell(Change::Listening);
    loop {
        let mut asks = Vec::new();
        let mut note = Some(ear.hear().await?);
        while let Some(told) = note {
            if told.channel() == ASKED {
                asks.push(told.payload().to_owned());
            } else if let Some(change) = read(&told) {
                tell(change);
            }
            note = ear.hear_now();
        }
        answer_asks(&ear, &asks).await?;
    }
}

async fn hear_wishes(catalog: &Catalog, tell: &mut impl FnMut()) -> Result<std::convert::Infallible, Error> {
    let mut ear = Ear::open(catalog, "listen for wishes", &["berth_variant_wish"]).await?;
    tell();
    loop {
        ear.hear().await?;
        tell();
    }
}

/// What a notification says; nothing where a newer release says what this one does not understand.
fn read(note: &Notification) -> Option<Change> {
    match (note.channel(), note.payload()) {
        ("berth_policy", "site") => Some(Change::Site),
        ("berth_policy", payload) => payload.strip_prefix("album ")?.parse().ok().map(Change::Album),
        (_, payload) => payload.parse().ok().map(Change::Image),
    }
}

fn deplore(error: &Error) {
    tracing::warn!(
        error = error as &dyn std::error::Error,
        "not listening for changes; trying again"
    );
}
