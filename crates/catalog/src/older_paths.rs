use domain::PublicId;
use jiff::Timestamp;

use crate::{Catalog, Error};

/// A picture as maple's URLs name it: its owner, the month in which it came (UTC) and its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaplePath<'a> {
    /// The owner's user name, in any case.
    pub username: &'a str,
    /// When the month begins.
    pub from: Timestamp,
    /// When the next one does.
    pub until: Timestamp,
    /// The image's name.
    pub name: &'a str,
}

/// The oldest live image that such a URL names and that it may show: a public one, or an unlisted one whose name is one that this dialect
/// drew for it.
///
/// SECURITY: an unlisted image is for who has its link, and a link that can be guessed is none. A user's name, a month and `photo.png` can be; the
/// sixteen digits that an upload by this dialect is named with can't.
pub async fn find_by_maple_path(
    catalog: &Catalog,
    path: MaplePath<'_>,
    now: Timestamp,
) -> Result<Option<PublicId>, Error> {
    const OPERATION: &str = "find an image by its owner and name";
    // `lower(… COLLATE "C")` is what the index holds.
    const SQL: &str = "
        SELECT image.public_id FROM image
        JOIN account ON account.id = image.account_id AND lower(account.username) = lower($1) AND account.deleted_at IS NULL
        WHERE lower(image.name COLLATE \"C\") = lower($2 COLLATE \"C\") AND image.name = $2
          AND image.created_at >= $3 AND image.created_at < $4 AND (image.visibility = 'public' OR image.visibility = 'unlisted' AND image.name ~ '^[0-9]{16}[.]')
          AND image.ended_at IS NULL AND (image.expires_at IS NULL OR image.expires_at > $5 OR sliding(image) IS NOT NULL AND ends_at(image) > $5 - interval '3 seconds')
        ORDER BY image.id LIMIT 1";
    let client = catalog.client(OPERATION).await?;
    let statement = client
        .prepare_cached(SQL)
        .await
        .map_err(Error::statement(OPERATION))?;
    let row = client
        .query_opt(
            &statement,
            &[&path.username, &path.name, &path.from, &path.until, &now],
        )
        .await
        .map_err(Error::statement(OPERATION))?;
    let id = row.map(|row| row.get::<_, &str>(0).parse());
    id.transpose().map_err(|error| Error::row(OPERATION, error))
}
