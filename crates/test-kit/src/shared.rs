//! The one Postgres that all tests of a process share, each in a database of its own.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use catalog::{Catalog, CatalogSettings, ServiceRole, let_in, migrate};
use local_postgres::{LocalPostgres, Options, PostgresBinaries, SUPERUSER};
use tokio::sync::{mpsc, oneshot};
use tokio_postgres::{Client, NoTls};

use crate::scratch::Scratch;

/// Every database of a test is a copy of this one, which is migrated once.
const TEMPLATE: &str = "berth_template";

/// What a database is copied from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Origin {
    /// The migrated one.
    Migrated,
    /// Nothing.
    Empty,
}

enum Request {
    Create(String, Origin, oneshot::Sender<()>),
    Drop(String),
}

/// The way to the thread that keeps the Postgres. Cloning shares it.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    requests: mpsc::UnboundedSender<Request>,
    /// `postgresql:///DATABASE?user=USER&…` with the two words to be put in.
    url: (String, String),
}

impl Shared {
    /// The process's Postgres; the first caller waits until it is started.
    pub(crate) async fn get() -> Self {
        static SHARED: tokio::sync::OnceCell<Shared> = tokio::sync::OnceCell::const_new();
        SHARED.get_or_init(Self::start).await.clone()
    }

    async fn start() -> Self {
        let (ready, started) = oneshot::channel();
        // A thread and a runtime of its own, for the runtime of the test that happens to come first ends with that test.
        std::thread::Builder::new()
            .name("test postgres".to_owned())
            .spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .expect("a runtime can be made");
                runtime.block_on(keep(ready));
            })
            .expect("a thread can be started");
        started
            .await
            .expect("Postgres starts; its thread's panic above says why not")
    }

    /// The URL of a database for a role.
    pub(crate) fn url(&self, user: &str, database: &str) -> String {
        let (head, tail) = &self.url;
        format!("{head}{database}?user={user}{tail}")
    }

    /// Makes a database with a name of its own, which it gives.
    pub(crate) async fn create(&self, origin: Origin) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let (done, made) = oneshot::channel();
        let asked = self.requests.send(Request::Create(name.clone(), origin, done));
        asked.expect("the thread of Postgres lives");
        made.await
            .expect("the database is made; the thread's panic above says why not");
        name
    }

    /// Has a database removed some time later.
    pub(crate) fn forget(&self, name: String) {
        let _thread_may_have_panicked = self.requests.send(Request::Drop(name));
    }
}

/// The options of every Postgres of tests.
pub(crate) fn options(scratch: &Scratch) -> Options {
    static BINARIES: OnceLock<PostgresBinaries> = OnceLock::new();
    let binaries = BINARIES.get_or_init(|| {
        PostgresBinaries::find(process::search_path().as_deref()).unwrap_or_else(|error| panic!("{error}"))
    });
    Options::for_tests(scratch.postgres(), binaries.clone())
}

/// Runs in the thread: keeps Postgres and does what is asked, until the process ends.
async fn keep(ready: oneshot::Sender<Shared>) {
    let scratch = Scratch::new();
    let postgres = LocalPostgres::start(options(&scratch))
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    let admin = connect(&postgres.connection_url(SUPERUSER, "postgres")).await;
    run(&admin, &format!("CREATE DATABASE {TEMPLATE}")).await;
    prepare(
        &postgres.connection_url(SUPERUSER, TEMPLATE),
        &postgres.connection_url(SUPERUSER, "postgres"),
    )
    .await;
    let (requests, mut asked) = mpsc::unbounded_channel();
    let url = postgres.connection_url("USER", "DATABASE");
    let (head, rest) = url
        .split_once("DATABASE?user=USER")
        .expect("the shape of our URLs");
    let shared = Shared {
        requests,
        url: (head.to_owned(), rest.to_owned()),
    };
    let _nobody_waits_any_more = ready.send(shared);
    while let Some(request) = asked.recv().await {
        match request {
            Request::Create(name, origin, done) => {
                let template = match origin {
                    Origin::Migrated => TEMPLATE,
                    Origin::Empty => "template0",
                };
                run(&admin, &format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
                let _nobody_waits_any_more = done.send(());
            }
            Request::Drop(name) => run(&admin, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await,
        }
    }
}

/// Brings a new database's tables up to date and lets the services' roles in. Roles belong to the whole cluster; they are
/// let in from `elsewhere`, so that no connection to the database itself is left open and it can be copied.
pub(crate) async fn prepare(owner_url: &str, elsewhere: &str) {
    migrate(&owner(owner_url)).await.expect("the migrations apply");
    let owner = owner(elsewhere);
    for role in [ServiceRole::Upload, ServiceRole::Serve, ServiceRole::Janitor] {
        let_in(&owner, role, None).await.expect("the role is let in");
    }
}

fn owner(url: &str) -> Catalog {
    let settings = CatalogSettings {
        url: url.to_owned(),
        connections: 1,
        application_name: "berth test-kit",
    };
    Catalog::new(&settings).expect("our own URL can be read")
}

/// A plain connection, which lives until the client is dropped or the runtime ends.
pub(crate) async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls)
        .await
        .expect("Postgres answers");
    tokio::spawn(connection);
    client
}

pub(crate) async fn run(client: &Client, statement: &str) {
    if let Err(error) = client.batch_execute(statement).await {
        panic!("{statement}: {error:?}");
    }
}
