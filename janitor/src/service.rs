use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

use blobs::BlobRemover;
use catalog::{Catalog, Leadership};
use http_kit::{Health, Listener, Metrics};
use jiff::{SignedDuration, Timestamp};
use process::Clock;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::{
    Done, Error, JanitorSettings, Pass,
    measures::Measures,
    passes::Work,
    purge::Purger,
    schedule::{Occasion, Schedule},
};

/// A janitor. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Service(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    catalog: Catalog,
    remover: BlobRemover,
    clock: Clock,
    measures: Measures,
    settings: JanitorSettings,
    blobs_walked: AtomicI64,
    periods_merged_on: AtomicI64,
    variants_walked: AtomicI64,
    is_steady: AtomicBool,
    leads: AtomicBool,
    is_clock_told: AtomicBool,
}

/// How one round of all passes went.
#[derive(Debug)]
pub struct Round {
    /// What was done, by the passes that failed too.
    pub done: Done,
    /// The passes that did not come to their end.
    pub failures: Vec<(Pass, Error)>,
}

/// How often a janitor looks whether it leads (still), whatever the interval: so much later at most another takes over.
const WATCH: Duration = Duration::from_secs(10);
/// How long a leader's session may take to answer before it counts as lost.
const SESSION_DEADLINE: Duration = Duration::from_secs(2);
/// Once asked to stop, a batch may still take this long; then it is given up, which the database undoes.
const STOP_BOUND: Duration = Duration::from_millis(1_500);
/// A clock that is further off than this is told of.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_secs(30);
/// How long [`Service::run_once`] tries to lead.
const LEAD_PATIENCE: Duration = Duration::from_secs(2);
/// Between two tries of it.
const LEAD_RETRY: Duration = Duration::from_millis(200);
/// How long a readiness check may take.
const CHECK_DEADLINE: Duration = Duration::from_secs(2);

impl Service {
    /// Prepares the database's pool, which may be away for now. Nothing is done before [`run`](Self::run).
    pub fn new(
        settings: &JanitorSettings,
        clock: Clock,
        metrics: &Metrics,
    ) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self(Arc::new(Parts {
            catalog: Catalog::new(&settings.catalog)?,
            remover: BlobRemover::new(&settings.blobs),
            clock,
            measures: Measures::new(metrics)?,
            settings: settings.clone(),
            blobs_walked: AtomicI64::new(0),
            periods_merged_on: AtomicI64::new(0),
            variants_walked: AtomicI64::new(0),
            is_steady: AtomicBool::new(false),
            leads: AtomicBool::new(false),
            is_clock_told: AtomicBool::new(false),
        })))
    }

    /// Proves that the store lets it list and remove. One that does not answer is only warned of.
    pub async fn prove_store(&self) -> Result<(), blobs::Error> {
        blobs::Error::unless_away(self.0.remover.prove().await)
    }

    /// Cleans for as long as it leads, and waits to lead, and tells caches what to forget, until `stop`; then returns within two seconds, even when the
    /// database does not answer.
    pub async fn run(self, stop: CancellationToken) {
        let overdue = async {
            stop.cancelled().await;
            sleep(STOP_BOUND).await;
        };
        let purging = async {
            if !self.0.settings.pretend {
                stop.run_until_cancelled(Box::pin(self.purger().run())).await;
            }
        };
        let scrubbing = stop.run_until_cancelled(Box::pin(self.scrub_on(&stop)));
        let working = async { tokio::join!(self.work(&stop), purging, scrubbing) };
        tokio::select! {
            _ = working => {}
            () = overdue => tracing::warn!("the janitor gave up the batch that was under way"),
        }
        self.tell_leads(false);
    }

    async fn work(&self, stop: &CancellationToken) {
        let settings = &self.0.settings;
        let mut schedule = Schedule::new(
            settings.interval,
            settings.cleanup_time,
            &settings.time_zone,
            self.now(),
        );
        let mut leadership = None;
        while !stop.is_cancelled() {
            if !settings.pretend {
                leadership = self.lead(leadership).await;
            }
            let pause = if settings.pretend || leadership.is_some() {
                if let Some(occasion) = schedule.due(self.now()) {
                    let round = self.round(stop).await;
                    log(&round, occasion, settings.pretend);
                }
                schedule.pause(self.now())
            } else {
                settings.interval
            };
            let _is_time = stop.run_until_cancelled(sleep(pause.min(WATCH))).await;
        }
    }

    /// Runs every pass once, for a person who asked for it. It leads if it can. Where another janitor leads it works
    /// beside it: waiting would be in vain, for a leader leads until it ends, and beside is safe.
    pub async fn run_once(&self, stop: &CancellationToken) -> Round {
        let began = Instant::now();
        // Whoever asks for one round wants all of it done.
        self.0.is_steady.store(true, Ordering::Relaxed);
        let mut leadership = None;
        while !self.0.settings.pretend && leadership.is_none() && !stop.is_cancelled() {
            match Leadership::try_acquire(&self.0.catalog).await {
                Ok(Some(acquired)) => leadership = Some(acquired),
                Ok(None) if began.elapsed() < LEAD_PATIENCE => sleep(LEAD_RETRY).await,
                Ok(None) => {
                    tracing::info!("another janitor leads; working beside it");
                    break;
                }
                Err(_the_passes_will_tell) => break,
            }
        }
        self.round(stop).await
    }

    /// One round: every pass in its order, each whether or not the one before went well.
    async fn round(&self, stop: &CancellationToken) -> Round {
        let parts = &self.0;
        let work = Work {
            catalog: &parts.catalog,
            remover: &parts.remover,
            settings: &parts.settings,
            blobs_walked: &parts.blobs_walked,
            periods_merged_on: &parts.periods_merged_on,
            variants_walked: &parts.variants_walked,
            is_steady: &parts.is_steady,
            now: self.common_now().await,
            stop,
        };
        let (mut done, mut failures) = (Done::default(), Vec::new());
        for pass in Pass::ALL {
            if stop.is_cancelled() {
                break;
            }
            let outcome = work.run(pass, &mut done).await;
            parts.measures.passed(pass, outcome.is_ok());
            failures.extend(outcome.err().map(|error| (pass, error)));
        }
        if !parts.settings.pretend {
            parts.measures.done(&done);
        }
        if failures.is_empty() && !stop.is_cancelled() {
            parts.measures.succeeded(self.now());
        }
        Round { done, failures }
    }

    /// Keeps on leading, or begins to if nobody else does.
    async fn lead(&self, held: Option<Leadership>) -> Option<Leadership> {
        if let Some(leadership) = held {
            if timeout(SESSION_DEADLINE, leadership.is_held()).await == Ok(true) {
                return Some(leadership);
            }
            tracing::warn!("this janitor's session with the database has ended: it leads no longer");
        }
        let acquired = Leadership::try_acquire(&self.0.catalog)
            .await
            .unwrap_or_else(|error| {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "can't tell who leads; trying again"
                );
                None
            });
        if acquired.is_some() {
            tracing::info!("this janitor leads");
        }
        self.tell_leads(acquired.is_some());
        acquired
    }

    fn tell_leads(&self, leads: bool) {
        self.0.leads.store(leads, Ordering::Release);
        self.0.measures.leads(leads);
    }

    /// Whether it led when it last looked.
    pub(crate) fn leads(&self) -> bool {
        self.0.leads.load(Ordering::Acquire)
    }

    fn purger(&self) -> Purger {
        let Parts {
            catalog,
            clock,
            measures,
            settings,
            ..
        } = &*self.0;
        Purger::new(
            catalog.clone(),
            clock.clone(),
            measures.clone(),
            settings.purge_hook.clone(),
            settings.addresses.clone(),
        )
    }

    /// The instant by which a round judges: the database's. Janitors take turns, and one whose machine's clock is a day ahead would end pictures a
    /// day too early. (A clock that a test has set is right.)
    pub(crate) async fn common_now(&self) -> Timestamp {
        let own = self.now();
        if !self.0.clock.is_machines() {
            return own;
        }
        // Where the database is away, no pass comes far.
        let common = self.0.catalog.now().await.unwrap_or(own);
        let is_wrong = common.duration_since(own).abs() > CLOCK_TOLERANCE;
        if is_wrong && !self.0.is_clock_told.swap(true, Ordering::Relaxed) {
            tracing::warn!(%own, database = %common, "this machine's clock is wrong, or the database's is; going by the database's");
        }
        common
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    pub(crate) fn catalog(&self) -> &Catalog {
        &self.0.catalog
    }

    pub(crate) fn settings(&self) -> &JanitorSettings {
        &self.0.settings
    }

    pub(crate) fn measures(&self) -> &Measures {
        &self.0.measures
    }

    pub(crate) fn remover(&self) -> &BlobRemover {
        &self.0.remover
    }
}

fn log(round: &Round, occasion: Occasion, pretend: bool) {
    for (pass, error) in &round.failures {
        let error = error as &dyn std::error::Error;
        tracing::warn!(
            pass = pass.as_str(),
            error,
            "a pass stopped before its end; the next round goes on with it"
        );
    }
    // Nobody wants to read every thirty seconds that there was nothing to do.
    if round.done != Done::default() || occasion == Occasion::Daily {
        let Done {
            images_expired,
            blobs_swept,
            bytes_swept,
            images_forgotten,
            staging_purged,
            variants_wished,
            ..
        } = round.done;
        tracing::info!(
            ?occasion,
            pretend,
            images_expired,
            blobs_swept,
            bytes_swept,
            images_forgotten,
            staging_purged,
            variants_wished,
            "cleaned"
        );
    }
}

/// Ready means that the database answers and the store is there. A janitor that does not lead is ready to.
#[must_use]
pub fn health(service: &Service) -> Health {
    let (catalog, remover) = (service.0.catalog.clone(), service.0.remover.clone());
    let database = move || {
        let catalog = catalog.clone();
        async move { catalog.ping().await.map_err(|error| error.to_string()) }
    };
    let store = move || {
        let remover = remover.clone();
        async move { remover.check().await.map_err(|error| error.to_string()) }
    };
    Health::new()
        .check("database", CHECK_DEADLINE, database)
        .check("store", CHECK_DEADLINE, store)
}

/// Runs the service with its port of health and metrics until `stop`.
pub async fn run(
    settings: &JanitorSettings,
    stop: CancellationToken,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let metrics = Metrics::new();
    let service = Service::new(settings, Clock::system(), &metrics)?;
    service.prove_store().await?;
    let operations = Listener::bind(&settings.metrics_listen).await?;
    tracing::info!(metrics = %settings.metrics_listen, "the janitor has begun");
    let checks = health(&service);
    let ((), _) = tokio::join!(
        service.run(stop.clone()),
        http_kit::serve_operations(operations, checks, metrics, stop),
    );
    tracing::info!("the janitor has stopped");
    Ok(())
}
