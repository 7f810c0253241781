use std::{error::Error, sync::Arc, time::Duration};

use blobs::BlobWriter;
use catalog::Catalog;
use domain::{
    DeleteTokens, Dialect, Dialects, PublicId, Scrub, SignedLinks, UploadLimits, Username, Validation,
    ViewTokens,
    hotlink::{Base, HostRule},
};
use http_kit::{
    BodyLimits, ConnectionLimits, Health, Listener, Metrics, RateLimit, RequestIds, StackSettings,
};
use imaging::Decoders;
use process::Clock;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use crate::{
    UploadSettings, background, derive::Deriver, dialects, identity::Identity, measures::Measures,
    resumable::Turns, routes,
};

/// What every handler works with. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Service {
    parts: Arc<Parts>,
    limits: Arc<UploadLimits>,
    validation: Validation,
}

#[derive(Debug)]
struct Parts {
    catalog: Catalog,
    writer: BlobWriter,
    disk_reserve: u64,
    clock: Clock,
    measures: Measures,
    base_url: String,
    dialects: Dialects,
    header_validation: Dialects,
    anonymous_account: Option<Username>,
    lifetime: Duration,
    grace: Duration,
    answers_kept: Duration,
    uploads_kept: Duration,
    turns: Turns,
    snapshots: Mutex<()>,
    identity: Identity,
    delete_tokens: DeleteTokens,
    signed_links: SignedLinks,
    hotlink_base: Base,
    view_tokens: ViewTokens,
    decoders: Decoders,
    deriver: Deriver,
    validation: Validation,
    scrub: Scrub,
}

impl Service {
    /// Opens the store and prepares the database's pool, which may be away for now.
    pub fn new(
        settings: &UploadSettings,
        clock: Clock,
        metrics: &Metrics,
    ) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let identity = Identity::new(&settings.identity, &settings.base_url, &clock);
        let (secret, previous) = (
            &settings.identity.secret,
            settings.identity.previous_secret.as_ref(),
        );
        let parts = Parts {
            delete_tokens: DeleteTokens::new(secret, previous),
            signed_links: SignedLinks::new(secret, previous),
            hotlink_base: Base {
                own: HostRule::of_base_url(&settings.base_url).into_iter().collect(),
                allow: settings.allow.clone(),
                empty: settings.empty,
                off: !settings.judges,
            },
            view_tokens: ViewTokens::new(secret, previous),
            catalog: Catalog::new(&settings.catalog)?,
            writer: BlobWriter::open(&settings.blobs)?,
            disk_reserve: settings.disk_reserve,
            clock,
            measures: Measures::new(metrics)?,
            base_url: settings.base_url.clone(),
            dialects: settings.dialects.clone(),
            header_validation: settings.header_validation.clone(),
            anonymous_account: settings.anonymous_account.clone(),
            lifetime: settings.lifetime,
            grace: settings.grace,
            answers_kept: settings.answers_kept,
            uploads_kept: settings.uploads_kept,
            turns: Turns::default(),
            snapshots: Mutex::default(),
            identity,
            decoders: Decoders::new(settings.decoders.clone()),
            validation: settings.validation,
            scrub: settings.scrub,
            deriver: Deriver::new(settings.variant_jobs, &settings.decoders.program),
        };
        Ok(Self {
            parts: Arc::new(parts),
            limits: Arc::new(settings.limits.clone()),
            validation: settings.validation,
        })
    }

    /// Proves that the store lets it write and read. One that does not answer is only warned of.
    pub async fn prove_store(&self) -> Result<(), blobs::Error> {
        blobs::Error::unless_away(self.parts.writer.prove().await)
    }

    pub(crate) fn catalog(&self) -> &Catalog {
        &self.parts.catalog
    }

    /// Bytes of the disk that no upload may take.
    pub(crate) fn disk_reserve(&self) -> u64 {
        self.parts.disk_reserve
    }

    pub(crate) fn writer(&self) -> &BlobWriter {
        &self.parts.writer
    }

    pub(crate) fn now(&self) -> jiff::Timestamp {
        self.parts.clock.now()
    }

    pub(crate) fn measures(&self) -> &Measures {
        &self.parts.measures
    }

    pub(crate) fn base_url(&self) -> &str {
        &self.parts.base_url
    }

    pub(crate) fn limits(&self) -> &UploadLimits {
        &self.limits
    }

    /// How far a file is looked into before it is taken.
    pub(crate) fn validation(&self) -> Validation {
        self.validation
    }

    /// The same service as a dialect is served by it.
    pub(crate) fn speaking(&self, dialect: Dialect) -> Self {
        Self {
            validation: if self.parts.header_validation.contains(dialect) {
                Validation::Header
            } else {
                self.parts.validation
            },
            ..self.clone()
        }
    }

    /// The same service with other limits: a dialect may take less than the others do.
    pub(crate) fn limited(&self, limits: UploadLimits) -> Self {
        Self {
            limits: Arc::new(limits),
            ..self.clone()
        }
    }

    pub(crate) fn dialects(&self) -> &Dialects {
        &self.parts.dialects
    }

    /// Whose account owns what strangers upload through the form dialect.
    pub(crate) fn anonymous_account(&self) -> Option<&Username> {
        self.parts.anonymous_account.as_ref()
    }

    pub(crate) fn lifetime(&self) -> Duration {
        self.parts.lifetime
    }

    /// What is taken out of an account's files where an upload does not say.
    pub(crate) async fn scrub_of(&self, account_id: i64) -> Result<Scrub, catalog::Error> {
        let own = catalog::find_scrub(&self.parts.catalog, account_id).await?;
        Ok(own.unwrap_or(self.parts.scrub))
    }

    pub(crate) fn decoders(&self) -> &Decoders {
        &self.parts.decoders
    }

    /// How long what has ended can be restored.
    pub(crate) fn grace(&self) -> Duration {
        self.parts.grace
    }

    /// What ended then or before can't be restored any more.
    pub(crate) fn grace_began(&self) -> jiff::Timestamp {
        let grace = jiff::SignedDuration::try_from(self.parts.grace).unwrap_or(jiff::SignedDuration::MAX);
        // Nothing ended before there was a berth; and Postgres knows no time as early as we do.
        let began = self.now().checked_sub(grace);
        began.unwrap_or_default().max(jiff::Timestamp::UNIX_EPOCH)
    }

    /// How long answers to requests with an `Idempotency-Key` are kept.
    pub(crate) fn answers_kept(&self) -> Duration {
        self.parts.answers_kept
    }

    /// How long an upload in pieces is kept that nobody goes on with.
    pub(crate) fn uploads_kept(&self) -> Duration {
        self.parts.uploads_kept
    }

    /// Who writes to which upload in pieces.
    pub(crate) fn turns(&self) -> &Turns {
        &self.parts.turns
    }

    /// Held by who writes the whole catalogue out: one at a time costs the disk and the database no more than one.
    pub(crate) fn snapshots(&self) -> &Mutex<()> {
        &self.parts.snapshots
    }

    pub(crate) fn identity(&self) -> &Identity {
        &self.parts.identity
    }

    pub(crate) fn view_tokens(&self) -> &ViewTokens {
        &self.parts.view_tokens
    }

    pub(crate) fn delete_tokens(&self) -> &DeleteTokens {
        &self.parts.delete_tokens
    }

    pub(crate) fn deriver(&self) -> &Deriver {
        &self.parts.deriver
    }

    pub(crate) fn signed_links(&self) -> &SignedLinks {
        &self.parts.signed_links
    }

    /// What lies beneath every hotlink policy.
    pub(crate) fn hotlink_base(&self) -> &Base {
        &self.parts.hotlink_base
    }

    /// A fresh id for an image.
    pub(crate) fn draw_id() -> PublicId {
        PublicId::from_random(process::random())
    }
}

/// How long a readiness check may take.
/// Uploads under way may finish for so long once the service stops. Whoever supervises it decides how much of that there is: what
/// kills it loses no more than a cut would.
const UPLOADS_MAY_TAKE: Duration = Duration::from_hours(1);

const CHECK_DEADLINE: Duration = Duration::from_secs(2);

/// Ready means that the database answers: without it nothing can be taken in.
#[must_use]
pub fn health(service: &Service) -> Health {
    let catalog = service.catalog().clone();
    Health::new().check("database", CHECK_DEADLINE, move || {
        let catalog = catalog.clone();
        async move { catalog.ping().await.map_err(|error| error.to_string()) }
    })
}

/// What stands before the routes: the limits of requests, and who is believed about a client's address.
#[must_use]
pub fn stack_settings(service: &Service, settings: &UploadSettings) -> StackSettings {
    let is_limited = |request: &http::request::Parts| {
        let path = request.uri.path();
        // What a browser asks first costs nothing, and a refusal of it would hide the answer that says when to come back.
        request.method != http::Method::OPTIONS
            && (["/v1/", "/api/"].iter().any(|prefix| path.starts_with(prefix))
                || dialects::is_own_path(path))
    };
    let noting = service.clone();
    let rate_limit = RateLimit::per_minute(settings.rate_limit, is_limited)
        .map(|limit| limit.on_refusal(move |client| noting.note_refused_address(client)));
    StackSettings {
        trusted: settings.trusted_proxies.clone(),
        body: BodyLimits {
            total_bytes: settings.limits.request_bytes,
            ..BodyLimits::default()
        },
        rate_limit,
        handler_limits: is_limited,
        reword: Some(dialects::reword),
        ..StackSettings::new(Arc::new(RequestIds::new(process::random())))
    }
}

/// Runs the service until `stop`, then lets what is under way finish.
pub async fn run(
    settings: UploadSettings,
    stop: CancellationToken,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let metrics = Metrics::new();
    let service = Service::new(&settings, Clock::system(), &metrics)?;
    service.prove_store().await?;
    let listener = Listener::bind_in_turn(&settings.listen, settings.takes_over).await?;
    let operations = Listener::bind(&settings.metrics_listen).await?;
    tracing::info!(listen = %settings.listen, metrics = %settings.metrics_listen, "upload-svc is ready for uploads");
    let stack = stack_settings(&service, &settings);
    let limits = ConnectionLimits {
        trusted: settings.trusted_proxies,
        drain: UPLOADS_MAY_TAKE,
        ..ConnectionLimits::default()
    };
    let ready = health(&service);
    let checks = ready.clone().and(listener.health());
    let quiet = CancellationToken::new();
    let behind = tokio::spawn(background(service.clone(), stop.clone(), quiet.clone()));
    let stacked = http_kit::stack(routes(service), stack, &metrics);
    let (outcome, _) = tokio::join!(
        http_kit::serve_in_turn(listener, &ready, stacked, limits, stop.clone()),
        http_kit::serve_operations(operations, checks, metrics.clone(), stop),
    );
    quiet.cancel();
    behind.await?;
    let outcome = outcome?;
    tracing::info!(?outcome, "upload-svc has stopped");
    Ok(())
}
