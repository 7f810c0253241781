use deadpool_postgres::{ClientWrapper, Object};

use crate::{Catalog, Error};

/// Being the one janitor that works: held as long as this value lives and its session is there.
#[derive(Debug)]
pub struct Leadership {
    session: ClientWrapper,
}

impl Leadership {
    /// Becomes the leader, unless somebody else is.
    pub async fn try_acquire(catalog: &Catalog) -> Result<Option<Self>, Error> {
        const OPERATION: &str = "become the leader";
        let client = catalog.client(OPERATION).await?;
        // Taken out of the pool: the lock belongs to the session, and ends when this value is dropped and the session with it.
        let session = Object::take(client);
        let row = session
            .query_one("SELECT pg_try_advisory_lock(hashtext('berth janitor'))", &[])
            .await
            .map_err(Error::statement(OPERATION))?;
        Ok(row.get::<_, bool>(0).then_some(Self { session }))
    }

    /// Whether the session, and with it the lock, is still there.
    pub async fn is_held(&self) -> bool {
        self.session.simple_query("SELECT 1").await.is_ok()
    }
}
