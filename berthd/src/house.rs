use std::{error::Error, time::Duration};

use catalog::ServiceRole;
use http_kit::{ConnectionLimits, Listener, Metrics};
use process::Clock;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{banner, database, first_run, page, settings::Settings};

type Failure = Box<dyn Error + Send + Sync>;

/// How long requests that are under way may take to finish after the signal. Postgres needs what is left of ten seconds.
const DRAIN: Duration = Duration::from_secs(4);

/// The two doors, opened before anything is started: when a port is taken, nothing has to be undone.
struct Doors {
    requests: Listener,
    operations: Listener,
    url: String,
    metrics_url: String,
}

impl Doors {
    async fn open(settings: &Settings) -> Result<Self, Failure> {
        let bind = async |address| {
            let taken = |error| {
                format!(
                    "{address} can't be listened on: {error}; choose another with --listen · 无法监听该地址"
                )
            };
            Listener::bind(address).await.map_err(taken)
        };
        let requests = bind(&settings.upload.listen).await?;
        let operations = bind(&settings.upload.metrics_listen).await?;
        let url = if settings.has_base_url {
            settings.upload.base_url.clone()
        } else {
            requests.local_url()?
        };
        let metrics_url = format!("{}/metrics", operations.local_url()?);
        Ok(Self {
            requests,
            operations,
            url,
            metrics_url,
        })
    }
}

/// Runs everything until `stop`, then ends it in order: requests, counts, janitor, Postgres.
pub(crate) async fn run(mut settings: Settings, stop: CancellationToken) -> Result<(), Failure> {
    let doors = Doors::open(&settings).await?;
    settings.upload.base_url.clone_from(&doors.url);
    settings.serve.base_url.clone_from(&doors.url);
    settings.janitor.addresses.base_url.clone_from(&doors.url);
    let mut postgres = tokio::select! {
        started = database::start(&settings.data) => started?,
        () = stop.cancelled() => return Ok(()),
    };
    settings.upload.catalog.url = database::url_for(&postgres, ServiceRole::Upload);
    settings.serve.catalog.url = database::url_for(&postgres, ServiceRole::Serve);
    settings.janitor.catalog.url = database::url_for(&postgres, ServiceRole::Janitor);
    let outcome = match database::owner(&postgres) {
        Ok(owner) => tokio::select! {
            outcome = serve(&settings, doors, &owner, stop) => outcome,
            _ = postgres.exited() => Err(format!("Postgres has ended by itself; see {}", postgres.log_path().display()).into()),
        },
        Err(error) => Err(error.into()),
    };
    let stopped = postgres.stop().await;
    outcome?;
    Ok(stopped?)
}

async fn serve(
    settings: &Settings,
    doors: Doors,
    owner: &catalog::Catalog,
    stop: CancellationToken,
) -> Result<(), Failure> {
    let first = first_run::prepare(owner, &settings.data, &doors.url, &settings.admin).await?;
    let (clock, metrics) = (Clock::system(), Metrics::new());
    let upload = upload_svc::Service::new(&settings.upload, clock.clone(), &metrics)?;
    let views = serve_svc::Service::new(&settings.serve, clock.clone(), &metrics)?;
    let janitor = janitor::Service::new(&settings.janitor, clock, &metrics)?;

    upload.prove_store().await?;
    views.prove_store().await?;
    janitor.prove_store().await?;

    let health = upload_svc::health(&upload).and(serve_svc::health(&views));
    // Before the routes of serve-svc, whose welcome page stands where the page was not built in.
    let mut tables = vec![upload_svc::routes(upload.clone())];
    tables.extend(page::routes());
    tables.push(serve_svc::routes(views.clone()));
    let routes = http_kit::one_of(tables);
    let trusted = settings.upload.trusted_proxies.clone();
    let stack = upload_svc::stack_settings(&upload, &settings.upload);
    let limits = ConnectionLimits {
        trusted,
        drain: DRAIN,
        ..ConnectionLimits::default()
    };
    let stacked = http_kit::stack_service(serve_svc::with_views(views.clone(), routes), stack, &metrics);
    let service = serve_svc::protected(stacked);

    // Counts are folded, and changes wait for their readers, until the last request has been answered.
    let quiet = CancellationToken::new();
    let mut behind = JoinSet::new();
    behind.spawn(serve_svc::background(views, quiet.clone()));
    behind.spawn(janitor.run(stop.clone()));
    behind.spawn(upload_svc::background(upload, stop.clone(), quiet.clone()));
    let operations = http_kit::serve_operations(doors.operations, health, metrics, stop.clone());
    behind.spawn(async move {
        operations.await;
    });
    banner::print(&doors.url, &doors.metrics_url, &settings.data, first.as_ref());
    let outcome = http_kit::serve(doors.requests, service, limits, stop).await;
    tracing::info!(?outcome, "no more requests");
    quiet.cancel();
    while behind.join_next().await.is_some() {}
    Ok(())
}
