use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// Where a value came from, for a complaint that sends a person to the right place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layer {
    /// A settings file.
    File(PathBuf),
    /// `.env`.
    DotEnv(PathBuf),
    /// The process's environment.
    Environment,
    /// A flag of the command line.
    Flag,
}

impl std::fmt::Display for Layer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) | Self::DotEnv(path) => write!(f, "{}", path.display()),
            Self::Environment => f.write_str("the environment"),
            Self::Flag => f.write_str("the command line"),
        }
    }
}

/// All values that were set anywhere, the strongest layer's for each name, and what could not be read.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    pub(super) values: BTreeMap<String, (String, Layer)>,
    pub(super) complaints: Vec<String>,
}

const PREFIX: &str = "BERTH_";

impl Sources {
    /// Reads `BERTH_CONFIG` or else `berth.toml` or `berth.json` in the working folder, then `.env` there, then the
    /// environment.
    #[must_use]
    pub fn load() -> Self {
        #[allow(
            clippy::disallowed_methods,
            reason = "this is the one place that reads the environment"
        )]
        let environment: Vec<(String, String)> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let named = environment
            .iter()
            .find(|(name, _)| name == "BERTH_CONFIG")
            .map(|(_, value)| PathBuf::from(value));
        let mut sources = Self::default();
        if let Some(path) = named {
            sources.add_file(&path);
        } else {
            let found = ["berth.toml", "berth.json"]
                .map(PathBuf::from)
                .into_iter()
                .filter(|path| path.is_file());
            found.for_each(|path| sources.add_file(&path));
        }
        sources.add_dot_env(Path::new(".env"));
        sources.add_all(environment, &Layer::Environment);
        sources
    }

    /// One value of the environment alone, whatever files say: what a person sets for one command.
    #[must_use]
    pub fn environment(name: &str) -> Option<String> {
        #[allow(
            clippy::disallowed_methods,
            reason = "this is the one place that reads the environment"
        )]
        let value = std::env::var(name).ok();
        value.filter(|value| !value.is_empty())
    }

    /// Nothing but these pairs, as if they stood in the environment: what tests use.
    #[must_use]
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut sources = Self::default();
        let owned = pairs
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        sources.add_all(owned, &Layer::Environment);
        sources
    }

    /// Sets a value over every layer, as a flag of the command line does.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.values.insert(name.to_owned(), (value.into(), Layer::Flag));
    }

    /// Whether a value was set anywhere.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// Adds a TOML or JSON file of flat keys: `expire_days = 30` is `BERTH_EXPIRE_DAYS`.
    pub fn add_file(&mut self, path: &Path) {
        match read_file(path) {
            Ok(pairs) => self.add_all(pairs, &Layer::File(path.to_owned())),
            Err(complaint) => self.complaints.push(format!("{}: {complaint}", path.display())),
        }
    }

    /// Adds a `.env` file, if there is one.
    pub fn add_dot_env(&mut self, path: &Path) {
        if !path.is_file() {
            return;
        }
        let layer = Layer::DotEnv(path.to_owned());
        match dotenvy::from_path_iter(path) {
            Ok(pairs) => {
                for pair in pairs {
                    match pair {
                        Ok(pair) => self.add_all([pair], &layer),
                        Err(error) => self.complaints.push(format!("{}: {error}", path.display())),
                    }
                }
            }
            Err(error) => self.complaints.push(format!("{}: {error}", path.display())),
        }
    }

    pub(super) fn add_all(&mut self, pairs: impl IntoIterator<Item = (String, String)>, layer: &Layer) {
        for (name, value) in pairs {
            // An empty value is what compose hands on for a variable that is not set; it means the default.
            if name.starts_with(PREFIX) && !value.is_empty() {
                self.values.insert(name, (value, layer.clone()));
            }
        }
    }
}

fn read_file(path: &Path) -> Result<Vec<(String, String)>, String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let table: BTreeMap<String, serde_json::Value> = if path.extension().is_some_and(|e| e == "json") {
        serde_json::from_str(&text).map_err(|error| error.to_string())?
    } else {
        toml::from_str(&text).map_err(|error| error.to_string())?
    };
    table
        .into_iter()
        .map(|(name, value)| {
            Ok((
                format!("{PREFIX}{}", name.to_ascii_uppercase()),
                flat(&name, &value)?,
            ))
        })
        .collect()
}

/// The text that the environment would hold for a value of a file.
fn flat(name: &str, value: &serde_json::Value) -> Result<String, String> {
    use serde_json::Value;
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(on) => Ok(if *on { "on" } else { "off" }.to_owned()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Null => Ok(String::new()),
        Value::Array(items) => {
            let items: Result<Vec<String>, String> = items.iter().map(|item| flat(name, item)).collect();
            Ok(items?.join(","))
        }
        Value::Object(_) => Err(format!("{name}: a table; every setting is one plain value")),
    }
}
