use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use blobs::StoreSettings;
use catalog::CatalogSettings;
use domain::{
    Dialects, InvalidUsername, Scrub, UploadLimits, Username, Validation,
    hotlink::{Choice, HostRule},
    parse_duration,
};
use http_kit::{ListenAddress, TrustedProxies};
use imaging::DecoderLimits;
use process::{
    LogSettings,
    settings::{Complaints, Reader, Sources},
};

use crate::identity::{IdentitySettings, Secret};

/// Everything that an operator decides about upload-svc.
#[derive(Debug, Clone)]
pub struct UploadSettings {
    /// The public prefix of links, without a slash at its end.
    pub base_url: String,
    /// Where requests come in.
    pub listen: ListenAddress,
    /// Whether the socket of another process that still answers is taken over.
    pub takes_over: bool,
    /// Where `/metrics` and `/health` are asked for.
    pub metrics_listen: ListenAddress,
    /// Where the blobs are.
    pub blobs: StoreSettings,
    /// Bytes of its disk that no upload may take.
    pub disk_reserve: u64,
    /// The database.
    pub catalog: CatalogSettings,
    /// What an upload may be at most.
    pub limits: UploadLimits,
    /// How long an image lives when its upload does not say; zero is for ever.
    pub lifetime: Duration,
    /// How long an upload in pieces is kept that nobody goes on with.
    pub uploads_kept: Duration,
    /// How long what has ended can be restored.
    pub grace: Duration,
    /// How long answers to requests with an `Idempotency-Key` are kept.
    pub answers_kept: Duration,
    /// The older hosts' contracts that are spoken.
    pub dialects: Dialects,
    /// Those of which a file's header is looked at, and not its pixels.
    pub header_validation: Dialects,
    /// The user name of the account that owns what strangers upload through the form dialect; none shuts them out.
    pub anonymous_account: Option<Username>,
    /// API requests a minute of one client address; 0 is no limit.
    pub rate_limit: u32,
    /// Whether serve-svc judges anybody by where they come from, for explanations.
    pub judges: bool,
    /// Hosts that may embed where no policy says anything, for explanations.
    pub allow: Vec<HostRule>,
    /// What happens then to a request that does not say where it comes from.
    pub empty: Choice,
    /// Peers whose `X-Forwarded-For` is believed.
    pub trusted_proxies: TrustedProxies,
    /// Signing in.
    pub identity: IdentitySettings,
    /// How far files are looked into where a dialect does not say.
    pub validation: Validation,
    /// What of their metadata is taken out where neither upload nor account says.
    pub scrub: Scrub,
    /// Who looks into files, and what that may take.
    pub decoders: DecoderLimits,
    /// Pictures of which variants are derived at once; 0 leaves it to other copies.
    pub variant_jobs: usize,
    /// The log.
    pub log: LogSettings,
}

const SECONDS_A_DAY: u64 = 24 * 60 * 60;

impl UploadSettings {
    /// Reads the settings, or tells everything that is wrong with them.
    pub fn load(sources: Sources) -> Result<Self, Complaints> {
        let mut reader = Reader::new(sources);
        reader.default_to("BERTH_BASE_URL", "http://127.0.0.1:8080");
        reader.default_to("BERTH_LISTEN", "127.0.0.1:8081");
        reader.default_to("BERTH_METRICS_LISTEN", "127.0.0.1:9081");
        let data: PathBuf = reader.value("BERTH_DATA", PathBuf::new());
        let settings = Self {
            base_url: base_url(&mut reader),
            listen: reader.value("BERTH_LISTEN", stand_in_address()),
            takes_over: reader.switch("BERTH_TAKE_OVER"),
            metrics_listen: reader.value("BERTH_METRICS_LISTEN", stand_in_address()),
            blobs: store(&mut reader, &data),
            disk_reserve: reader.value("BERTH_DISK_RESERVE", 0),
            catalog: CatalogSettings {
                url: reader.value("BERTH_DATABASE_URL", String::new()),
                connections: reader.value("BERTH_DATABASE_CONNECTIONS", 1),
                application_name: "berth upload-svc",
            },
            limits: limits(&mut reader),
            lifetime: Duration::from_secs(u64::from(reader.value("BERTH_EXPIRE_DAYS", 0u32)) * SECONDS_A_DAY),
            grace: reader.value_with("BERTH_SWEEP_GRACE", Duration::ZERO, parse_duration),
            uploads_kept: lasting(&mut reader, "BERTH_UPLOADS_KEEP"),
            answers_kept: lasting(&mut reader, "BERTH_IDEMPOTENCY_KEEP"),
            dialects: reader.list("BERTH_DIALECTS").into_iter().collect(),
            header_validation: reader.list("BERTH_HEADER_VALIDATION").into_iter().collect(),
            anonymous_account: reader.value_with("BERTH_ANONYMOUS_ACCOUNT", None, read_name),
            rate_limit: reader.value("BERTH_RATE_LIMIT", 0),
            judges: reader.switch("BERTH_HOTLINK_RULES"),
            allow: reader.list("BERTH_HOTLINK_ALLOW"),
            empty: reader.value_with("BERTH_HOTLINK_EMPTY", Choice::Allow, |text| match text {
                "allow" => Ok(Choice::Allow),
                "deny" => Ok(Choice::Deny),
                _ => Err("expected allow or deny"),
            }),
            trusted_proxies: reader.value("BERTH_TRUSTED_PROXIES", TrustedProxies::default()),
            identity: identity(&mut reader),
            validation: reader.value("BERTH_VALIDATION", Validation::default()),
            scrub: reader.value("BERTH_SCRUB", Scrub::default()),
            decoders: DecoderLimits::default(),
            variant_jobs: reader.value("BERTH_VARIANT_JOBS", 0),
            log: LogSettings {
                filter: reader.value("BERTH_LOG", String::new()),
                format: reader.value("BERTH_LOG_FORMAT", process::LogFormat::default()),
            },
        };
        reader.finish(settings)
    }
}

/// A URL prefix that links can be built on: http or https, no query, no slash at its end.
fn base_url(reader: &mut Reader) -> String {
    reader.value_with("BERTH_BASE_URL", String::new(), |text| {
        let url = url::Url::parse(text).map_err(|error| error.to_string())?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() || url.query().is_some() {
            return Err("expected something like https://img.example.com".to_owned());
        }
        Ok(text.trim_end_matches('/').to_owned())
    })
}

fn identity(reader: &mut Reader) -> IdentitySettings {
    // Keys are derived from it, one a purpose.
    let secret = Secret::new(reader.secret("BERTH_SECRET"));
    let previous = reader.is_set("BERTH_SECRET_PREVIOUS");
    IdentitySettings {
        secret,
        previous_secret: previous.then(|| Secret::new(reader.secret("BERTH_SECRET_PREVIOUS"))),
        session: lasting(reader, "BERTH_SESSION_LIFETIME"),
        remembered_session: lasting(reader, "BERTH_SESSION_REMEMBER"),
        sign_ins_per_account: reader.value("BERTH_SIGN_IN_PER_ACCOUNT", 0),
        sign_ins_per_address: reader.value("BERTH_SIGN_IN_PER_ADDRESS", 0),
        requests_per_account: reader.value("BERTH_ACCOUNT_RATE_LIMIT", 0),
    }
}

/// A duration that a session can last: a minute at least, or nobody could sign in; ten years at most.
fn lasting(reader: &mut Reader, name: &str) -> Duration {
    const TEN_YEARS: Duration = Duration::from_secs(3650 * SECONDS_A_DAY);
    reader.value_with(name, Duration::ZERO, |text| {
        let duration = parse_duration(text).map_err(|error| error.to_string())?;
        if (Duration::from_mins(1)..=TEN_YEARS).contains(&duration) {
            Ok(duration)
        } else {
            Err("expected from 1m to 3650d".to_owned())
        }
    })
}

/// A user name, or none.
fn read_name(text: &str) -> Result<Option<Username>, InvalidUsername> {
    match text {
        "" => Ok(None),
        name => name.parse().map(Some),
    }
}

/// Where the blobs are.
fn store(reader: &mut Reader, data: &Path) -> StoreSettings {
    let folder = data.join("blobs");
    let read = reader.together(|text| StoreSettings::read(&folder, text));
    read.unwrap_or_else(|| folder.as_path().into())
}

fn limits(reader: &mut Reader) -> UploadLimits {
    let image_bytes = reader.value("BERTH_MAX_UPLOAD_BYTES", 0);
    // Who lowers the limit of a file means every file, unless they say something else about videos.
    let follows = reader.is_set("BERTH_MAX_UPLOAD_BYTES") && !reader.is_set("BERTH_MAX_VIDEO_BYTES");
    let video_bytes = if follows {
        image_bytes
    } else {
        reader.value("BERTH_MAX_VIDEO_BYTES", 0)
    };
    UploadLimits {
        image_bytes,
        video_bytes,
        request_bytes: reader.value("BERTH_MAX_REQUEST_BYTES", 0),
        files: reader.value("BERTH_MAX_FILES", 0),
        allowed: reader.list("BERTH_ALLOWED_TYPES").into_iter().collect(),
        ..UploadLimits::default()
    }
}

fn stand_in_address() -> ListenAddress {
    ListenAddress::Tcp(String::new())
}
