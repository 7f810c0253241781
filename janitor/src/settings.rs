use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use blobs::StoreSettings;
use catalog::CatalogSettings;
use domain::parse_duration;
use http_kit::ListenAddress;
use jiff::{civil, tz::TimeZone};
use process::{
    LogSettings,
    settings::{Complaints, Reader, Sources},
};

use crate::{Addresses, PurgeHook, parse_time};

/// Everything that an operator decides about the janitor.
#[derive(Debug, Clone)]
pub struct JanitorSettings {
    /// Where `/metrics` and `/health` are asked for.
    pub metrics_listen: ListenAddress,
    /// Where the blobs are.
    pub blobs: StoreSettings,
    /// The database.
    pub catalog: CatalogSettings,
    /// From the beginning of one continuous clean-up to the next.
    pub interval: Duration,
    /// Between the end of an image and the freeing of its bytes.
    pub sweep_grace: Duration,
    /// A staging file that nobody wrote to for so long is abandoned.
    pub staging_max_age: Duration,
    /// An upload in pieces that nobody goes on with is kept for so long.
    pub uploads_keep: Duration,
    /// How long the record of what happened is kept.
    pub events_keep: Duration,
    /// In how long every blob is read again; none to do without.
    pub scrub_period: Option<Duration>,
    /// How many bytes a second that may take from the disk.
    pub scrub_bytes_per_second: u64,
    /// When the daily clean-up begins; none to do without.
    pub cleanup_time: Option<civil::Time>,
    /// Whose clock says so: that of `TZ`.
    pub time_zone: TimeZone,
    /// How caches in front of us are told to forget a URL; none to do without.
    pub purge_hook: Option<PurgeHook>,
    /// At which URLs images are seen, for the hook.
    pub addresses: Addresses,
    /// Only count what would be done. It never leads, so that it keeps no other janitor from its work.
    pub pretend: bool,
    /// The log.
    pub log: LogSettings,
}

/// Shorter ones only wear the database out.
const SHORTEST_INTERVAL: Duration = Duration::from_secs(1);

/// SECURITY: a client may be silent for 15 s, and a finished upload may wait as long for the database. What is younger is not
/// abandoned, whatever the settings say.
const SHORTEST_STAGING_AGE: Duration = Duration::from_mins(1);

impl JanitorSettings {
    /// Reads the settings, or tells everything that is wrong with them.
    pub fn load(sources: Sources) -> Result<Self, Complaints> {
        let mut reader = Reader::new(sources);
        reader.default_to("BERTH_METRICS_LISTEN", "127.0.0.1:9083");
        reader.default_to("BERTH_BASE_URL", "http://127.0.0.1:8080");
        let cleanup_time = reader.value_with("BERTH_CLEANUP_TIME", civil::Time::midnight(), parse_time);
        let data: PathBuf = reader.value("BERTH_DATA", PathBuf::new());
        let settings = Self {
            metrics_listen: reader.value("BERTH_METRICS_LISTEN", ListenAddress::Tcp(String::new())),
            blobs: store(&mut reader, &data),
            catalog: CatalogSettings {
                url: reader.value("BERTH_DATABASE_URL", String::new()),
                connections: reader.value("BERTH_DATABASE_CONNECTIONS", 1),
                application_name: "berth janitor",
            },
            interval: duration(&mut reader, "BERTH_JANITOR_INTERVAL", SHORTEST_INTERVAL),
            sweep_grace: duration(&mut reader, "BERTH_SWEEP_GRACE", Duration::ZERO),
            staging_max_age: duration(&mut reader, "BERTH_STAGING_MAX_AGE", SHORTEST_STAGING_AGE),
            uploads_keep: duration(&mut reader, "BERTH_UPLOADS_KEEP", SHORTEST_STAGING_AGE),
            events_keep: duration(&mut reader, "BERTH_EVENTS_KEEP", Duration::ZERO),
            scrub_period: scrub_period(&mut reader),
            scrub_bytes_per_second: reader.value("BERTH_REHASH_RATE", 1).max(1),
            cleanup_time: reader.switch("BERTH_CLEANUP").then_some(cleanup_time),
            time_zone: TimeZone::system(),
            purge_hook: purge_hook(&mut reader),
            addresses: Addresses {
                base_url: base_url(&mut reader),
                dialects: reader.list("BERTH_DIALECTS").into_iter().collect(),
            },
            pretend: false,
            log: LogSettings {
                filter: reader.value("BERTH_LOG", String::new()),
                format: reader.value("BERTH_LOG_FORMAT", process::LogFormat::default()),
            },
        };
        reader.finish(settings)
    }
}

/// Days; 0 is never.
fn scrub_period(reader: &mut Reader) -> Option<Duration> {
    let days: u32 = reader.value("BERTH_REHASH_DAYS", 0);
    (days > 0).then(|| Duration::from_hours(24) * days)
}

/// Where the blobs are.
fn store(reader: &mut Reader, data: &Path) -> StoreSettings {
    let folder = data.join("blobs");
    let read = reader.together(|text| StoreSettings::read(&folder, text));
    read.unwrap_or_else(|| folder.as_path().into())
}

fn duration(reader: &mut Reader, name: &str, shortest: Duration) -> Duration {
    reader.value_with(name, shortest, |text| match parse_duration(text) {
        Ok(read) if read < shortest => Err(format!("must be at least {}s", shortest.as_secs())),
        outcome => outcome.map_err(|error| error.to_string()),
    })
}

/// What stands before every link, without a slash at the end. upload-svc and serve-svc say what is wrong with one that is.
fn base_url(reader: &mut Reader) -> String {
    let text = reader.value("BERTH_BASE_URL", String::new());
    text.trim_end_matches('/').to_owned()
}

fn purge_hook(reader: &mut Reader) -> Option<PurgeHook> {
    let text = |name| reader.text(name).filter(|text| !text.is_empty());
    let [method, header, body] = ["BERTH_PURGE_METHOD", "BERTH_PURGE_HEADER", "BERTH_PURGE_BODY"].map(&text);
    let outcome = PurgeHook::read(text("BERTH_PURGE_URL")?, method, header, body);
    if let Err(invalid) = &outcome {
        reader.complain(invalid.setting, &invalid.text);
    }
    outcome.ok()
}
