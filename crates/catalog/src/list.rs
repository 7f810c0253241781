mod statement;
mod unused;

use domain::{Kind, Visibility};
use jiff::Timestamp;

use crate::{
    Catalog, Error,
    image::{ImageRecord, read},
};
use statement::Statement;

/// The order of a list. Each has an index that begins with the owner, and ties are broken by the row's number, so a page can
/// begin anywhere without counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ImageSort {
    /// The last upload first.
    #[default]
    Newest,
    /// The first upload first.
    Oldest,
    /// The last taken first, those without a date behind them.
    Taken,
    /// By name, in the order of code points, ASCII letters in any case.
    Name,
    /// The largest first.
    Size,
}

/// Where a page begins: behind this image, whether or not it is still there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImagePosition {
    /// What the list is sorted by.
    pub key: SortKey,
    /// The row, where others have the same key.
    pub id: i64,
}

/// What an image is sorted by.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is the value of its sort")]
pub enum SortKey {
    Uploaded(Timestamp),
    Taken(Option<Timestamp>),
    Name(String),
    Size(i64),
}

/// Which images a list shows: those for which everything that is said here holds. Times are instants; `from` includes its
/// instant, `to` and `before` don't.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "each field is the query parameter of its name")]
pub struct ImageFilter {
    pub album_id: Option<i64>,
    /// In the name or the description, in any case.
    pub text: Option<String>,
    pub kind: Option<Kind>,
    pub visibility: Option<Visibility>,
    pub taken_from: Option<Timestamp>,
    pub taken_to: Option<Timestamp>,
    /// Taken on this day or later, by the clock on the wall where it was taken: midnight, as if that were in UTC.
    pub taken_day_from: Option<Timestamp>,
    /// Taken before this day.
    pub taken_day_to: Option<Timestamp>,
    /// Those of which nothing tells when they were taken.
    pub no_date: bool,
    pub uploaded_from: Option<Timestamp>,
    pub uploaded_to: Option<Timestamp>,
    /// Last seen before this, or never.
    pub unused_since: Option<Timestamp>,
    pub expiring_before: Option<Timestamp>,
    /// Those that have ended and can still be restored, in place of the live ones.
    pub ended: bool,
}

/// A page to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageQuery {
    /// Whose images; everybody's when absent.
    pub owner: Option<i64>,
    /// Which of them.
    pub filter: ImageFilter,
    /// In which order.
    pub sort: ImageSort,
    /// From where on.
    pub after: Option<ImagePosition>,
    /// How many at most.
    pub limit: i64,
    /// What ended then or before can't be restored any more.
    pub grace_began: Timestamp,
}

impl ImageSort {
    /// The value of an image that this order goes by.
    #[must_use]
    pub fn position(self, image: &ImageRecord) -> ImagePosition {
        let key = match self {
            Self::Newest | Self::Oldest => SortKey::Uploaded(image.created_at),
            Self::Taken => SortKey::Taken(image.taken_at),
            // As `lower()` does under the collation "C".
            Self::Name => SortKey::Name(image.name.to_ascii_lowercase()),
            Self::Size => SortKey::Size(i64::try_from(image.size_bytes).unwrap_or(i64::MAX)),
        };
        ImagePosition { key, id: image.id }
    }

    /// The indexed expression, and its direction.
    fn sql(self) -> (&'static str, &'static str) {
        match self {
            Self::Newest => ("image.created_at", "DESC"),
            Self::Oldest => ("image.created_at", "ASC"),
            Self::Taken => ("coalesce(image.taken_at, '-infinity'::timestamptz)", "DESC"),
            Self::Name => ("lower(image.name COLLATE \"C\")", "ASC"),
            Self::Size => ("image.size_bytes", "DESC"),
        }
    }
}

/// A page of images, in order. Fewer than the limit means that none is left.
///
/// The statement is planned anew each time, with its values: which index finds a page fastest depends on how rare what is
/// looked for is, and a plan kept for all values would be wrong for most.
pub async fn list_images(
    catalog: &Catalog,
    query: &ImageQuery,
    now: Timestamp,
) -> Result<Vec<ImageRecord>, Error> {
    const OPERATION: &str = "list images";
    let client = catalog.client(OPERATION).await?;
    let mut images = Vec::new();
    for statement in Statement::all_of(query, now) {
        let rows = client
            .query_typed(&statement.sql, &statement.typed())
            .await
            .map_err(Error::statement(OPERATION))?;
        images = rows
            .iter()
            .map(|row| read(OPERATION, row))
            .collect::<Result<_, _>>()?;
        if is_whole(query, images.len()) {
            break;
        }
    }
    Ok(images)
}

/// Whether a page is as long as it may be. One that is not may still be all there is: the next statement tells.
fn is_whole(query: &ImageQuery, rows: usize) -> bool {
    i64::try_from(rows).is_ok_and(|rows| rows >= query.limit)
}

/// How Postgres finds a page, and how many blocks that touches (`EXPLAIN`), for tests and for whoever wonders why a list is slow: a plan for each statement
/// that was asked, with an empty line between them.
pub async fn explain_list(catalog: &Catalog, query: &ImageQuery, now: Timestamp) -> Result<String, Error> {
    const OPERATION: &str = "explain a list of images";
    let client = catalog.client(OPERATION).await?;
    let mut plans = Vec::new();
    for statement in Statement::all_of(query, now) {
        let sql = format!("EXPLAIN (ANALYZE, BUFFERS) {}", statement.sql);
        let rows = client
            .query_typed(&sql, &statement.typed())
            .await
            .map_err(Error::statement(OPERATION))?;
        let lines: Vec<&str> = rows.iter().map(|row| row.get(0)).collect();
        plans.push(lines.join("\n"));
        let found = client
            .query_typed(&statement.sql, &statement.typed())
            .await
            .map_err(Error::statement(OPERATION))?;
        if is_whole(query, found.len()) {
            break;
        }
    }
    Ok(plans.join("\n\n"))
}
