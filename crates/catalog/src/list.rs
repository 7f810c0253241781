use std::fmt::Write as _;

use domain::{Kind, Visibility};
use jiff::Timestamp;
use tokio_postgres::types::{ToSql, Type};

use crate::{
    Catalog, Error,
    image::{COLUMNS, ImageRecord, read},
};

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
    let statement = Statement::of(query, now);
    let client = catalog.client(OPERATION).await?;
    let rows = client
        .query_typed(&statement.sql, &statement.typed())
        .await
        .map_err(Error::statement(OPERATION))?;
    rows.iter().map(|row| read(OPERATION, row)).collect()
}

/// How Postgres finds a page, and how many blocks that touches (`EXPLAIN`), for tests and for whoever wonders why a list is slow.
pub async fn explain_list(catalog: &Catalog, query: &ImageQuery, now: Timestamp) -> Result<String, Error> {
    const OPERATION: &str = "explain a list of images";
    let statement = Statement::of(query, now);
    let client = catalog.client(OPERATION).await?;
    let rows = client
        .query_typed(
            &format!("EXPLAIN (ANALYZE, BUFFERS) {}", statement.sql),
            &statement.typed(),
        )
        .await
        .map_err(Error::statement(OPERATION))?;
    let lines: Vec<&str> = rows.iter().map(|row| row.get(0)).collect();
    Ok(lines.join("\n"))
}

type Parameter = Box<dyn ToSql + Sync + Send>;

/// A statement in the making. Only words of this file get into its text; every value is a parameter.
struct Statement {
    sql: String,
    parameters: Vec<(Parameter, Type)>,
}

impl Statement {
    fn of(query: &ImageQuery, now: Timestamp) -> Self {
        let mut statement = Self {
            sql: String::new(),
            parameters: Vec::new(),
        };
        let (key, direction) = query.sort.sql();
        let owner = match query.owner {
            Some(owner) => statement.add(owner, Type::INT8),
            None => "owner.id".to_owned(),
        };
        let mut conditions = format!("image.account_id = {owner}");
        statement.filter(query, &owner, now, &mut conditions);
        if let Some(after) = &query.after {
            let beyond = statement.behind(after, query.sort);
            let _infallible = write!(conditions, " AND {beyond}");
        }
        let limit = statement.add(query.limit, Type::INT8);
        let pages: Vec<String> = statement
            .classes(&query.filter)
            .iter()
            .map(|class| {
                format!(
                    "SELECT image.*, {key} AS sort_key FROM image WHERE {conditions}{class}
                     ORDER BY {key} {direction}, image.id {direction} LIMIT {limit}"
                )
            })
            .collect();
        let page = match &pages[..] {
            [page] => page.clone(),
            _ => format!(
                "SELECT page.* FROM (({})) AS page ORDER BY page.sort_key {direction}, page.id {direction} LIMIT {limit}",
                pages.join(") UNION ALL (")
            ),
        };
        // Each owner's page by their own index, and of those the first: an administrator's list needs no second set of indexes.
        let page = if query.owner.is_some() {
            page
        } else {
            let owners = statement.owners(&query.filter);
            format!(
                "SELECT page.* FROM {owners} AS owner CROSS JOIN LATERAL ({page}) AS page
                 ORDER BY page.sort_key {direction}, page.id {direction} LIMIT {limit}"
            )
        };
        statement.sql = format!(
            "SELECT {COLUMNS} FROM ({page}) AS image JOIN blob ON blob.id = image.blob_id
             ORDER BY image.sort_key {direction}, image.id {direction}"
        );
        statement
    }

    /// The parameters as the driver takes them.
    fn typed(&self) -> Vec<(&(dyn ToSql + Sync), Type)> {
        self.parameters
            .iter()
            .map(|(value, kind)| (&**value as &(dyn ToSql + Sync), kind.clone()))
            .collect()
    }

    fn add(&mut self, value: impl ToSql + Sync + Send + 'static, kind: Type) -> String {
        self.parameters.push((Box::new(value), kind));
        format!("${}", self.parameters.len())
    }

    /// Those who can have images of such a list: an album has one owner, and nothing of it is to be looked for among the images of others.
    fn owners(&mut self, filter: &ImageFilter) -> String {
        match filter.album_id {
            Some(album) => {
                let album = self.add(album, Type::INT8);
                format!("(SELECT account_id AS id FROM album WHERE id = {album})")
            }
            None => "account".to_owned(),
        }
    }

    /// What lies behind a position.
    fn behind(&mut self, after: &ImagePosition, sort: ImageSort) -> String {
        let (key, direction) = sort.sql();
        let value = match after.key.clone() {
            SortKey::Uploaded(at) | SortKey::Taken(Some(at)) => self.add(at, Type::TIMESTAMPTZ),
            // Behind the first without a date are only such. Of a comparison of rows with the least value there is, Postgres
            // thinks that next to nothing passes it, and reads all that does.
            SortKey::Taken(None) => {
                let id = self.add(after.id, Type::INT8);
                return format!("{key} = '-infinity'::timestamptz AND image.id < {id}");
            }
            SortKey::Name(name) => self.add(name, Type::TEXT),
            SortKey::Size(bytes) => self.add(bytes, Type::INT8),
        };
        let id = self.add(after.id, Type::INT8);
        let beyond = if direction == "ASC" { ">" } else { "<" };
        format!("({key}, image.id) {beyond} ({value}, {id})")
    }

    /// A condition for each class of images, a kind with a visibility, that the list shows; one without any where it shows all. Each order has an index
    /// in which every class is apart, so that a page is a short walk in each of them however rare they are, and of those the first.
    fn classes(&mut self, filter: &ImageFilter) -> Vec<String> {
        if filter.kind.is_none() && filter.visibility.is_none() {
            return vec![String::new()];
        }
        let words = |all: &[&'static str], said: Option<&'static str>| {
            said.map_or_else(|| all.to_vec(), |word| vec![word])
        };
        let kinds = words(&Kind::ALL.map(Kind::as_str), filter.kind.map(Kind::as_str));
        let visibilities = words(
            &Visibility::ALL.map(Visibility::as_str),
            filter.visibility.map(Visibility::as_str),
        );
        let mut parameters = |words: Vec<&'static str>| -> Vec<String> {
            words.into_iter().map(|word| self.add(word, Type::TEXT)).collect()
        };
        let (kinds, visibilities) = (parameters(kinds), parameters(visibilities));
        let of_kind = |kind: &String| {
            let also = |visibility| format!(" AND image.kind = {kind} AND image.visibility = {visibility}");
            visibilities.iter().map(also).collect::<Vec<_>>()
        };
        kinds.iter().flat_map(of_kind).collect()
    }

    fn filter(&mut self, query: &ImageQuery, owner: &str, now: Timestamp, conditions: &mut String) {
        let filter = &query.filter;
        let mut also = |condition: String| {
            conditions.push_str(" AND ");
            conditions.push_str(&condition);
        };
        if filter.ended {
            let began = self.add(query.grace_began, Type::TIMESTAMPTZ);
            also(format!("image.ended_at > {began}"));
        } else {
            let now = self.add(now, Type::TIMESTAMPTZ);
            also(format!(
                "image.ended_at IS NULL AND (image.expires_at IS NULL OR image.expires_at > {now})"
            ));
        }
        let instants = [
            (
                "coalesce(image.taken_at, '-infinity'::timestamptz) >=",
                filter.taken_from,
            ),
            (
                "image.taken_at IS NOT NULL AND coalesce(image.taken_at, '-infinity'::timestamptz) <",
                filter.taken_to,
            ),
            ("image.created_at >=", filter.uploaded_from),
            ("image.created_at <", filter.uploaded_to),
            ("image.expires_at <", filter.expiring_before),
        ];
        for (condition, at) in instants {
            if let Some(at) = at {
                let at = self.add(at, Type::TIMESTAMPTZ);
                also(format!("{condition} {at}"));
            }
        }
        if filter.no_date {
            also("coalesce(image.taken_at, '-infinity'::timestamptz) = '-infinity'::timestamptz".to_owned());
        }
        // The zone is looked at behind the index, which knows instants: no clock is further from UTC than eighteen hours.
        let wall = "image.taken_at + make_interval(mins => coalesce(image.taken_offset_minutes, 0)::integer)";
        for (day, beyond, margin) in [
            (filter.taken_day_from, ">=", "- interval '18 hours'"),
            (filter.taken_day_to, "<", "+ interval '18 hours'"),
        ] {
            if let Some(day) = day {
                let day = self.add(day, Type::TIMESTAMPTZ);
                also(format!(
                    "image.taken_at IS NOT NULL AND coalesce(image.taken_at, '-infinity'::timestamptz) {beyond} {day} {margin} AND {wall} {beyond} {day}"
                ));
            }
        }
        if let Some(album) = filter.album_id {
            let album = self.add(album, Type::INT8);
            also(format!("image.album_id = {album}"));
        }
        if let Some(since) = filter.unused_since {
            // By the day, and on its last day by the second: one look-up each, which no plan turns into a walk over all counts.
            let since = self.add(since, Type::TIMESTAMPTZ);
            let day = format!("({since} AT TIME ZONE 'UTC')::date");
            let last =
                "(SELECT last_viewed_at FROM view_count WHERE view_count.image_id = image_seen.image_id)";
            also(format!(
                "image.id IN (SELECT image_id FROM image_seen WHERE account_id = {owner} AND seen_on <= {day}
                     AND (seen_on < {day} OR coalesce({last}, '-infinity') < {since}))"
            ));
        }
        if let Some(text) = &filter.text {
            let text = self.add(text.clone(), Type::TEXT);
            also(format!(
                "(strpos(lower(image.name), lower({text})) > 0 OR strpos(lower(image.description), lower({text})) > 0)"
            ));
            if !filter.ended {
                // What the index of terms finds when it is rare, and a walk along the list when it is common: the condition is there
                // twice. An owner only where it is a value that is known before the plan is made: of any other one Postgres
                // can't tell how common it is.
                let owner = match owner.strip_prefix('$') {
                    Some(_) => format!("ARRAY['account=' || {owner}::text] || "),
                    None => String::new(),
                };
                also(format!(
                    "image_terms(image.account_id, image.kind, image.visibility, image.name, image.description) @> ({owner}search_terms({text}))"
                ));
            }
        }
    }
}
