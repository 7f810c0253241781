use std::{error::Error, sync::Arc, time::Duration};

use catalog::{Catalog, watch_images};
use domain::{Dialects, NamedWidths, SignedLinks, ViewTokens};
use http_kit::{ConnectionLimits, Health, Listener, Metrics, RequestIds, StackSettings};
use process::Clock;
use tokio_util::sync::CancellationToken;

use crate::{
    Placeholder, ServeSettings,
    delivery::Depot,
    embedding::Embeddings,
    figures::Figures,
    headers::protected,
    routes::{routes, with_views},
    shelf::Shelf,
    tally::{
        Tally,
        fold::{close, fold},
    },
};

/// What every view works with. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Service(Arc<Parts>);

#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) catalog: Catalog,
    pub(crate) clock: Clock,
    pub(crate) shelf: Shelf,
    pub(crate) depot: Depot,
    /// None where views are not counted.
    pub(crate) tally: Option<Tally>,
    pub(crate) figures: Figures,
    pub(crate) widths: NamedWidths,
    /// What a site that may not embed is shown.
    pub(crate) refused: Placeholder,
    /// What is shown of an image that is not there.
    pub(crate) missing: Placeholder,
    pub(crate) signed_links: SignedLinks,
    pub(crate) base_url: String,
    pub(crate) dialects: Dialects,
    pub(crate) view_tokens: ViewTokens,
}

type Failure = Box<dyn Error + Send + Sync>;

/// How often counts are taken into the database.
const FOLD_EVERY: Duration = Duration::from_secs(1);
/// After so many folds, what processes that are gone have left is looked for: it may be a replica's.
const ADOPT_EVERY: u32 = 5;
/// How soon a fold that failed at the end is tried again.
const FOLD_AGAIN: Duration = Duration::from_millis(200);
/// How long the last folds may take. berthd has ten seconds in all for its end.
const LAST_FOLDS: Duration = Duration::from_secs(3);
/// How long a readiness check may take.
const CHECK_DEADLINE: Duration = Duration::from_secs(2);
/// Requests under way at once. A view holds its place until its last byte is sent, and slow readers are many.
const IN_FLIGHT: usize = 4096;

impl Service {
    /// Prepares the shelf and the database's pool, which may be away for now.
    pub fn new(settings: &ServeSettings, clock: Clock, metrics: &Metrics) -> Result<Self, Failure> {
        let catalog = Catalog::new(&settings.catalog)?;
        let figures = Figures::new(metrics)?;
        let embeddings = Embeddings::new(settings.base());
        Ok(Self(Arc::new(Parts {
            shelf: Shelf::new(catalog.clone(), clock.clone(), figures.clone(), embeddings),
            depot: Depot::new(&settings.blobs, settings.delivery),
            tally: settings
                .counts
                .then(|| Tally::open(Some(&settings.journal), figures.clone()))
                .transpose()?,
            signed_links: SignedLinks::new(&settings.secret, settings.previous_secret.as_ref()),
            base_url: settings.base_url.clone(),
            dialects: settings.dialects.clone(),
            view_tokens: ViewTokens::new(&settings.secret, settings.previous_secret.as_ref()),
            catalog,
            clock,
            figures,
            widths: settings.widths.clone(),
            refused: settings.refused.clone(),
            missing: settings.missing.clone(),
        })))
    }

    /// Proves that the store lets it read. One that does not answer is only warned of.
    pub async fn prove_store(&self) -> Result<(), blobs::Error> {
        blobs::Error::unless_away(self.0.depot.blobs().prove().await)
    }

    pub(crate) fn parts(&self) -> &Parts {
        &self.0
    }

    /// Folds once. False when the counts had to be kept for the next time.
    async fn fold(&self, tally: &Tally) -> bool {
        let parts = &self.0;
        let outcome = fold(tally, &parts.catalog, parts.clock.now()).await;
        if let Err(error) = &outcome {
            tracing::warn!(
                error = error as &dyn Error,
                "counts could not be folded; they are kept and tried again"
            );
        }
        outcome.is_ok()
    }

    /// Says how full everything is.
    fn measure(&self) {
        let parts = &self.0;
        let (open, busy) = parts.catalog.pool_use();
        let gauge = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        parts.figures.connections_open.set(gauge(open));
        parts.figures.connections_busy.set(gauge(busy));
        parts.figures.shelf_images.set(gauge(parts.shelf.len()));
    }

    /// Every second until `stop`: folds what is counted, and now and then looks for what processes that are gone have left.
    async fn work_until(&self, stop: &CancellationToken) {
        let mut tick = tokio::time::interval(FOLD_EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut ticks = 0_u32;
        // A fold that has begun is cut short by the end: what it did is known by its epoch.
        let working = async {
            loop {
                tick.tick().await;
                if let Some(tally) = &self.0.tally {
                    if ticks.is_multiple_of(ADOPT_EVERY)
                        && let Err(error) = tally.adopt()
                    {
                        tracing::warn!(
                            error = &error as &dyn Error,
                            "the journals of views can't be looked through"
                        );
                    }
                    self.fold(tally).await;
                }
                self.measure();
                ticks = ticks.wrapping_add(1);
            }
        };
        let _: Option<()> = stop.run_until_cancelled(working).await;
        if let Some(tally) = &self.0.tally {
            self.fold_the_last(tally).await;
        }
    }

    /// What is left is folded, for three seconds at most; then it stays in its journal for the next start.
    async fn fold_the_last(&self, tally: &Tally) {
        let folding = async {
            while !(self.fold(tally).await && tally.is_empty()) {
                tokio::time::sleep(FOLD_AGAIN).await;
            }
            if let Err(error) = close(tally, &self.0.catalog).await {
                tracing::warn!(
                    error = &error as &dyn Error,
                    "a journal that is folded was not forgotten"
                );
            }
        };
        if tokio::time::timeout(LAST_FOLDS, folding).await.is_err() {
            if tally.is_durable() {
                tracing::warn!(
                    "the database did not take the last counts; they stay in the journal for the next start"
                );
            } else {
                tracing::error!(
                    "the database did not take the last counts, and there is no journal: these views are lost"
                );
            }
        }
    }
}

/// Keeps the shelf true and folds counts until `stop`, then folds what is left, for three seconds at most. Cancel `stop`
/// when the last view was answered.
pub async fn background(service: Service, stop: CancellationToken) {
    let shelf = service.0.shelf.clone();
    let watching = watch_images(&service.0.catalog, |change| shelf.heed(change));
    tokio::join!(stop.run_until_cancelled(watching), service.work_until(&stop));
}

/// Ready means that blobs can be read, and that images can be found: in the database, or on the shelf while it is away.
#[must_use]
pub fn health(service: &Service) -> Health {
    let (views, blobs) = (service.clone(), service.clone());
    Health::new()
        .check("images", CHECK_DEADLINE, move || {
            let views = views.clone();
            async move {
                match views.0.catalog.ping().await {
                    Err(error) if views.0.shelf.len() == 0 => Err(error.to_string()),
                    _ => Ok(()),
                }
            }
        })
        .check("blobs", CHECK_DEADLINE, move || {
            let blobs = blobs.clone();
            async move {
                let checked = blobs.0.depot.blobs().check().await;
                checked.map_err(|error| error.to_string())
            }
        })
}

/// Runs the service until `stop`, then lets the views that are under way finish and folds their counts.
pub async fn run(settings: ServeSettings, stop: CancellationToken) -> Result<(), Failure> {
    let metrics = Metrics::new();
    let service = Service::new(&settings, Clock::system(), &metrics)?;
    service.prove_store().await?;
    let listener = Listener::bind_in_turn(&settings.listen, settings.takes_over).await?;
    let operations = Listener::bind(&settings.metrics_listen).await?;
    tracing::info!(listen = %settings.listen, metrics = %settings.metrics_listen, "serve-svc is ready for views");
    let stack = StackSettings {
        trusted: settings.trusted_proxies.clone(),
        in_flight: IN_FLIGHT,
        ..StackSettings::new(Arc::new(RequestIds::new(process::random())))
    };
    let limits = ConnectionLimits {
        trusted: settings.trusted_proxies,
        ..ConnectionLimits::default()
    };
    let stacked = protected(http_kit::stack_service(
        with_views(service.clone(), routes(service.clone())),
        stack,
        &metrics,
    ));
    let quiet = CancellationToken::new();
    let behind = tokio::spawn(background(service.clone(), quiet.clone()));
    let ready = health(&service);
    let checks = ready.clone().and(listener.health());
    let (outcome, _) = tokio::join!(
        http_kit::serve_in_turn(listener, &ready, stacked, limits, stop.clone()),
        http_kit::serve_operations(operations, checks, metrics.clone(), stop),
    );
    quiet.cancel();
    behind.await?;
    let outcome = outcome?;
    tracing::info!(?outcome, "serve-svc has stopped");
    Ok(())
}
