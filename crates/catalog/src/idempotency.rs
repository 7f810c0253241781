use domain::Sha256;
use jiff::Timestamp;

use crate::{Catalog, Error};

/// What names a request that is to be done once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// Whose request it is.
    pub account_id: i64,
    /// The hash of the key that the client chose.
    pub hash: Sha256,
}

/// One try to do such a request.
#[derive(Debug, Clone, Copy)]
pub struct IdempotencyClaim {
    /// Which request.
    pub key: IdempotencyKey,
    /// Which try: 16 random bytes.
    pub holder: [u8; 16],
}

/// An answer that was given and kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    /// Of the request that it answered.
    pub fingerprint: Sha256,
    /// The answer, sealed.
    pub sealed: Vec<u8>,
}

/// What stands behind a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claimed {
    /// Nothing did; from now on this try does.
    Ours,
    /// Another try is under way.
    UnderWay,
    /// It was done.
    Answered(KeptAnswer),
}

/// Claims a key until `until`, for an answer that is kept until `expires_at`. A claim that is past its time, and an answer that is
/// past its own, are as good as none.
pub async fn claim_request(
    catalog: &Catalog,
    claim: &IdempotencyClaim,
    until: Timestamp,
    expires_at: Timestamp,
    now: Timestamp,
) -> Result<Claimed, Error> {
    const OPERATION: &str = "claim an idempotency key";
    const CLAIM: &str = "
        INSERT INTO idempotency AS kept (account_id, key_hash, holder, claimed_until, expires_at) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (account_id, key_hash) DO UPDATE SET holder = excluded.holder, claimed_until = excluded.claimed_until,
            expires_at = excluded.expires_at, fingerprint = NULL, answer = NULL
        WHERE kept.expires_at <= $6 OR (kept.answer IS NULL AND kept.claimed_until <= $6)";
    const FIND: &str = "
        SELECT fingerprint, answer FROM idempotency WHERE account_id = $1 AND key_hash = $2 AND answer IS NOT NULL";
    let client = catalog.client(OPERATION).await?;
    let (account_id, hash) = (claim.key.account_id, claim.key.hash.0.as_slice());
    let holder = claim.holder.as_slice();
    let claimed = client
        .execute(CLAIM, &[&account_id, &hash, &holder, &until, &expires_at, &now])
        .await
        .map_err(Error::statement(OPERATION))?;
    if claimed == 1 {
        return Ok(Claimed::Ours);
    }
    let row = client
        .query_opt(FIND, &[&account_id, &hash])
        .await
        .map_err(Error::statement(OPERATION))?;
    // A claim that was given up between the two is free for the next try.
    let Some(row) = row else {
        return Ok(Claimed::UnderWay);
    };
    Ok(Claimed::Answered(KeptAnswer {
        fingerprint: Sha256::from_slice(row.get("fingerprint"))
            .map_err(|error| Error::row(OPERATION, error))?,
        sealed: row.get("answer"),
    }))
}

/// Goes on holding a claim; false when it was lost.
pub async fn renew_claim(
    catalog: &Catalog,
    claim: &IdempotencyClaim,
    until: Timestamp,
) -> Result<bool, Error> {
    const SQL: &str = "
        UPDATE idempotency SET claimed_until = $4
        WHERE account_id = $1 AND key_hash = $2 AND holder = $3 AND answer IS NULL";
    run(catalog, "renew an idempotency key", SQL, claim, &[&until]).await
}

/// Keeps the answer of a request that is done; false when the claim was lost.
pub async fn keep_answer(
    catalog: &Catalog,
    claim: &IdempotencyClaim,
    answer: &KeptAnswer,
) -> Result<bool, Error> {
    const SQL: &str = "
        UPDATE idempotency SET fingerprint = $4, answer = $5
        WHERE account_id = $1 AND key_hash = $2 AND holder = $3 AND answer IS NULL";
    let fingerprint = answer.fingerprint.0.as_slice();
    run(
        catalog,
        "keep an answer",
        SQL,
        claim,
        &[&fingerprint, &answer.sealed],
    )
    .await
}

/// Gives a claim up: nothing was done, so the next try may do it.
pub async fn release_claim(catalog: &Catalog, claim: &IdempotencyClaim) -> Result<bool, Error> {
    const SQL: &str = "
        DELETE FROM idempotency WHERE account_id = $1 AND key_hash = $2 AND holder = $3 AND answer IS NULL";
    run(catalog, "release an idempotency key", SQL, claim, &[]).await
}

async fn run(
    catalog: &Catalog,
    operation: &'static str,
    sql: &str,
    claim: &IdempotencyClaim,
    more: &[&(dyn tokio_postgres::types::ToSql + Sync)],
) -> Result<bool, Error> {
    let (hash, holder) = (claim.key.hash.0.as_slice(), claim.holder.as_slice());
    let mut parameters: Vec<&(dyn tokio_postgres::types::ToSql + Sync)> =
        vec![&claim.key.account_id, &hash, &holder];
    parameters.extend_from_slice(more);
    let client = catalog.client(operation).await?;
    let rows = client
        .execute(sql, &parameters)
        .await
        .map_err(Error::statement(operation))?;
    Ok(rows == 1)
}

/// Forgets up to `limit` answers that were kept long enough at `now`, and says how many.
pub async fn forget_answers(catalog: &Catalog, limit: i64, now: Timestamp) -> Result<u64, Error> {
    const OPERATION: &str = "forget answers";
    const SQL: &str = "
        DELETE FROM idempotency WHERE (account_id, key_hash) IN
            (SELECT account_id, key_hash FROM idempotency WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)
        AND expires_at <= $1";
    let client = catalog.client(OPERATION).await?;
    client
        .execute(SQL, &[&now, &limit])
        .await
        .map_err(Error::statement(OPERATION))
}
