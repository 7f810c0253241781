//! Whoever changes what an image's URL answers waits here until every serve-svc has heard of it, so that the request behind its
//! reply is answered by what holds now.
//!
//! ```text
//!   who changes                    Postgres                     each serve-svc
//!   commit ── trigger: NOTIFY berth_image ─────────────────────▶ forgets the image
//!   who reads? ◀── pg_locks: who holds the readers' lock
//!   NOTIFY berth_asked 'line ask' ─────────────────────────────▶ has heard all that came before
//!   ◀───────────────── NOTIFY berth_heard 'line ask reader' ──── answers
//!   replies
//! ```
//! Postgres tells every listener what was committed in the order of the commits, so a reader that got to the ask got to the change.
//!
//! INVARIANT: a reader takes the lock after it has begun to listen and before it believes what it hears. One that is not seen in
//! `pg_locks` will begin afresh, and asks the database for each view until then. The lock goes with the connection.
//!
//! A reader that does not answer within [`PATIENCE`] is not waited for again until it answers: a machine that was cut off costs one
//! change a second, not each.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    convert::Infallible,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{
        mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
        watch,
    },
    time::{sleep, timeout},
};
use tokio_postgres::{Client, Statement};

use crate::{Catalog, Error, ear::Ear};

/// The channel on which readers are asked how far they have heard. What is said is the asker's token.
pub(crate) const ASKED: &str = "berth_asked";
/// The channel on which they answer: the token, a space, and the number of the reader's session.
const HEARD: &str = "berth_heard";

const OPERATION: &str = "wait for readers";

/// How long a change waits for its readers: far more than a busy one takes, and no longer than a person would.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often it is looked whether a reader that is waited for is still there.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// How long to wait before asking is tried again.
const RETRY: Duration = Duration::from_millis(50);

/// The number of each session that holds the readers' lock in this database. The lock's two numbers spell "bert" and mean nothing.
const READERS: &str = "
    SELECT pid FROM pg_locks
    WHERE locktype = 'advisory' AND classid = 1650553460 AND objid = 1 AND objsubid = 2 AND granted
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

/// Lets changes wait for this listener from here on.
pub(crate) async fn be_a_reader(ear: &Ear) -> Result<(), Error> {
    const LOCK: &str = "SELECT pg_advisory_lock_shared(1650553460, 1)";
    ear.in_time(ear.client.batch_execute(LOCK)).await
}

/// Says that everything is heeded that was told before these asks.
pub(crate) async fn answer_asks(ear: &Ear, asks: &[String]) -> Result<(), Error> {
    const ANSWER: &str =
        "SELECT pg_notify($2, ask || ' ' || pg_backend_pid()) FROM unnest($1::text[]) AS ask";
    if asks.is_empty() {
        return Ok(());
    }
    ear.in_time(ear.client.execute(ANSWER, &[&asks, &HEARD]))
        .await
        .map(drop)
}

/// Who waits for readers, over one connection however many wait.
#[derive(Debug, Default)]
pub(crate) struct Readers {
    /// Whether there is, or soon will be, a line.
    follows: AtomicBool,
    line: watch::Sender<Option<Arc<Line>>>,
    asks: AtomicU64,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    waiting: HashMap<String, UnboundedSender<i32>>,
    /// Readers that did not answer in time, and have not answered since.
    late: HashSet<i32>,
}

/// The way to ask.
#[derive(Debug)]
struct Line {
    client: Arc<Client>,
    /// Tells its asks from those of other lines.
    name: i32,
    readers: Statement,
    ask: Statement,
}

impl Catalog {
    /// Keeps a line open on which changes wait for their readers, for ever, and opens a new one whenever it breaks. From this call
    /// on changes wait; without it none does.
    pub fn follow_readers(&self) -> impl Future<Output = ()> + use<> {
        let own = self.clone();
        own.readers().follows.store(true, Ordering::Release);
        async move {
            loop {
                let Err(error) = own.readers().follow(&own).await;
                own.readers().line.send_replace(None);
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "can't hear how far readers are; trying again"
                );
                sleep(RETRY).await;
            }
        }
    }

    /// Waits until every serve-svc has heard of all that was committed before this call, for [`PATIENCE`] at most.
    pub async fn until_heard(&self) {
        let readers = self.readers();
        if !readers.follows.load(Ordering::Acquire) {
            return;
        }
        let mut missing = BTreeSet::new();
        if timeout(PATIENCE, readers.ask(&mut missing)).await.is_err() {
            tracing::warn!(
                readers = ?missing,
                "a change is made, but not every serve-svc says that it has heard of it: it may show what was there before for some moments"
            );
            readers.known().late.extend(missing);
        }
    }
}

impl Readers {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn follow(&self, catalog: &Catalog) -> Result<Infallible, Error> {
        let mut ear = Ear::open(catalog, OPERATION, &[HEARD]).await?;
        let name = ear
            .in_time(ear.client.query_one("SELECT pg_backend_pid()", &[]))
            .await?;
        let line = Line {
            name: name.get(0),
            readers: ear.in_time(ear.client.prepare(READERS)).await?,
            ask: ear
                .in_time(ear.client.prepare("SELECT pg_notify($1, $2)"))
                .await?,
            client: Arc::clone(&ear.client),
        };
        self.line.send_replace(Some(Arc::new(line)));
        loop {
            let note = ear.hear().await?;
            if let Some((token, Ok(reader))) = note
                .payload()
                .rsplit_once(' ')
                .map(|(token, reader)| (token, reader.parse()))
            {
                let mut known = self.known();
                known.late.remove(&reader);
                if let Some(waiting) = known.waiting.get(token) {
                    let _gone = waiting.send(reader);
                }
            }
        }
    }

    /// Asks until it is answered. Whose answer is missing stands in `missing`.
    async fn ask(&self, missing: &mut BTreeSet<i32>) {
        let mut lines = self.line.subscribe();
        loop {
            let line = match lines.wait_for(Option::is_some).await {
                Ok(line) => line.clone(),
                Err(_) => return,
            };
            let Some(line) = line else { return };
            match self.ask_on(&line, missing).await {
                Ok(()) => return,
                Err(error) => {
                    tracing::debug!(
                        error = &error as &dyn std::error::Error,
                        "the line to the readers broke"
                    );
                    sleep(RETRY).await;
                }
            }
        }
    }

    async fn ask_on(&self, line: &Line, missing: &mut BTreeSet<i32>) -> Result<(), tokio_postgres::Error> {
        let present = line.readers().await?;
        if present.is_empty() {
            return Ok(());
        }
        missing.clone_from(&present);
        {
            let mut known = self.known();
            // Postgres gives numbers of sessions that have ended to others.
            known.late.retain(|reader| present.contains(reader));
            missing.retain(|reader| !known.late.contains(reader));
        }
        // Late ones are asked, too: an answer that was lost is not the last that they could give.
        let mut ask = Ask::new(self, line.name);
        line.client.execute(&line.ask, &[&ASKED, &ask.token]).await?;
        while !missing.is_empty() {
            match timeout(LOOK_AGAIN, ask.answers.recv()).await {
                Ok(Some(reader)) => drop(missing.remove(&reader)),
                Ok(None) => return Ok(()),
                Err(_silence) => {
                    let present = line.readers().await?;
                    missing.retain(|reader| present.contains(reader));
                }
            }
        }
        Ok(())
    }
}

impl Line {
    async fn readers(&self) -> Result<BTreeSet<i32>, tokio_postgres::Error> {
        let rows = self.client.query(&self.readers, &[]).await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }
}

/// One ask, whose answers are kept as long as it is waited for.
struct Ask<'a> {
    readers: &'a Readers,
    token: String,
    answers: UnboundedReceiver<i32>,
}

impl<'a> Ask<'a> {
    fn new(readers: &'a Readers, line: i32) -> Self {
        let token = format!("{line}.{}", readers.asks.fetch_add(1, Ordering::Relaxed));
        let (sender, answers) = unbounded_channel();
        readers.known().waiting.insert(token.clone(), sender);
        Self {
            readers,
            token,
            answers,
        }
    }
}

impl Drop for Ask<'_> {
    fn drop(&mut self) {
        self.readers.known().waiting.remove(&self.token);
    }
}
