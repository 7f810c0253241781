use std::{
    error::Error,
    fs::{self, OpenOptions},
    io::{ErrorKind, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use domain::Username;
use janitor::JanitorSettings;
use process::settings::{Complaints, Reader, Sources};
use serve_svc::ServeSettings;
use upload_svc::UploadSettings;

/// Everything that berthd runs by.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The folder that everything lives in, absolute.
    pub(crate) data: PathBuf,
    /// Whether the operator said what links begin with; else it is where we listen.
    pub(crate) has_base_url: bool,
    /// The first account's name and, if the operator chose one, its password.
    pub(crate) admin: (String, Option<String>),
    pub(crate) upload: UploadSettings,
    pub(crate) serve: ServeSettings,
    pub(crate) janitor: JanitorSettings,
}

type Failure = Box<dyn Error + Send + Sync>;

/// The database's URL is only known once Postgres runs; the services' settings are judged before.
const NO_DATABASE_YET: &str = "host=/nowhere user=nobody dbname=none";

impl Settings {
    /// Reads and judges all settings; only when nothing is wrong with any of them are the data folder and its secret made.
    pub(crate) fn load(mut sources: Sources) -> Result<Self, Failure> {
        // Two of them on one machine must not quarrel about a port that nobody asked for.
        for (name, value) in [
            ("BERTH_LISTEN", "127.0.0.1:8080"),
            ("BERTH_METRICS_LISTEN", "127.0.0.1:0"),
        ] {
            if !sources.has(name) {
                sources.set(name, value);
            }
        }
        let mut wrong = Wrong::default();
        let has_base_url = sources.has("BERTH_BASE_URL");
        let mut reader = Reader::new(sources.clone());
        if reader.is_set("BERTH_DATABASE_URL") {
            let instead = "berthd runs a Postgres of its own; take this out, or run upload-svc, serve-svc and janitor instead";
            reader.complain("BERTH_DATABASE_URL", &instead);
        }
        let data: PathBuf = std::path::absolute(reader.value("BERTH_DATA", PathBuf::new()))?;
        let username = reader.value_with("BERTH_ADMIN_USERNAME", None, |text| {
            text.parse::<Username>().map(Some)
        });
        let password = reader.text("BERTH_ADMIN_PASSWORD").map(str::to_owned);
        wrong.keep(reader.finish(()));
        sources.set("BERTH_DATA", data.to_string_lossy());
        sources.set("BERTH_DATABASE_URL", NO_DATABASE_YET);
        let own_secret = (!sources.has("BERTH_SECRET"))
            .then(|| Secret::of(&data))
            .transpose()?;
        if let Some(secret) = &own_secret {
            sources.set("BERTH_SECRET", secret.text.clone());
        }
        let upload = wrong.keep(UploadSettings::load(sources.clone()));
        let serve = wrong.keep(ServeSettings::load(sources.clone()));
        let janitor = wrong.keep(JanitorSettings::load(sources));
        let (Some(upload), Some(serve), Some(janitor)) = (upload, serve, janitor) else {
            return Err(wrong.complaints().into());
        };
        if !wrong.0.is_empty() {
            return Err(wrong.complaints().into());
        }
        fs::create_dir_all(&data)
            .map_err(|error| format!("the data folder {} can't be made: {error}", data.display()))?;
        if let Some(secret) = own_secret {
            secret.keep()?;
        }
        Ok(Self {
            data,
            has_base_url,
            admin: (
                username.map_or_else(String::new, |name| name.to_string()),
                password,
            ),
            upload,
            serve,
            janitor,
        })
    }
}

/// What the programs complain about, each line once.
#[derive(Default)]
struct Wrong(Vec<String>);

impl Wrong {
    fn keep<T>(&mut self, outcome: Result<T, Complaints>) -> Option<T> {
        match outcome {
            Ok(settings) => Some(settings),
            Err(Complaints(lines)) => {
                let news: Vec<String> = lines.into_iter().filter(|line| !self.0.contains(line)).collect();
                self.0.extend(news);
                None
            }
        }
    }

    fn complaints(self) -> Complaints {
        Complaints(self.0)
    }
}

/// The secret in `DIR/secret`, drawn at the first start.
struct Secret {
    path: PathBuf,
    text: String,
    is_new: bool,
}

impl Secret {
    fn of(data: &Path) -> Result<Self, Failure> {
        let path = data.join("secret");
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Self {
                path,
                text: text.trim().to_owned(),
                is_new: false,
            }),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let half = || u128::from_le_bytes(process::random());
                let text = format!("{:032x}{:032x}", half(), half());
                Ok(Self {
                    path,
                    text,
                    is_new: true,
                })
            }
            Err(error) => Err(format!("{} can't be read: {error}", path.display()).into()),
        }
    }

    fn keep(self) -> Result<(), Failure> {
        if self.is_new {
            let mut file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&self.path)?;
            file.write_all(self.text.as_bytes())?;
            file.sync_all()?;
        }
        Ok(())
    }
}
