use domain::{MediaType, PublicId};
use jiff::{Timestamp, civil::Date};
use tokio_postgres::{Row, types::ToSql};

use crate::{
    Catalog, Error,
    usage::{
        DAYS, EXPIRING, EXPIRING_FIRST, HELD, Period, SITES, STATEMENTS, STORAGE, SiteUse, TOP_IMAGES,
        TopImage, Use, ask, of_owner, read_site, read_use,
    },
};

/// What an account has and what became of it in a period; or all accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stats {
    /// Live images, as of the last expiry pass.
    pub images: u64,
    /// Bytes that they would take if none were shared.
    pub bytes: u64,
    /// By day, the first first; days on which nothing was asked for are not among them.
    pub days: Vec<(Date, Use)>,
    /// The most viewed, the first first.
    pub top_images: Vec<TopImage>,
    /// By site, the one with the most views first, then the one with the most refusals.
    pub sites: Vec<SiteUse>,
    /// By format, the largest first.
    pub storage: Vec<Stored>,
    /// How many images end by themselves before the end of the time that was asked about; counted up to 10,000.
    pub expiring: u64,
    /// The first of them.
    pub expiring_first: Vec<Expiring>,
}

/// What images of one format take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The format, as a MIME type.
    pub media_type: String,
    /// `image` or `video`.
    pub kind: String,
    /// Live images.
    pub images: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// An image that is about to end by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expiring {
    /// Its name in URLs.
    pub public_id: PublicId,
    /// Its file name.
    pub name: String,
    /// Its format.
    pub media_type: MediaType,
    /// When.
    pub expires_at: Timestamp,
}

const OPERATION: &str = "say how everything is used";

/// Of the account `owner`, or of all. `soon` is until when images that end by themselves are told of.
pub async fn stats(
    catalog: &Catalog,
    owner: Option<i64>,
    period: Period,
    now: Timestamp,
    soon: Timestamp,
) -> Result<Stats, Error> {
    let parameters: [&(dyn ToSql + Sync); 5] = [&owner, &period.from, &period.to, &now, &soon];
    let rows = async |sql: &str| ask(catalog, OPERATION, &of_owner(sql, owner), &parameters).await;
    let (held, expiring) = (rows(HELD).await?, rows(EXPIRING).await?);
    let first = |rows: &[Row], column: usize| rows.first().map_or(0, |row| number(row, column));
    Ok(Stats {
        images: first(&held, 0),
        bytes: first(&held, 1),
        days: rows(DAYS)
            .await?
            .iter()
            .map(|row| (row.get("day"), read_use(row)))
            .collect(),
        top_images: rows(TOP_IMAGES)
            .await?
            .iter()
            .map(read_top)
            .collect::<Result<_, _>>()?,
        sites: rows(SITES).await?.iter().map(read_site).collect(),
        storage: rows(STORAGE).await?.iter().map(read_stored).collect(),
        expiring: first(&expiring, 0),
        expiring_first: rows(EXPIRING_FIRST)
            .await?
            .iter()
            .map(read_expiring)
            .collect::<Result<_, _>>()?,
    })
}

/// How Postgres would find the answer, statement by statement: for tests that hold it to its indexes.
pub async fn explain_stats(
    catalog: &Catalog,
    owner: Option<i64>,
    period: Period,
    now: Timestamp,
    soon: Timestamp,
) -> Result<Vec<String>, Error> {
    let parameters: [&(dyn ToSql + Sync); 5] = [&owner, &period.from, &period.to, &now, &soon];
    let mut plans = Vec::new();
    for sql in STATEMENTS {
        let sql = format!("EXPLAIN {}", of_owner(sql, owner));
        let lines = ask(catalog, OPERATION, &sql, &parameters).await?;
        plans.push(
            lines
                .iter()
                .map(|row| row.get::<_, &str>(0).to_owned() + "\n")
                .collect(),
        );
    }
    Ok(plans)
}

fn number(row: &Row, column: usize) -> u64 {
    row.get::<_, i64>(column).unsigned_abs()
}

fn public_id(row: &Row) -> Result<PublicId, Error> {
    row.get::<_, &str>("public_id")
        .parse()
        .map_err(|error| Error::row(OPERATION, error))
}

fn media_type(row: &Row) -> Result<MediaType, Error> {
    let mime = row.get::<_, &str>("media_type");
    MediaType::from_mime(mime).ok_or_else(|| Error::row(OPERATION, mime))
}

fn read_top(row: &Row) -> Result<TopImage, Error> {
    Ok(TopImage {
        public_id: public_id(row)?,
        name: row.get("name"),
        media_type: media_type(row)?,
        views: number(row, 3),
        bytes: number(row, 4),
    })
}

fn read_stored(row: &Row) -> Stored {
    Stored {
        media_type: row.get(0),
        kind: row.get(1),
        images: number(row, 2),
        bytes: number(row, 3),
    }
}

fn read_expiring(row: &Row) -> Result<Expiring, Error> {
    Ok(Expiring {
        public_id: public_id(row)?,
        name: row.get("name"),
        media_type: media_type(row)?,
        expires_at: row.get("expires_at"),
    })
}
