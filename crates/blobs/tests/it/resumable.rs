//! An upload arrives in pieces.

use domain::PublicId;

use crate::Store;

fn id(letter: &str) -> PublicId {
    letter.repeat(PublicId::LENGTH).parse().unwrap()
}

async fn append(store: &Store, id: PublicId, after: u64, bytes: &'static [u8]) -> Option<u64> {
    let mut appending = store.writer.append_upload(id, after).await.unwrap()?;
    assert!(appending.write(bytes.into()).await);
    assert_eq!(appending.sync().await, Some(after + bytes.len() as u64));
    Some(appending.finish().await.unwrap())
}

#[tokio::test]
async fn pieces_are_put_together_and_what_was_not_acknowledged_is_overwritten() {
    let store = Store::new();
    store.writer.begin_upload(id("a")).await.unwrap();
    assert!(
        store.writer.begin_upload(id("a")).await.is_err(),
        "the id is taken"
    );
    assert_eq!(append(&store, id("a"), 0, b"the first, lost").await, Some(15));
    assert_eq!(append(&store, id("a"), 10, b"kept").await, Some(14));
    assert_eq!(
        append(&store, id("a"), 15, b"x").await,
        None,
        "it is shorter than that"
    );
    assert_eq!(
        append(&store, id("b"), 0, b"x").await,
        None,
        "there is no such upload"
    );
    assert!(store.writer.gather_upload(id("a"), 15).await.unwrap().is_none());
    let staged = store.writer.gather_upload(id("a"), 14).await.unwrap().unwrap();
    assert_eq!((staged.size_bytes(), staged.head()), (14, &b"the first,kept"[..]));
    drop(staged);
    assert!(store.staging_names().is_empty());
    let staged = store.writer.gather_upload(id("a"), 14).await.unwrap();
    assert!(staged.is_some(), "a publication that failed may be tried again");
    for _ in 0..2 {
        store.writer.drop_upload(id("a")).await.unwrap();
    }
    assert!(store.writer.gather_upload(id("a"), 14).await.unwrap().is_none());
}

#[tokio::test]
async fn parts_are_joined_or_nothing_is_left() {
    let store = Store::new();
    for (letter, bytes) in [("a", &b"one "[..]), ("b", b"two")] {
        store.writer.begin_upload(id(letter)).await.unwrap();
        append(&store, id(letter), 0, bytes).await;
    }
    let parts = |more: u64| vec![(id("a"), 4), (id("b"), 3), (id("a"), 4 + more)];
    assert!(!store.writer.join_uploads(id("c"), parts(1)).await.unwrap());
    assert!(store.writer.join_uploads(id("c"), parts(0)).await.unwrap());
    let staged = store.writer.gather_upload(id("c"), 11).await.unwrap().unwrap();
    assert_eq!(staged.head(), b"one twoone ");
}
