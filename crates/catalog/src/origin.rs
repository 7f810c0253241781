use deadpool_postgres::Transaction;
use domain::{Md5, Scrub, Sha256, Taken};
use jiff::Timestamp;

use crate::{Catalog, Error};

/// What is known of a file beyond its bytes as they are stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Origin {
    /// When it was taken.
    pub taken: Option<Taken>,
    /// The digests of what was sent, where that is not what is stored.
    pub sent: Option<(Md5, Sha256)>,
}

impl Origin {
    /// The columns `taken_at`, `taken_offset_minutes` and `taken_source`.
    pub(crate) fn columns(&self) -> (Option<Timestamp>, Option<i16>, Option<&'static str>) {
        match self.taken.and_then(|taken| Some((taken.at()?, taken))) {
            Some((at, taken)) => (Some(at), taken.offset_minutes, Some(taken.source.as_str())),
            None => (None, None, None),
        }
    }

    /// Remembers what was sent, so that its owner finds it by it. The blob's row is locked.
    pub(crate) async fn remember(
        &self,
        transaction: &Transaction<'_>,
        account_id: i64,
        blob_id: i64,
    ) -> Result<(), Error> {
        const OPERATION: &str = "remember what was sent";
        const SQL: &str = "
            INSERT INTO sent_file (account_id, blob_id, sha256, md5) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
        let Some((md5, sha256)) = self.sent else {
            return Ok(());
        };
        let statement = transaction
            .prepare_cached(SQL)
            .await
            .map_err(Error::statement(OPERATION))?;
        transaction
            .execute(
                &statement,
                &[&account_id, &blob_id, &sha256.0.as_slice(), &md5.0.as_slice()],
            )
            .await
            .map_err(Error::statement(OPERATION))?;
        Ok(())
    }
}

/// What an account wants to be taken out of its files; none where it leaves that to the settings.
pub async fn find_scrub(catalog: &Catalog, account_id: i64) -> Result<Option<Scrub>, Error> {
    const OPERATION: &str = "look how to scrub";
    const SQL: &str = "SELECT scrub FROM account WHERE id = $1";
    let row = catalog.find_row(OPERATION, SQL, &[&account_id]).await?;
    let word: Option<String> = row.and_then(|row| row.get(0));
    word.map(|word| word.parse().map_err(|error| Error::row(OPERATION, error)))
        .transpose()
}
