use std::{error::Error as StdError, str::FromStr as _, sync::Arc, time::Duration};

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime};
use jiff::Timestamp;
use tokio_postgres::{Config, NoTls, Row, types::ToSql};

use crate::readers::Readers;

/// What went wrong with the database.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database can't be reached or has no connection to spare now; the same call may work later.
    #[error("the database is away ({operation})")]
    Unavailable {
        /// What was asked of it.
        operation: &'static str,
        /// Why.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
    /// A statement failed for a reason of its own: our mistake.
    #[error("the database refused: {operation}")]
    Statement {
        /// What was asked of it.
        operation: &'static str,
        /// Why.
        #[source]
        source: tokio_postgres::Error,
    },
    /// A row holds what the product never writes.
    #[error("a row makes no sense: {operation}, {what}")]
    Row {
        /// What was asked.
        operation: &'static str,
        /// What was found.
        what: String,
    },
    /// The migrations could not be applied.
    #[error("the database's tables could not be brought up to date")]
    Migration(#[source] Box<dyn StdError + Send + Sync>),
    /// The URL of the database can't be read. SECURITY: it holds a password, so it is not repeated.
    #[error("the database URL can't be read")]
    Url(#[source] tokio_postgres::Error),
}

impl Error {
    pub(crate) fn statement(operation: &'static str) -> impl FnOnce(tokio_postgres::Error) -> Self {
        move |source| {
            if is_passing(&source) {
                Self::Unavailable {
                    operation,
                    source: Box::new(source),
                }
            } else {
                Self::Statement { operation, source }
            }
        }
    }

    pub(crate) fn row(operation: &'static str, what: impl std::fmt::Display) -> Self {
        Self::Row {
            operation,
            what: what.to_string(),
        }
    }
}

/// Whether an error says nothing against the statement: the connection broke, the server is stopping or starting, it
/// took too long, or it is full. (SQLSTATE classes 08, 53, 57; 40 and 55P03 are lost races.)
fn is_passing(error: &tokio_postgres::Error) -> bool {
    error.is_closed()
        || match error.code() {
            Some(state) => {
                ["08", "53", "57", "40"]
                    .iter()
                    .any(|class| state.code().starts_with(class))
                    || state.code() == "55P03"
            }
            None => {
                error.source().is_some_and(<dyn StdError>::is::<std::io::Error>)
                    || error.to_string().contains("connect")
            }
        }
}

/// How to reach the database.
#[derive(Debug, Clone)]
pub struct CatalogSettings {
    /// `postgres://…`, or `host=/socket/folder user=… dbname=…`.
    pub url: String,
    /// Connections at most.
    pub connections: usize,
    /// What `pg_stat_activity` shows.
    pub application_name: &'static str,
}

/// A pool of connections to the database: the handle with which every question is asked.
#[derive(Debug, Clone)]
pub struct Catalog {
    pool: Pool,
    config: Config,
    readers: Arc<Readers>,
}

/// How long a caller waits for a free connection before it is told that the database is away.
const WAIT: Duration = Duration::from_secs(5);
/// How long the first question of a request may take: one that is never answered is how a database that hangs is told from one
/// that is slow. With it an upload is refused within a second.
const FIRST_ANSWER: Duration = Duration::from_millis(800);
/// How long a connection may take to open.
const CONNECT: Duration = Duration::from_secs(2);
/// No statement of ours needs longer; one that does holds locks that others wait for.
const STATEMENT_TIMEOUT: &str = "15s";

impl Catalog {
    /// Prepares a pool. Nothing is opened yet, so it works while the database is still starting.
    pub fn new(settings: &CatalogSettings) -> Result<Self, Error> {
        let mut config = Config::from_str(&settings.url).map_err(Error::Url)?;
        config.application_name(settings.application_name);
        config.connect_timeout(CONNECT);
        // Everything here is short: starting other processes for a statement, or compiling it, takes longer than most of them do, and Postgres
        // does both where it takes a rare word for a common one.
        config.options(format!(
            "-c statement_timeout={STATEMENT_TIMEOUT} -c idle_in_transaction_session_timeout=60s -c max_parallel_workers_per_gather=0 -c jit=off"
        ));
        let manager_config = ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        };
        let manager = Manager::from_config(config.clone(), NoTls, manager_config);
        let pool = Pool::builder(manager)
            .max_size(settings.connections)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(WAIT))
            .create_timeout(Some(CONNECT))
            .recycle_timeout(Some(CONNECT))
            .build()
            .map_err(|error| Error::Unavailable {
                operation: "prepare the pool",
                source: Box::new(error),
            })?;
        Ok(Self {
            pool,
            config,
            readers: Arc::default(),
        })
    }

    /// Asks the database whether it is there.
    pub async fn ping(&self) -> Result<(), Error> {
        let client = self.client("ping").await?;
        client
            .simple_query("SELECT 1")
            .await
            .map(drop)
            .map_err(Error::statement("ping"))
    }

    /// The database's clock, which everybody who asks it shares.
    pub async fn now(&self) -> Result<Timestamp, Error> {
        const OPERATION: &str = "ask what time it is";
        let row = self.find_row(OPERATION, "SELECT clock_timestamp()", &[]).await?;
        let row = row.ok_or_else(|| Error::row(OPERATION, "no time"))?;
        Ok(row.get(0))
    }

    /// Connections: `(open, busy)`.
    #[must_use]
    pub fn pool_use(&self) -> (usize, usize) {
        let status = self.pool.status();
        (status.size, status.size.saturating_sub(status.available))
    }

    /// Closes every connection once it is free; later questions are refused.
    pub fn close(&self) {
        self.pool.close();
    }

    pub(crate) async fn client(&self, operation: &'static str) -> Result<Object, Error> {
        self.pool.get().await.map_err(|error| match error {
            PoolError::Backend(source) => Error::statement(operation)(source),
            other => Error::Unavailable {
                operation,
                source: Box::new(other),
            },
        })
    }

    /// The one row that a statement finds, if it finds one. The statement is prepared once for each connection.
    pub(crate) async fn find_row(
        &self,
        operation: &'static str,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Option<Row>, Error> {
        let client = self.client(operation).await?;
        let statement = client
            .prepare_cached(sql)
            .await
            .map_err(Error::statement(operation))?;
        client
            .query_opt(&statement, parameters)
            .await
            .map_err(Error::statement(operation))
    }

    /// Gives up a question that a database that hangs (stopped by a signal, or behind a network that swallows packets) would never
    /// answer. For what a request asks first, so that whoever comes meanwhile is told at once.
    pub(crate) async fn in_time<T>(
        operation: &'static str,
        answer: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        tokio::time::timeout(FIRST_ANSWER, answer)
            .await
            .unwrap_or_else(|late| {
                Err(Error::Unavailable {
                    operation,
                    source: Box::new(late),
                })
            })
    }

    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    pub(crate) fn readers(&self) -> &Readers {
        &self.readers
    }
}
