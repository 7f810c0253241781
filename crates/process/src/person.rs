use std::{ffi::OsString, path::PathBuf};

/// What the environment tells of the person who runs a program by hand: where their files are kept, and what they read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Person {
    /// Where berth keeps what they told it: `$XDG_CONFIG_HOME/berth`, else `~/.config/berth`. None without a home.
    pub config: Option<PathBuf>,
    /// Where berth keeps what is under way: `$XDG_STATE_HOME/berth`, else `~/.local/state/berth`.
    pub state: Option<PathBuf>,
    /// Their language as a locale, such as `zh_CN.UTF-8`: `LC_ALL`, else `LC_MESSAGES`, else `LANG`.
    pub locale: String,
    /// What the machine is called; `this machine` where it does not say.
    pub machine: String,
}

impl Person {
    /// Looks at the environment.
    #[must_use]
    pub fn load() -> Self {
        Self::from(std::env::var_os)
    }

    fn from(variable: impl Fn(&'static str) -> Option<OsString>) -> Self {
        let set = |name| variable(name).filter(|value| !value.is_empty());
        let folder = |name, under_home: &str| {
            // The specification of these folders: one that is not absolute counts as not set.
            let own = set(name).map(PathBuf::from).filter(|path| path.is_absolute());
            let folder = own.or_else(|| Some(PathBuf::from(set("HOME")?).join(under_home)))?;
            Some(folder.join("berth"))
        };
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(set);
        Self {
            config: folder("XDG_CONFIG_HOME", ".config"),
            state: folder("XDG_STATE_HOME", ".local/state"),
            locale: locale.map_or_else(String::new, |locale| locale.to_string_lossy().into_owned()),
            machine: machine(),
        }
    }
}

fn machine() -> String {
    ["/proc/sys/kernel/hostname", "/etc/hostname"]
        .into_iter()
        .filter_map(|path| std::fs::read_to_string(path).ok())
        .map(|name| name.trim().to_owned())
        .find(|name| !name.is_empty())
        .unwrap_or_else(|| "this machine".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_language_follow_the_environment() {
        for (set, config, locale) in [
            (vec![("HOME", "/h")], Some("/h/.config/berth"), ""),
            (
                vec![("HOME", "/h"), ("XDG_CONFIG_HOME", "/c"), ("LANG", "zh_CN.UTF-8")],
                Some("/c/berth"),
                "zh_CN.UTF-8",
            ),
            (
                vec![
                    ("HOME", "/h"),
                    ("XDG_CONFIG_HOME", "relative"),
                    ("LANG", "zh"),
                    ("LC_ALL", "C"),
                ],
                Some("/h/.config/berth"),
                "C",
            ),
            (vec![("LANG", "en"), ("LC_MESSAGES", "")], None, "en"),
        ] {
            let person = Person::from(|name| {
                let found = set.iter().find(|(set, _)| *set == name);
                found.map(|(_, value)| OsString::from(value))
            });
            assert_eq!(person.config, config.map(PathBuf::from), "{set:?}");
            assert_eq!(person.locale, locale, "{set:?}");
        }
    }
}
