//! Pages by number, as older hosts' clients ask for them. Each counts what it shows, so it costs more than a list that goes on from
//! where it ended: the native API has no such pages.

use jiff::Timestamp;

use crate::{
    AlbumRecord, Catalog, Error, ImageRecord, albums,
    image::{COLUMNS, read},
};

/// What a page by number is sorted by, each ascending or descending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is the column of its name")]
pub enum NumberedColumn {
    Id,
    Name,
    Description,
    CreatedAt,
    UpdatedAt,
    /// Of images only.
    SizeBytes,
}

/// A page of an account's own images or albums.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NumberedQuery {
    /// Whose.
    pub account_id: i64,
    /// Only images of this album; only this album.
    pub album_id: Option<i64>,
    /// Somewhere in the name, in any case.
    pub name: Option<String>,
    /// Somewhere in the description, in any case.
    pub description: Option<String>,
    /// The order; true is descending. The row's number breaks ties.
    pub order: Vec<(NumberedColumn, bool)>,
    /// From 1.
    pub page: i64,
    /// Entries of a page.
    pub number: i64,
}

/// One page, and how many entries all pages have together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbered<T> {
    /// The entries of this page.
    pub entries: Vec<T>,
    /// The entries of all pages.
    pub total: i64,
}

impl NumberedQuery {
    fn offset(&self) -> i64 {
        (self.page.max(1) - 1).saturating_mul(self.number)
    }

    /// Only words of this file get into a statement.
    fn order_by(&self, table: &str) -> String {
        let columns = self.order.iter().map(|(column, descending)| {
            let column = match column {
                NumberedColumn::Id => "id",
                NumberedColumn::Name => "name",
                NumberedColumn::Description => "description",
                NumberedColumn::CreatedAt => "created_at",
                NumberedColumn::UpdatedAt => "updated_at",
                NumberedColumn::SizeBytes => "size_bytes",
            };
            let direction = if *descending { "DESC" } else { "ASC" };
            format!("{table}.{column} {direction}")
        });
        let ties = format!("{table}.id");
        columns.chain([ties]).collect::<Vec<_>>().join(", ")
    }
}

/// A page of an account's live images.
pub async fn number_images(
    catalog: &Catalog,
    query: &NumberedQuery,
    now: Timestamp,
) -> Result<Numbered<ImageRecord>, Error> {
    const OPERATION: &str = "list images by page";
    const WHERE: &str = "
        image.account_id = $1 AND image.ended_at IS NULL AND (image.expires_at IS NULL OR image.expires_at > $2)
        AND ($3::bigint IS NULL OR image.album_id = $3)
        AND ($4::text IS NULL OR strpos(lower(image.name), lower($4)) > 0)
        AND ($5::text IS NULL OR strpos(lower(image.description), lower($5)) > 0)";
    let client = catalog.client(OPERATION).await?;
    let total = client
        .query_one(
            &format!("SELECT count(*) FROM image WHERE {WHERE}"),
            &[
                &query.account_id,
                &now,
                &query.album_id,
                &query.name,
                &query.description,
            ],
        )
        .await
        .map_err(Error::statement(OPERATION))?;
    let rows = client
        .query(
            &format!(
                "SELECT {COLUMNS} FROM image JOIN blob ON blob.id = image.blob_id WHERE {WHERE} ORDER BY {} LIMIT $6 OFFSET $7",
                query.order_by("image")
            ),
            &[
                &query.account_id,
                &now,
                &query.album_id,
                &query.name,
                &query.description,
                &query.number,
                &query.offset(),
            ],
        )
        .await
        .map_err(Error::statement(OPERATION))?;
    let entries: Result<_, _> = rows.iter().map(|row| read(OPERATION, row)).collect();
    Ok(Numbered {
        entries: entries?,
        total: total.get(0),
    })
}

/// A page of an account's albums.
pub async fn number_albums(catalog: &Catalog, query: &NumberedQuery) -> Result<Numbered<AlbumRecord>, Error> {
    const OPERATION: &str = "list albums by page";
    const WHERE: &str = "
        album.account_id = $1
        AND ($2::text IS NULL OR strpos(lower(album.name), lower($2)) > 0)
        AND ($3::text IS NULL OR strpos(lower(album.description), lower($3)) > 0)
        AND ($4::bigint IS NULL OR album.id = $4)";
    let client = catalog.client(OPERATION).await?;
    let total = client
        .query_one(
            &format!("SELECT count(*) FROM album WHERE {WHERE}"),
            &[
                &query.account_id,
                &query.name,
                &query.description,
                &query.album_id,
            ],
        )
        .await
        .map_err(Error::statement(OPERATION))?;
    let rows = client
        .query(
            &format!(
                "SELECT {} FROM album WHERE {WHERE} ORDER BY {} LIMIT $5 OFFSET $6",
                albums::COLUMNS,
                query.order_by("album")
            ),
            &[
                &query.account_id,
                &query.name,
                &query.description,
                &query.album_id,
                &query.number,
                &query.offset(),
            ],
        )
        .await
        .map_err(Error::statement(OPERATION))?;
    Ok(Numbered {
        entries: rows.iter().map(albums::read).collect(),
        total: total.get(0),
    })
}

/// An account's live image by its row's number, which older hosts call it by.
pub async fn find_image_by_number(
    catalog: &Catalog,
    account_id: i64,
    id: i64,
    now: Timestamp,
) -> Result<Option<ImageRecord>, Error> {
    const OPERATION: &str = "find an image by its number";
    let sql = format!(
        "SELECT {COLUMNS} FROM image JOIN blob ON blob.id = image.blob_id
         WHERE image.id = $1 AND image.account_id = $2 AND image.ended_at IS NULL AND (image.expires_at IS NULL OR image.expires_at > $3)"
    );
    let client = catalog.client(OPERATION).await?;
    let row = client
        .query_opt(&sql, &[&id, &account_id, &now])
        .await
        .map_err(Error::statement(OPERATION))?;
    row.map(|row| read(OPERATION, &row)).transpose()
}
