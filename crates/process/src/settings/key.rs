/// A setting that exists.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Its name in the environment; in a file it stands in lower case without `BERTH_`.
    pub name: &'static str,
    /// What applies when it is not set; none where each program has its own, or where it must be set.
    pub default: Option<&'static str>,
    /// Whether its value must never be shown.
    pub secret: bool,
    /// What to do when it is missing.
    pub hint: &'static str,
}

const fn key(name: &'static str, default: &'static str) -> Key {
    Key {
        name,
        default: Some(default),
        secret: false,
        hint: "",
    }
}

const fn own(name: &'static str, hint: &'static str) -> Key {
    Key {
        name,
        default: None,
        secret: false,
        hint,
    }
}

const fn secret(name: &'static str, hint: &'static str) -> Key {
    Key {
        name,
        default: None,
        secret: true,
        hint,
    }
}

/// Every setting of every program. `docs/CONFIGURATION.md` explains them; a test holds the two together.
pub const KEYS: &[Key] = &[
    own("BERTH_CONFIG", "the path of a settings file"),
    own(
        "BERTH_BASE_URL",
        "the public URL before every link, such as https://img.example.com",
    ),
    own("BERTH_LISTEN", "HOST:PORT or unix:/path/to.sock"),
    key("BERTH_TAKE_OVER", "off"),
    own("BERTH_METRICS_LISTEN", "HOST:PORT of /metrics and /health"),
    key("BERTH_DATA", "./berth-data"),
    key("BERTH_STORE", "disk"),
    own(
        "BERTH_S3_ENDPOINT",
        "the address of the S3-compatible server, such as https://s3.example.com",
    ),
    key("BERTH_S3_REGION", "us-east-1"),
    own("BERTH_S3_BUCKET", "the bucket's name"),
    key("BERTH_S3_PREFIX", ""),
    own("BERTH_S3_ACCESS_KEY", "the id of this service's key"),
    secret("BERTH_S3_SECRET_KEY", "the secret of this service's key"),
    key("BERTH_S3_PATH_STYLE", "on"),
    secret(
        "BERTH_DATABASE_URL",
        "such as postgres://berth_upload:PASSWORD@HOST/berth",
    ),
    secret("BERTH_SECRET", "`openssl rand -hex 32` makes a good one"),
    secret(
        "BERTH_SECRET_PREVIOUS",
        "the secret before BERTH_SECRET, so that changing it signs nobody out",
    ),
    key("BERTH_SESSION_LIFETIME", "12h"),
    key("BERTH_SESSION_REMEMBER", "30d"),
    key("BERTH_SIGN_IN_PER_ACCOUNT", "10"),
    key("BERTH_SIGN_IN_PER_ADDRESS", "30"),
    key("BERTH_EVENTS_KEEP", "90d"),
    key("BERTH_IDEMPOTENCY_KEEP", "24h"),
    key("BERTH_HOTLINK_RULES", "on"),
    key("BERTH_HOTLINK_ALLOW", ""),
    key("BERTH_HOTLINK_EMPTY", "allow"),
    key("BERTH_PLACEHOLDER_REFUSED", ""),
    key("BERTH_PLACEHOLDER_MISSING", ""),
    key("BERTH_EXPIRE_DAYS", "30"),
    key("BERTH_MAX_UPLOAD_BYTES", "67108864"),
    key("BERTH_MAX_VIDEO_BYTES", "2147483648"),
    key("BERTH_MAX_REQUEST_BYTES", "5368709120"),
    key("BERTH_MAX_FILES", "50"),
    key("BERTH_DISK_RESERVE", "268435456"),
    key(
        "BERTH_ALLOWED_TYPES",
        "jpg,png,gif,webp,avif,heic,bmp,tiff,mp4,mov,m4v,avi,mkv,webm",
    ),
    key(
        "BERTH_DIALECTS",
        "image-proxy,upimg,django,maple,form,lsky,smms,picgo-server,chevereto,sharex",
    ),
    key("BERTH_HEADER_VALIDATION", ""),
    key("BERTH_ANONYMOUS_ACCOUNT", ""),
    key("BERTH_VARIANT_WIDTHS", "160,300,480,640,810,1280,1920"),
    key("BERTH_VARIANT_JOBS", "1"),
    key("BERTH_VALIDATION", "decode"),
    key("BERTH_SCRUB", "location"),
    key("BERTH_RATE_LIMIT", "3000"),
    key("BERTH_ACCOUNT_RATE_LIMIT", "6000"),
    key("BERTH_TRUSTED_PROXIES", "unix"),
    key("BERTH_DELIVERY", "stream"),
    key("BERTH_COUNT_VIEWS", "on"),
    own("BERTH_JOURNAL", "the folder of serve-svc's journals of views"),
    key("BERTH_DATABASE_CONNECTIONS", "8"),
    key("BERTH_SWEEP_GRACE", "7d"),
    key("BERTH_STAGING_MAX_AGE", "6h"),
    key("BERTH_UPLOADS_KEEP", "24h"),
    key("BERTH_JANITOR_INTERVAL", "30s"),
    key("BERTH_REHASH_DAYS", "30"),
    key("BERTH_REHASH_RATE", "33554432"),
    key("BERTH_CLEANUP", "on"),
    key("BERTH_CLEANUP_TIME", "03:00:00"),
    key("BERTH_PURGE_URL", ""),
    key("BERTH_PURGE_METHOD", ""),
    secret("BERTH_PURGE_HEADER", "such as Authorization: Bearer KEY"),
    key("BERTH_PURGE_BODY", ""),
    key("BERTH_LOG", "info"),
    key("BERTH_LOG_FORMAT", "text"),
    key("BERTH_ADMIN_USERNAME", "admin"),
    secret(
        "BERTH_ADMIN_PASSWORD",
        "the first account's password, at least 12 characters",
    ),
    secret(
        "BERTH_DB_UPLOAD_PASSWORD",
        "the password of the database role berth_upload",
    ),
    secret(
        "BERTH_DB_SERVE_PASSWORD",
        "the password of the database role berth_serve",
    ),
    secret(
        "BERTH_DB_JANITOR_PASSWORD",
        "the password of the database role berth_janitor",
    ),
    // Read by the command line as a client; known to all, so that a shell that has them set starts everything.
    own("BERTH_URL", "the berth that the command line speaks to"),
    secret("BERTH_TOKEN", "the token with which it does"),
    // Read by docker-compose.yml alone; known here so that sharing its .env is no complaint.
    secret("BERTH_DB_OWNER_PASSWORD", "the password of the database's owner"),
    own("BERTH_PORT", "the port on which compose publishes nginx"),
    own("BERTH_BIND", "the address on which compose publishes nginx"),
    own("BERTH_SERVER_NAME", "nginx's server_name"),
];
