use std::path::{Path, PathBuf};

use blobs::StoreSettings;
use catalog::CatalogSettings;
use domain::{
    Dialects, NamedWidths, Secret,
    hotlink::{Base, Choice, HostRule},
};
use http_kit::{ListenAddress, TrustedProxies};
use process::{
    LogSettings,
    settings::{Complaints, Reader, Sources},
};

use crate::{Delivery, Placeholder};

/// Everything that an operator decides about serve-svc.
#[derive(Debug, Clone)]
pub struct ServeSettings {
    /// The public prefix of links; its host may always embed.
    pub base_url: String,
    /// Where requests come in.
    pub listen: ListenAddress,
    /// Whether the socket of another process that still answers is taken over.
    pub takes_over: bool,
    /// Where `/metrics` and `/health` are asked for.
    pub metrics_listen: ListenAddress,
    /// Where the blobs are.
    pub blobs: StoreSettings,
    /// The database.
    pub catalog: CatalogSettings,
    /// Whether views are counted.
    pub counts: bool,
    /// The folder of the journals that views are counted in.
    pub journal: PathBuf,
    /// Whether anybody is judged by where they come from.
    pub judges: bool,
    /// Hosts that may embed, besides our own.
    pub allow: Vec<HostRule>,
    /// What happens to a request that does not say where it comes from.
    pub empty: Choice,
    /// What a site that may not embed is shown.
    pub refused: Placeholder,
    /// What is shown of an image that is not there.
    pub missing: Placeholder,
    /// The widths that variants have.
    pub widths: NamedWidths,
    /// What links are signed with.
    pub secret: Secret,
    /// The secret before this one, whose links are still good.
    pub previous_secret: Option<Secret>,
    /// Who sends the bytes.
    pub delivery: Delivery,
    /// The older hosts' contracts that are spoken.
    pub dialects: Dialects,
    /// Peers whose `X-Forwarded-For` is believed.
    pub trusted_proxies: TrustedProxies,
    /// The log.
    pub log: LogSettings,
}

impl ServeSettings {
    /// Reads the settings, or tells everything that is wrong with them.
    pub fn load(sources: Sources) -> Result<Self, Complaints> {
        let mut reader = Reader::new(sources);
        reader.default_to("BERTH_BASE_URL", "http://127.0.0.1:8080");
        reader.default_to("BERTH_LISTEN", "127.0.0.1:8082");
        reader.default_to("BERTH_METRICS_LISTEN", "127.0.0.1:9082");
        let secret = Secret::new(reader.secret("BERTH_SECRET"));
        let previous = reader.is_set("BERTH_SECRET_PREVIOUS");
        let data: PathBuf = reader.value("BERTH_DATA", PathBuf::new());
        reader.default_to("BERTH_JOURNAL", &data.join("journal").to_string_lossy());
        let stand_in = || ListenAddress::Tcp(String::new());
        let settings = Self {
            base_url: reader.value_with("BERTH_BASE_URL", String::new(), |text| {
                HostRule::of_base_url(text).map(|_| text.trim_end_matches('/').to_owned())
            }),
            listen: reader.value("BERTH_LISTEN", stand_in()),
            takes_over: reader.switch("BERTH_TAKE_OVER"),
            metrics_listen: reader.value("BERTH_METRICS_LISTEN", stand_in()),
            blobs: store(&mut reader, &data),
            catalog: CatalogSettings {
                url: reader.value("BERTH_DATABASE_URL", String::new()),
                connections: reader.value("BERTH_DATABASE_CONNECTIONS", 1),
                application_name: "berth serve-svc",
            },
            counts: reader.switch("BERTH_COUNT_VIEWS"),
            journal: reader.value("BERTH_JOURNAL", PathBuf::new()),
            judges: reader.switch("BERTH_HOTLINK_RULES"),
            allow: reader.list("BERTH_HOTLINK_ALLOW"),
            empty: reader.value_with("BERTH_HOTLINK_EMPTY", Choice::Allow, |text| match text {
                "allow" => Ok(Choice::Allow),
                "deny" => Ok(Choice::Deny),
                _ => Err("expected allow or deny"),
            }),
            refused: reader.value_with("BERTH_PLACEHOLDER_REFUSED", Placeholder::REFUSED, |path| {
                Placeholder::choose(path, Placeholder::REFUSED)
            }),
            missing: reader.value_with("BERTH_PLACEHOLDER_MISSING", Placeholder::MISSING, |path| {
                Placeholder::choose(path, Placeholder::MISSING)
            }),
            widths: reader.value("BERTH_VARIANT_WIDTHS", NamedWidths::default()),
            previous_secret: previous.then(|| Secret::new(reader.secret("BERTH_SECRET_PREVIOUS"))),
            secret,
            delivery: reader.value("BERTH_DELIVERY", Delivery::Stream),
            dialects: reader.list("BERTH_DIALECTS").into_iter().collect(),
            trusted_proxies: reader.value("BERTH_TRUSTED_PROXIES", TrustedProxies::default()),
            log: LogSettings {
                filter: reader.value("BERTH_LOG", String::new()),
                format: reader.value("BERTH_LOG_FORMAT", process::LogFormat::default()),
            },
        };
        reader.finish(settings)
    }

    /// Who may embed, where no policy says anything.
    #[must_use]
    pub fn base(&self) -> Base {
        Base {
            own: HostRule::of_base_url(&self.base_url).into_iter().collect(),
            allow: self.allow.clone(),
            empty: self.empty,
            off: !self.judges,
        }
    }
}

/// Where the blobs are.
fn store(reader: &mut Reader, data: &Path) -> StoreSettings {
    let folder = data.join("blobs");
    let read = reader.together(|text| StoreSettings::read(&folder, text));
    read.unwrap_or_else(|| folder.as_path().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: (&str, &str) = ("BERTH_SECRET", "0123456789abcdef0123456789abcdef");
    const DATABASE: (&str, &str) = ("BERTH_DATABASE_URL", "host=/run/postgresql");

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let bad = [
            SECRET,
            ("BERTH_BASE_URL", "ftp://img.example"),
            ("BERTH_LISTEN", "8082"),
            ("BERTH_HOTLINK_ALLOW", "blog.example, https://other.example/"),
            ("BERTH_HOTLINK_EMPTY", "maybe"),
            ("BERTH_DELIVERY", "carrier-pigeon"),
            ("BERTH_STORE", "s3"),
            ("BERTH_S3_BUCKET", "pictures"),
            ("BERTH_S3_ENDPOINT", "s3.example.com"),
            ("BERTH_S3_SECRET_KEY", "never shown"),
            ("BERTH_TRUSTED_PROXIES", "everyone"),
            ("BERTH_VARIANT_WIDTHS", "300,9000"),
            ("BERTH_PLACEHOLDER_REFUSED", "/no/such/picture.png"),
            ("BERTH_PLACEHOLDER_MISSING", "/dev/null"),
        ];
        let Complaints(lines) = ServeSettings::load(Sources::from_pairs(bad)).unwrap_err();
        let mut named: Vec<&str> = lines
            .iter()
            .filter_map(|line| line.split([' ', ':']).next())
            .collect();
        named.sort_unstable();
        assert_eq!(
            named,
            [
                "BERTH_BASE_URL",
                "BERTH_DATABASE_URL",
                "BERTH_DELIVERY",
                "BERTH_HOTLINK_ALLOW",
                "BERTH_HOTLINK_EMPTY",
                "BERTH_LISTEN",
                "BERTH_PLACEHOLDER_MISSING",
                "BERTH_PLACEHOLDER_REFUSED",
                "BERTH_S3_ACCESS_KEY",
                "BERTH_S3_ENDPOINT",
                "BERTH_TRUSTED_PROXIES",
                "BERTH_VARIANT_WIDTHS",
            ]
        );
    }

    #[test]
    fn the_host_of_the_base_url_may_always_embed() {
        for base_url in [
            "https://img.example",
            "https://img.example/",
            "http://img.example:8080",
        ] {
            let pairs = [SECRET, DATABASE, ("BERTH_BASE_URL", base_url)];
            let settings = ServeSettings::load(Sources::from_pairs(pairs)).unwrap();
            assert_eq!(settings.base_url, base_url.trim_end_matches('/'));
            let page = domain::hotlink::RefererHeaders {
                referer: Some("https://img.example/page"),
                ..Default::default()
            };
            let policy = domain::hotlink::HotlinkPolicy::of(&settings.base());
            assert!(policy.judge(&page.site(), page).is_allowed(), "{base_url}");
        }
    }
}
