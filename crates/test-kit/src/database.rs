use std::sync::OnceLock;

use catalog::{Catalog, CatalogSettings, ServiceRole};
use local_postgres::SUPERUSER;
use tokio_postgres::Client;

use crate::{
    apart::{self, Apart},
    shared::{Origin, Shared, connect},
};

/// Connections in each pool: as many as a service has by default.
const CONNECTIONS: usize = 8;

/// A database of a test's own, migrated, with the three service roles let in. It goes with the value.
///
/// ```no_run
/// # async fn example() {
/// let database = test_kit::TestDatabase::create().await;
/// let uploads = database.catalog_as(catalog::ServiceRole::Upload);
/// # }
/// ```
#[derive(Debug)]
pub struct TestDatabase {
    server: Server,
    name: String,
    owner: OnceLock<Catalog>,
    roles: [OnceLock<Catalog>; 3],
}

#[derive(Debug)]
enum Server {
    Shared(Shared),
    Apart(Box<Apart>),
}

impl TestDatabase {
    /// A migrated database in the Postgres that all tests of this process share: some tens of milliseconds, and the first
    /// one a second or two.
    pub async fn create() -> Self {
        Self::in_shared(Origin::Migrated).await
    }

    /// The same without any table, for tests of migrations. (The service roles are there: they belong to the cluster.)
    pub async fn create_empty() -> Self {
        Self::in_shared(Origin::Empty).await
    }

    /// A migrated database in a Postgres of its own, for tests that [`stop`](Self::stop), [`kill`](Self::kill) and
    /// [`start`](Self::start) it.
    pub async fn create_apart() -> Self {
        Self::with(
            Server::Apart(Box::new(Apart::start(true).await)),
            apart::NAME.to_owned(),
        )
    }

    /// A Postgres of its own with neither tables nor service roles.
    pub async fn create_apart_empty() -> Self {
        Self::with(
            Server::Apart(Box::new(Apart::start(false).await)),
            apart::NAME.to_owned(),
        )
    }

    async fn in_shared(origin: Origin) -> Self {
        let shared = Shared::get().await;
        let name = shared.create(origin).await;
        Self::with(Server::Shared(shared), name)
    }

    fn with(server: Server, name: String) -> Self {
        Self {
            server,
            name,
            owner: OnceLock::new(),
            roles: Default::default(),
        }
    }

    /// The URL with which the database's owner connects.
    #[must_use]
    pub fn owner_url(&self) -> String {
        self.url(SUPERUSER)
    }

    /// The URL with which a service connects.
    #[must_use]
    pub fn url_as(&self, role: ServiceRole) -> String {
        self.url(role.name())
    }

    /// The owner's pool: what migrates and sets up.
    #[must_use]
    pub fn owner(&self) -> Catalog {
        self.owner.get_or_init(|| pool(self.owner_url())).clone()
    }

    /// A service's pool, the same at every call.
    #[must_use]
    pub fn catalog_as(&self, role: ServiceRole) -> Catalog {
        let place = match role {
            ServiceRole::Upload => 0,
            ServiceRole::Serve => 1,
            ServiceRole::Janitor => 2,
        };
        self.roles[place].get_or_init(|| pool(self.url_as(role))).clone()
    }

    /// A plain connection of the owner's, for what a test must see or do behind the product's back.
    pub async fn connect(&self) -> Client {
        connect(&self.owner_url()).await
    }

    /// A plain connection of a service's role.
    pub async fn connect_as(&self, role: ServiceRole) -> Client {
        connect(&self.url_as(role)).await
    }

    /// Stops Postgres in order. Only for [`create_apart`](Self::create_apart).
    ///
    /// # Panics
    /// When it does not run, or is shared.
    pub async fn stop(&mut self) {
        self.apart().stop().await;
    }

    /// Kills Postgres as a crash would. Only for [`create_apart`](Self::create_apart).
    ///
    /// # Panics
    /// When it does not run, or is shared.
    pub async fn kill(&mut self) {
        self.apart().kill().await;
    }

    /// Starts Postgres again, with the same URLs and rows. Only for [`create_apart`](Self::create_apart).
    ///
    /// # Panics
    /// When it runs, or is shared.
    pub async fn start(&mut self) {
        self.apart().start_again().await;
    }

    /// Stops every process of Postgres that answers, as SIGSTOP does: whoever asks hears nothing. It goes on when the value goes.
    /// Only for [`create_apart`](Self::create_apart).
    ///
    /// # Panics
    /// When it can't be stopped.
    pub async fn freeze(&self) -> Frozen {
        const SQL: &str = "
            SELECT pid::text FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
            UNION ALL SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)";
        assert!(
            matches!(self.server, Server::Apart(_)),
            "other tests share this Postgres"
        );
        let client = self.connect().await;
        let rows = client
            .query(SQL, &[])
            .await
            .expect("the owner sees every process");
        let frozen = Frozen {
            pids: rows.iter().map(|row| row.get(0)).collect(),
        };
        frozen.signal("-STOP");
        frozen
    }

    fn url(&self, user: &str) -> String {
        match &self.server {
            Server::Shared(shared) => shared.url(user, &self.name),
            Server::Apart(apart) => apart.url(user, &self.name),
        }
    }

    fn apart(&mut self) -> &mut Apart {
        match &mut self.server {
            Server::Apart(apart) => apart,
            Server::Shared(_) => panic!("other tests share this Postgres: use TestDatabase::create_apart"),
        }
    }
}

/// A Postgres that hangs, until this is dropped.
#[derive(Debug)]
pub struct Frozen {
    pids: Vec<String>,
}

impl Frozen {
    fn signal(&self, signal: &str) {
        let status = std::process::Command::new("kill")
            .arg(signal)
            .args(&self.pids)
            .status();
        assert!(
            status.is_ok_and(|status| status.success()),
            "kill {signal} {:?}",
            self.pids
        );
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        self.signal("-CONT");
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if let Server::Shared(shared) = &self.server {
            shared.forget(std::mem::take(&mut self.name));
        }
    }
}

fn pool(url: String) -> Catalog {
    let settings = CatalogSettings {
        url,
        connections: CONNECTIONS,
        application_name: "berth test",
    };
    Catalog::new(&settings).expect("our own URL can be read")
}
