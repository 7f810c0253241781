use catalog::CatalogSettings;
use domain::{Expiry, Md5, MediaType, Sha256, Visibility};
use http_kit::Metrics;

use super::*;

/// A row like any other.
pub(crate) fn image(row: u8) -> catalog::LiveImage {
    let md5 = Md5([row; 16]);
    catalog::LiveImage {
        id: i64::from(row),
        public_id: PublicId::from_random([row; 16]),
        blob_id: i64::from(row),
        dimensions: Some((640, 480)),
        key: BlobKey::plain(md5, MediaType::Png),
        sha256: Sha256([row; 32]),
        md5,
        size_bytes: 100,
        is_damaged: false,
        media_type: MediaType::Png,
        visibility: Visibility::Public,
        name: format!("{row}.png"),
        updated_at: Timestamp::UNIX_EPOCH,
        expiry: Expiry::Never,
        slides: false,
        album_id: i64::from(row % 2),
        link_generation: 0,
        rules: catalog::HotlinkTexts::default(),
    }
}

/// Rules of an installation that says nothing.
pub(crate) fn embeddings() -> Embeddings {
    Embeddings::new(domain::hotlink::Base::default())
}

/// A database that is not there.
pub(crate) fn nowhere() -> Catalog {
    let settings = CatalogSettings {
        url: "host=/nonexistent user=nobody dbname=nothing".to_owned(),
        connections: 2,
        application_name: "test",
    };
    Catalog::new(&settings).unwrap()
}

fn shelf() -> Shelf {
    let clock = Clock::from_fn(|| Timestamp::UNIX_EPOCH);
    Shelf::new(
        nowhere(),
        clock,
        Figures::new(&Metrics::new()).unwrap(),
        embeddings(),
    )
}

fn id(row: u8) -> Wanted {
    Wanted::Id(image(row).public_id)
}

fn key(row: u8) -> Wanted {
    Wanted::Key(image(row).key)
}

fn put(shelf: &Shelf, wanted: &Wanted, row: u8, changes: u64) {
    shelf.put(
        wanted,
        &Arc::new(Shelved::new(image(row), &embeddings())),
        changes,
    );
}

fn row_of(found: &Found) -> Option<i64> {
    match found {
        Found::Image(image) => Some(image.row),
        Found::Nothing | Found::Away => None,
    }
}

#[tokio::test]
async fn a_deaf_shelf_answers_what_it_remembers_when_postgres_is_away() {
    let shelf = shelf();
    put(&shelf, &id(1), 1, 0);
    put(&shelf, &key(2), 2, 0);
    assert_eq!(row_of(&shelf.find(&id(1)).await), Some(1));
    assert_eq!(row_of(&shelf.find(&key(2)).await), Some(2));
    assert!(matches!(shelf.find(&id(3)).await, Found::Away));
}

#[tokio::test]
async fn a_listening_shelf_answers_what_it_knows_without_asking() {
    let shelf = shelf();
    shelf.heed(Change::Listening);
    put(&shelf, &id(1), 1, 1);
    assert_eq!(row_of(&shelf.find(&id(1)).await), Some(1));
    assert_eq!(shelf.0.figures.shelf_hits.get(), 1);
    assert!(matches!(shelf.find(&id(2)).await, Found::Away));
}

#[tokio::test]
async fn a_change_takes_an_image_off_by_every_name() {
    let shelf = shelf();
    shelf.heed(Change::Listening);
    put(&shelf, &key(1), 1, 1);
    assert_eq!(row_of(&shelf.find(&id(1)).await), Some(1));
    assert_eq!(row_of(&shelf.find(&key(1)).await), Some(1));
    shelf.heed(Change::Image(image(1).public_id));
    assert!(matches!(shelf.find(&id(1)).await, Found::Away));
    assert!(matches!(shelf.find(&key(1)).await, Found::Away));
    assert_eq!(shelf.len(), 0);
}

#[test]
fn a_row_that_was_read_before_a_change_is_not_shelved_after_it() {
    let shelf = shelf();
    shelf.heed(Change::Image(image(1).public_id));
    for wanted in [id(1), key(1)] {
        put(&shelf, &wanted, 1, 0);
        assert!(
            shelf.known(&wanted, Timestamp::UNIX_EPOCH).is_none(),
            "{wanted:?}"
        );
        put(&shelf, &wanted, 1, 1);
        assert!(
            shelf.known(&wanted, Timestamp::UNIX_EPOCH).is_some(),
            "{wanted:?}"
        );
    }
}

#[test]
fn a_change_of_an_albums_policy_takes_off_its_images_and_no_others() {
    let shelf = shelf();
    shelf.heed(Change::Listening);
    for row in 1..=4 {
        put(&shelf, &id(row), row, 1);
    }
    shelf.heed(Change::Album(1));
    let now = Timestamp::UNIX_EPOCH;
    assert_eq!(
        (1..=4)
            .map(|row| shelf.known(&id(row), now).is_some())
            .collect::<Vec<_>>(),
        [false, true, false, true]
    );
    put(&shelf, &id(1), 1, 1);
    assert!(shelf.known(&id(1), now).is_none(), "read before the change");
    shelf.heed(Change::Site);
    assert_eq!((shelf.len(), shelf.is_listening()), (0, true));
}

#[test]
fn listening_again_forgets_everything_and_going_deaf_nothing() {
    let shelf = shelf();
    put(&shelf, &id(1), 1, 0);
    put(&shelf, &key(2), 2, 0);
    shelf.heed(Change::Deaf);
    assert_eq!((shelf.len(), shelf.is_listening()), (2, false));
    shelf.heed(Change::Listening);
    assert_eq!((shelf.len(), shelf.is_listening()), (0, true));
    put(&shelf, &id(1), 1, 1);
    shelf.heed(Change::Deaf);
    assert_eq!((shelf.len(), shelf.is_listening()), (1, false));
}

#[test]
fn a_path_does_not_lead_to_an_image_that_is_over_or_private() {
    let (now, over) = (
        Timestamp::UNIX_EPOCH,
        Expiry::At(Timestamp::from_second(10).unwrap()),
    );
    let shelf = shelf();
    let mut row = image(1);
    row.expiry = over;
    shelf.put(&key(1), &Arc::new(Shelved::new(row, &embeddings())), 0);
    assert!(shelf.known(&key(1), now).is_some());
    assert!(
        shelf
            .known(&key(1), Timestamp::from_second(10).unwrap())
            .is_none()
    );
    let mut row = image(2);
    shelf.put(&key(2), &Arc::new(Shelved::new(row.clone(), &embeddings())), 0);
    row.visibility = Visibility::Private;
    shelf.put(&id(2), &Arc::new(Shelved::new(row, &embeddings())), 0);
    assert!(shelf.known(&key(2), now).is_none());
    assert!(shelf.known(&id(2), now).is_some());
}

#[tokio::test]
async fn a_question_is_asked_once_however_many_wait_for_it() {
    let mut flights = Flights::default();
    let (gate, opened) = tokio::sync::oneshot::channel::<()>();
    let first = flights.join(&1, || {
        flights::depart(async {
            let _ = opened.await;
            Found::Nothing
        })
    });
    let second = flights.join(&1, || panic!("asked twice"));
    gate.send(()).unwrap();
    assert!(matches!(first.await, Found::Nothing));
    assert!(matches!(second.await, Found::Nothing));
    let third = flights.join(&1, || flights::depart(async { Found::Away }));
    assert!(
        matches!(third.await, Found::Away),
        "an old answer was given again"
    );
}

#[tokio::test]
async fn a_question_that_was_forgotten_is_asked_anew_and_still_answers_who_waits() {
    let mut flights = Flights::default();
    let (gate, opened) = tokio::sync::oneshot::channel::<()>();
    let first = flights.join(&1, || {
        flights::depart(async {
            let _ = opened.await;
            Found::Nothing
        })
    });
    flights.forget(&1);
    let second = flights.join(&1, || flights::depart(async { Found::Away }));
    assert!(matches!(second.await, Found::Away));
    gate.send(()).unwrap();
    assert!(matches!(first.await, Found::Nothing));
}
