//! Files as `SQLite` itself reads them.

use rusqlite::{Connection, Row};
use sqlite_snapshot::{Snapshot, SnapshotImage};

fn image(number: u32) -> SnapshotImage {
    SnapshotImage {
        md5: format!("{number:032x}"),
        path: format!("00/{number:030x}.png"),
        created_at: 1_795_226_120,
        original_name: format!("截图 '{number}'.png"),
        width: number.is_multiple_of(2).then_some(640),
        height: number.is_multiple_of(2).then_some(480),
        access_count: u64::from(number),
        file_size: 5 << 32,
        updated_at: 1_795_226_121,
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<SnapshotImage> {
    Ok(SnapshotImage {
        md5: row.get("md5")?,
        path: row.get("path")?,
        created_at: row.get("created_at")?,
        original_name: row.get("original_name")?,
        width: row.get("width")?,
        height: row.get("height")?,
        access_count: row.get::<_, i64>("access_count")?.unsigned_abs(),
        file_size: row.get::<_, i64>("file_size")?.unsigned_abs(),
        updated_at: row.get("updated_at")?,
    })
}

#[test]
fn every_image_reads_back_as_it_was_handed_over_and_no_file_is_left_beside() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("images.db");
    // As one whose name was taken exclusively before.
    std::fs::write(&path, b"").unwrap();
    let images: Vec<SnapshotImage> = (0..30_000).map(image).collect();
    let mut snapshot = Snapshot::create(&path).unwrap();
    for page in images.chunks(1000) {
        snapshot.add(page).unwrap();
    }
    snapshot.finish().unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);

    let read_back = Connection::open(&path).unwrap();
    let fault: String = read_back
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(fault, "ok");
    let mut statement = read_back.prepare("SELECT * FROM images ORDER BY md5").unwrap();
    let rows: Result<Vec<_>, _> = statement.query_map([], read).unwrap().collect();
    assert!(rows.unwrap() == images);
    let columns: Vec<String> = read_back
        .prepare("SELECT name || ' ' || type || CASE pk WHEN 1 THEN ' PRIMARY KEY' ELSE '' END FROM pragma_table_info('images')")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    // dialects.md, to the letter.
    assert_eq!(
        columns.join(", "),
        "md5 TEXT PRIMARY KEY, path TEXT, created_at INTEGER, original_name TEXT, width INTEGER, height INTEGER, \
         access_count INTEGER, file_size INTEGER, updated_at INTEGER"
    );
}

#[test]
fn a_host_without_images_has_an_empty_table() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("images.db");
    Snapshot::create(&path).unwrap().finish().unwrap();
    let images: i64 = Connection::open(&path)
        .unwrap()
        .query_row("SELECT count(*) FROM images", [], |row| row.get(0))
        .unwrap();
    assert_eq!(images, 0);
}
