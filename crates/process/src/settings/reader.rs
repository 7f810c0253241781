use std::{error::Error, fmt, str::FromStr};

use super::{
    key::{KEYS, Key},
    sources::Sources,
};

/// Everything that is wrong with the settings, one line each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaints(pub Vec<String>);

impl fmt::Display for Complaints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, word) = (
            self.0.len(),
            if self.0.len() == 1 {
                "setting needs"
            } else {
                "settings need"
            },
        );
        write!(
            f,
            "{count} {word} mending, nothing was started (设置有误，未启动)"
        )?;
        self.0
            .iter()
            .try_for_each(|complaint| write!(f, "\n  - {complaint}"))
    }
}

impl Error for Complaints {}

/// Reads typed values out of [`Sources`]. A bad one is noted and replaced by a stand-in, so that reading goes on and
/// [`finish`](Self::finish) can tell all that is wrong.
#[derive(Debug)]
pub struct Reader {
    sources: Sources,
    complaints: Vec<String>,
}

/// A name this far from a known one is taken for a typing error of it.
const LONGEST_TYPO: usize = 3;

impl Reader {
    /// Begins to read. A name that starts with `BERTH_` and that nobody knows is a complaint: it is a typing error that
    /// would otherwise be ignored in silence.
    #[must_use]
    pub fn new(mut sources: Sources) -> Self {
        let mut complaints = std::mem::take(&mut sources.complaints);
        for (name, (_, layer)) in &sources.values {
            if find(name).is_none() {
                let nearest = KEYS
                    .iter()
                    .map(|key| key.name)
                    .min_by_key(|known| distance(known, name));
                let guess = nearest.filter(|known| distance(known, name) <= LONGEST_TYPO);
                let hint = guess.map_or_else(String::new, |known| format!("; did you mean {known}?"));
                complaints.push(format!("{name} (from {layer}): no such setting{hint}"));
            }
        }
        Self { sources, complaints }
    }

    /// The text that was set, or the key's default, or none.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        let set = self.sources.values.get(name).map(|(value, _)| value.as_str());
        set.or_else(|| find(name).and_then(|key| key.default))
    }

    /// Whether a value was set anywhere, so that the default does not apply.
    #[must_use]
    pub fn is_set(&self, name: &str) -> bool {
        self.sources.has(name)
    }

    /// Gives a setting that each program has its own default for that default.
    pub fn default_to(&mut self, name: &str, value: &str) {
        if !self.is_set(name) {
            self.sources.set(name, value);
        }
    }

    /// The value as `parse` reads it; `stand_in` where it is missing or bad, which is then complained about.
    pub fn value_with<T, E: fmt::Display>(
        &mut self,
        name: &str,
        stand_in: T,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> T {
        match self.text(name).map(parse) {
            Some(Ok(value)) => value,
            Some(Err(error)) => {
                self.complain(name, &error);
                stand_in
            }
            None => {
                let hint = find(name).map_or("", |key| key.hint);
                self.complain(name, &format_args!("is not set; {hint}"));
                stand_in
            }
        }
    }

    /// The value as its type reads itself from text.
    pub fn value<T: FromStr>(&mut self, name: &str, stand_in: T) -> T
    where
        T::Err: fmt::Display,
    {
        self.value_with(name, stand_in, str::parse)
    }

    /// A list, with commas between its items; what is wrong with each item is told.
    pub fn list<T: FromStr>(&mut self, name: &str) -> Vec<T>
    where
        T::Err: fmt::Display,
    {
        let text = self.text(name).unwrap_or_default().to_owned();
        let mut items = Vec::new();
        for item in text.split(',').map(str::trim).filter(|item| !item.is_empty()) {
            match item.parse() {
                Ok(item) => items.push(item),
                Err(error) => self.complain(name, &error),
            }
        }
        items
    }

    /// A switch: `on`, `true`, `yes`, `1` or `off`, `false`, `no`, `0`.
    pub fn switch(&mut self, name: &str) -> bool {
        self.value_with(name, false, |text| match text.to_ascii_lowercase().as_str() {
            "on" | "true" | "yes" | "1" => Ok(true),
            "off" | "false" | "no" | "0" => Ok(false),
            _ => Err("expected on or off"),
        })
    }

    /// A secret of at least 32 characters that is not the placeholder of `.env.example`.
    pub fn secret(&mut self, name: &str) -> String {
        self.value_with(name, String::new(), |text| {
            if text.to_ascii_lowercase().contains("change-me") {
                Err(
                    "still holds the placeholder; run `make env` (it writes .env with fresh secrets), \
                     or set it to the output of `openssl rand -hex 32`",
                )
            } else if text.len() < 32 {
                Err("is shorter than 32 characters; `openssl rand -hex 32` makes a good one")
            } else {
                Ok(text.to_owned())
            }
        })
    }

    /// Settings that are read together by whoever they belong to, from their texts by name. What is wrong with any of them is noted, and there is none.
    pub fn together<T, W: Into<(&'static str, String)>>(
        &mut self,
        read: impl FnOnce(&dyn Fn(&str) -> Option<String>) -> Result<T, Vec<W>>,
    ) -> Option<T> {
        let wrong = match read(&|name| self.text(name).map(str::to_owned)) {
            Ok(settings) => return Some(settings),
            Err(wrong) => wrong,
        };
        for (name, what) in wrong.into_iter().map(Into::into) {
            self.complain(name, &what);
        }
        None
    }

    /// Notes that something is wrong with a setting.
    pub fn complain(&mut self, name: &str, what: &dyn fmt::Display) {
        let secret = find(name).is_some_and(|key| key.secret);
        let from = match self.sources.values.get(name) {
            // SECURITY: a secret is never repeated in a message; messages end up in logs.
            Some((value, layer)) if !secret => format!(" = {value:?} (from {layer})"),
            Some((_, layer)) => format!(" (from {layer})"),
            None => String::new(),
        };
        self.complaints.push(format!("{name}{from}: {what}"));
    }

    /// Hands over what was read if nothing is wrong.
    pub fn finish<T>(self, settings: T) -> Result<T, Complaints> {
        if self.complaints.is_empty() {
            Ok(settings)
        } else {
            Err(Complaints(self.complaints))
        }
    }

    /// Every setting with the value in force and where it comes from, secrets hidden: `name = value  # layer`.
    #[must_use]
    pub fn print(&self) -> String {
        let line = |key: &Key| {
            let (value, layer) = match self.sources.values.get(key.name) {
                Some((value, layer)) => (value.as_str(), layer.to_string()),
                None => (key.default.unwrap_or(""), "default".to_owned()),
            };
            let shown = if key.secret && !value.is_empty() {
                "(hidden)"
            } else {
                value
            };
            format!("{} = {shown:?}  # {layer}\n", key.name)
        };
        KEYS.iter().map(line).collect()
    }
}

fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// Letters to add, drop or change to get from one word to the other (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in b.iter().enumerate() {
            let changed = diagonal + usize::from(left != *right);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::{super::sources::Layer, *};

    #[test]
    fn every_complaint_is_told_at_once() {
        let sources = Sources::from_pairs([
            ("BERTH_EXPIRE_DAYS", "soon"),
            ("BERTH_EXPIRY_DAYS", "3"),
            ("BERTH_SECRET", "change-me-to-something-long-and-random"),
            ("BERTH_CLEANUP", "perhaps"),
        ]);
        let mut reader = Reader::new(sources);
        let _: u32 = reader.value("BERTH_EXPIRE_DAYS", 30);
        reader.secret("BERTH_SECRET");
        reader.switch("BERTH_CLEANUP");
        let complaints = reader.finish(()).unwrap_err();
        assert_eq!(complaints.0.len(), 4, "{complaints}");
        let text = complaints.to_string();
        assert!(text.contains(
            "BERTH_EXPIRY_DAYS (from the environment): no such setting; did you mean BERTH_EXPIRE_DAYS?"
        ));
        assert!(text.contains("make env"));
        assert!(
            !text.contains("something-long"),
            "a secret is never repeated: {text}"
        );
    }

    #[test]
    fn a_default_applies_where_nothing_is_set_and_an_empty_value_is_not_set() {
        let mut reader = Reader::new(Sources::from_pairs([("BERTH_EXPIRE_DAYS", "")]));
        assert_eq!(reader.value("BERTH_EXPIRE_DAYS", 0u32), 30);
        assert!(!reader.is_set("BERTH_EXPIRE_DAYS"));
        reader.finish(()).unwrap();
    }

    #[test]
    fn the_environment_overrides_dot_env_which_overrides_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("berth.toml");
        let text = "expire_days = 1\nsweep_grace = \"1d\"\nhotlink_allow = [\"a.example\", \"b.example\"]\ncleanup = false";
        std::fs::write(&file, text).unwrap();
        let dot_env = folder.path().join(".env");
        std::fs::write(&dot_env, "BERTH_EXPIRE_DAYS=2\nBERTH_SWEEP_GRACE=2d\nOTHER=x\n").unwrap();
        let mut sources = Sources::default();
        sources.add_file(&file);
        sources.add_dot_env(&dot_env);
        sources.add_all(
            [("BERTH_EXPIRE_DAYS".to_owned(), "3".to_owned())],
            &Layer::Environment,
        );
        let mut reader = Reader::new(sources);
        assert_eq!(reader.value("BERTH_EXPIRE_DAYS", 0u32), 3);
        assert_eq!(reader.text("BERTH_SWEEP_GRACE"), Some("2d"));
        assert_eq!(
            reader.list::<String>("BERTH_HOTLINK_ALLOW"),
            ["a.example", "b.example"]
        );
        assert!(!reader.switch("BERTH_CLEANUP"));
        reader.finish(()).unwrap();
    }

    #[test]
    fn a_broken_file_is_a_complaint_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("berth.toml");
        std::fs::write(&file, "expire_days = = 3").unwrap();
        let mut sources = Sources::default();
        sources.add_file(&file);
        let complaints = Reader::new(sources).finish(()).unwrap_err();
        assert!(complaints.to_string().contains("berth.toml"));
    }

    #[test]
    fn printed_settings_hide_secrets() {
        let reader = Reader::new(Sources::from_pairs([(
            "BERTH_SECRET",
            "0123456789abcdef0123456789abcdef",
        )]));
        let printed = reader.print();
        assert!(printed.contains("BERTH_SECRET = \"(hidden)\""));
        assert!(printed.contains("BERTH_EXPIRE_DAYS = \"30\"  # default"));
    }
}
