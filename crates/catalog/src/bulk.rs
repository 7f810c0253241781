mod locks;

use std::{collections::HashMap, net::IpAddr, time::Duration};

use deadpool_postgres::Transaction;
use domain::{Expiry, PublicId, Visibility};
use jiff::Timestamp;
use tokio_postgres::{Row, types::ToSql};

use crate::{
    Catalog, ChangeError, Error, RestoreTerms, restore::bring_back, upload_rules::rules_of_albums,
    withdraw::Locked,
};
use locks::{hold_any_album, lock_many};

const OPERATION: &str = "change many images";

/// What to do to many images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BulkAction {
    /// End them.
    Withdraw,
    /// Bring them back. Those whose time is over live as long as a new upload into their album.
    Restore {
        /// How long those live of whose album no policy says.
        lifetime: Duration,
        /// What ended then or before is gone for good.
        grace_began: Timestamp,
    },
    /// Put them into this album of their owner's, if it lets them live as long as they do.
    Move(i64),
    /// Let them end then, where their albums let them live so long.
    Expire(Expiry),
    /// Let these see them.
    Show(Visibility),
}

impl BulkAction {
    fn event(self) -> &'static str {
        match self {
            Self::Withdraw => "withdraw",
            Self::Restore { .. } => "restore",
            Self::Move(_) | Self::Expire(_) | Self::Show(_) => "change",
        }
    }
}

/// Who asks for it.
#[derive(Debug, Clone, Copy)]
pub struct BulkCaller {
    /// Whose images may be touched; everybody's when absent.
    pub owner: Option<i64>,
    /// The only album whose images may be touched; of all albums when absent.
    pub album_id: Option<i64>,
    /// The account that the audit log names.
    pub account_id: i64,
    /// From where.
    pub client_address: Option<IpAddr>,
}

/// Images in one transaction: enough to share a commit, few enough not to hold up uploads of the same bytes for long.
const BATCH: usize = 200;

/// Does one thing to many images and says for each whether it was done. Each batch is one transaction, so after a failure of the
/// database some batches are done and the others are not; the same request may be sent again.
///
/// INVARIANT: rows are locked in the order of their numbers, blobs before images before accounts, so that two of these, and
/// anything else, can't wait for each other.
pub async fn change_many(
    catalog: &Catalog,
    caller: BulkCaller,
    ids: &[PublicId],
    action: BulkAction,
    now: Timestamp,
) -> Result<HashMap<PublicId, Result<(), ChangeError>>, Error> {
    let mut unique = ids.to_vec();
    unique.sort_unstable();
    unique.dedup();
    let outcomes = change_batches(catalog, caller, &unique, action, now).await;
    // Some batches may be done even where another failed.
    catalog.until_heard().await;
    outcomes
}

async fn change_batches(
    catalog: &Catalog,
    caller: BulkCaller,
    unique: &[PublicId],
    action: BulkAction,
    now: Timestamp,
) -> Result<Outcomes, Error> {
    let mut outcomes = HashMap::with_capacity(unique.len());
    let mut client = catalog.client(OPERATION).await?;
    for batch in unique.chunks(BATCH) {
        let transaction = client.transaction().await.map_err(Error::statement(OPERATION))?;
        let done = change_batch(&transaction, caller, batch, action, now).await?;
        let changed: Vec<&str> = done
            .iter()
            .filter(|(_, outcome)| outcome.is_ok())
            .map(|(id, _)| id.as_str())
            .collect();
        record_all(&transaction, caller, action.event(), &changed, now).await?;
        transaction.commit().await.map_err(Error::statement(OPERATION))?;
        outcomes.extend(done);
    }
    Ok(outcomes)
}

/// Sets one column of the live images among `$1` to `$2`; others may stand before it.
macro_rules! set_sql {
    ($column:literal) => {
        concat!(
            "WITH target AS (
                 SELECT id FROM image
                 WHERE public_id = ANY ($1) AND ($4::bigint IS NULL OR account_id = $4)
                   AND ($5::bigint IS NULL OR album_id = $5)
                   AND ended_at IS NULL AND (expires_at IS NULL OR expires_at > $3) ORDER BY id FOR UPDATE
             )
             UPDATE image SET ",
            $column,
            " = $2, updated_at = $3 FROM target WHERE image.id = target.id RETURNING public_id"
        )
    };
}

type Values<'a> = &'a [&'a (dyn ToSql + Sync)];
type Outcomes = HashMap<PublicId, Result<(), ChangeError>>;

async fn change_batch(
    transaction: &Transaction<'_>,
    caller: BulkCaller,
    ids: &[PublicId],
    action: BulkAction,
    now: Timestamp,
) -> Result<Outcomes, Error> {
    let texts: Vec<&str> = ids.iter().map(PublicId::as_str).collect();
    let mut outcomes: Outcomes = ids.iter().map(|id| (*id, Err(ChangeError::NotFound))).collect();
    match action {
        BulkAction::Withdraw => {
            for (id, image) in lock_many(transaction, caller, &texts, now).await? {
                if image.is_live {
                    crate::withdraw::end(transaction, image.account_id, &image.locked, now).await?;
                    outcomes.insert(id, Ok(()));
                }
            }
        }
        BulkAction::Restore {
            lifetime,
            grace_began,
        } => {
            let images = lock_many(transaction, caller, &texts, now).await?;
            let albums: Vec<i64> = images.iter().map(|(_, image)| image.album_id).collect();
            let rules = rules_of_albums(transaction, &albums, lifetime).await?;
            for (id, image) in images {
                let terms = RestoreTerms {
                    renewed: Expiry::after(rules[&image.album_id].lifetime, now),
                    grace_began,
                };
                let restored =
                    bring_back_alone(transaction, image.account_id, &image.locked, terms, now).await?;
                outcomes.insert(id, restored);
            }
        }
        BulkAction::Move(album_id) => {
            let Some(account_id) = hold_any_album(transaction, caller.owner, album_id).await? else {
                for outcome in outcomes.values_mut() {
                    *outcome = Err(ChangeError::NoSuchAlbum);
                }
                return Ok(outcomes);
            };
            let texts = endable(
                transaction,
                BulkCaller {
                    owner: Some(account_id),
                    ..caller
                },
                &texts,
                Ending::In(album_id),
                now,
                &mut outcomes,
            )
            .await?;
            let values: Values<'_> = &[&texts, &album_id, &now, &Some(account_id), &caller.album_id];
            done(transaction, set_sql!("album_id"), values, &mut outcomes).await?;
        }
        BulkAction::Expire(expiry) => {
            let texts = endable(
                transaction,
                caller,
                &texts,
                Ending::At(expiry),
                now,
                &mut outcomes,
            )
            .await?;
            let values: Values<'_> = &[&texts, &expiry.at(), &now, &caller.owner, &caller.album_id];
            done(
                transaction,
                set_sql!("ends_by_policy = false, expires_at"),
                values,
                &mut outcomes,
            )
            .await?;
        }
        BulkAction::Show(visibility) => {
            let values: Values<'_> = &[
                &texts,
                &visibility.as_str(),
                &now,
                &caller.owner,
                &caller.album_id,
            ];
            done(transaction, set_sql!("visibility"), values, &mut outcomes).await?;
        }
    }
    Ok(outcomes)
}

/// Runs a statement that gives the ids that it changed, and notes them.
async fn done(
    transaction: &Transaction<'_>,
    sql: &str,
    values: Values<'_>,
    outcomes: &mut Outcomes,
) -> Result<(), Error> {
    let rows = transaction
        .query(sql, values)
        .await
        .map_err(Error::statement(OPERATION))?;
    for row in rows {
        let id: &str = row.get(0);
        outcomes.insert(id.parse().map_err(|error| Error::row(OPERATION, error))?, Ok(()));
    }
    Ok(())
}

/// What a change has to do with when images end.
enum Ending {
    /// They end then, in their own albums.
    At(Expiry),
    /// They end when they do, in this album.
    In(i64),
}

/// Locks the live images among these, and gives those that their album lets live until they are to end. The others' outcomes say why
/// not.
async fn endable(
    transaction: &Transaction<'_>,
    caller: BulkCaller,
    texts: &[&str],
    ending: Ending,
    now: Timestamp,
    outcomes: &mut Outcomes,
) -> Result<Vec<String>, Error> {
    const LOCK: &str = "
        SELECT public_id, album_id, expires_at FROM image
        WHERE public_id = ANY ($1) AND ($2::bigint IS NULL OR account_id = $2) AND ($4::bigint IS NULL OR album_id = $4)
          AND ended_at IS NULL AND (expires_at IS NULL OR expires_at > $3) ORDER BY id FOR UPDATE";
    let rows = transaction
        .query(LOCK, &[&texts, &caller.owner, &now, &caller.album_id])
        .await
        .map_err(Error::statement(OPERATION))?;
    let album = |row: &Row| match ending {
        Ending::At(_) => row.get("album_id"),
        Ending::In(album) => album,
    };
    let albums: Vec<i64> = rows.iter().map(album).collect();
    let rules = rules_of_albums(transaction, &albums, Duration::ZERO).await?;
    let mut endable = Vec::with_capacity(rows.len());
    for row in &rows {
        let id: &str = row.get("public_id");
        let expiry = match ending {
            Ending::At(expiry) => expiry,
            // It stays where it is.
            Ending::In(album) if row.get::<_, i64>("album_id") == album => Expiry::At(now),
            Ending::In(_) => Expiry::from_option(row.get("expires_at")),
        };
        match rules[&album(row)].allow(expiry, now) {
            Ok(()) => endable.push(id.to_owned()),
            Err(too_long) => {
                let id = id.parse().map_err(|error| Error::row(OPERATION, error))?;
                outcomes.insert(id, Err(too_long.into()));
            }
        }
    }
    Ok(endable)
}

/// Restores one of many. What keeps this one from it is its own outcome, and undone; a failure of the database is everybody's.
async fn bring_back_alone(
    transaction: &Transaction<'_>,
    account_id: i64,
    locked: &Locked,
    terms: RestoreTerms,
    now: Timestamp,
) -> Result<Result<(), ChangeError>, Error> {
    let run = async |sql| {
        transaction
            .batch_execute(sql)
            .await
            .map_err(Error::statement(OPERATION))
    };
    run("SAVEPOINT one").await?;
    match bring_back(transaction, account_id, locked, terms, now).await {
        Ok(_) => {
            run("RELEASE SAVEPOINT one").await?;
            Ok(Ok(()))
        }
        Err(ChangeError::Catalog(error)) => Err(error),
        Err(refused) => {
            run("ROLLBACK TO SAVEPOINT one").await?;
            Ok(Err(refused))
        }
    }
}

async fn record_all(
    transaction: &Transaction<'_>,
    caller: BulkCaller,
    kind: &str,
    ids: &[&str],
    now: Timestamp,
) -> Result<(), Error> {
    const SQL: &str = "
        INSERT INTO event (at, kind, account_id, client_address, subject, detail)
        SELECT $1, $2, $3, $4, subject, '{\"bulk\": true}' FROM unnest($5::text[]) AS changed (subject)";
    transaction
        .execute(
            SQL,
            &[&now, &kind, &caller.account_id, &caller.client_address, &ids],
        )
        .await
        .map(drop)
        .map_err(Error::statement(OPERATION))
}
