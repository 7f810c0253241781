//! A Postgres that one test has for itself, so that it may take it away.

use local_postgres::{LocalPostgres, SUPERUSER};

use crate::scratch::Scratch;
use crate::shared::{connect, options, prepare, run};

/// The one database of such a Postgres.
pub(crate) const NAME: &str = "berth";

/// A Postgres that can be stopped, killed and started again. Fields are dropped in this order: first the process, then
/// its folder.
#[derive(Debug)]
pub(crate) struct Apart {
    running: Option<LocalPostgres>,
    /// The URL of the superuser's own database, the same in every life.
    superuser_url: String,
    scratch: Scratch,
}

impl Apart {
    pub(crate) async fn start(is_migrated: bool) -> Self {
        let scratch = Scratch::new();
        let postgres = LocalPostgres::start(options(&scratch))
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        let superuser_url = postgres.connection_url(SUPERUSER, "postgres");
        run(&connect(&superuser_url).await, &format!("CREATE DATABASE {NAME}")).await;
        if is_migrated {
            prepare(&postgres.connection_url(SUPERUSER, NAME), &superuser_url).await;
        }
        Self {
            running: Some(postgres),
            superuser_url,
            scratch,
        }
    }

    pub(crate) fn url(&self, user: &str, database: &str) -> String {
        self.superuser_url.replacen(
            &format!("/postgres?user={SUPERUSER}"),
            &format!("/{database}?user={user}"),
            1,
        )
    }

    pub(crate) async fn stop(&mut self) {
        let postgres = self.running.take().expect("Postgres runs");
        postgres.stop().await.expect("Postgres stops");
    }

    pub(crate) async fn kill(&mut self) {
        let postgres = self.running.take().expect("Postgres runs");
        postgres.kill_hard().await.expect("Postgres can be killed");
    }

    pub(crate) async fn start_again(&mut self) {
        assert!(self.running.is_none(), "Postgres runs already");
        let started = LocalPostgres::start(options(&self.scratch)).await;
        self.running = Some(started.unwrap_or_else(|error| panic!("{error}")));
    }
}
