use std::{collections::BTreeSet, fmt, str::FromStr};

/// A wire contract of an older image host, which its clients go on speaking to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(
    missing_docs,
    reason = "each is the dialect of its name; docs/clients/ explains them"
)]
pub enum Dialect {
    ImageProxy,
    Upimg,
    Django,
    Maple,
    Form,
    Lsky,
    Smms,
    PicgoServer,
    Chevereto,
    Sharex,
}

/// The text names no dialect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no dialect; dialects are image-proxy, upimg, django, maple, form, lsky, smms, picgo-server, chevereto, sharex"
)]
pub struct UnknownDialect(String);

impl Dialect {
    /// Every dialect.
    pub const ALL: [Self; 10] = [
        Self::ImageProxy,
        Self::Upimg,
        Self::Django,
        Self::Maple,
        Self::Form,
        Self::Lsky,
        Self::Smms,
        Self::PicgoServer,
        Self::Chevereto,
        Self::Sharex,
    ];

    /// The word in the settings.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ImageProxy => "image-proxy",
            Self::Upimg => "upimg",
            Self::Django => "django",
            Self::Maple => "maple",
            Self::Form => "form",
            Self::Lsky => "lsky",
            Self::Smms => "smms",
            Self::PicgoServer => "picgo-server",
            Self::Chevereto => "chevereto",
            Self::Sharex => "sharex",
        }
    }
}

impl FromStr for Dialect {
    type Err = UnknownDialect;

    fn from_str(text: &str) -> Result<Self, UnknownDialect> {
        Self::ALL
            .into_iter()
            .find(|dialect| dialect.as_str() == text)
            .ok_or_else(|| UnknownDialect(text.to_owned()))
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which dialects are spoken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialects(BTreeSet<Dialect>);

impl Dialects {
    /// All of them.
    #[must_use]
    pub fn all() -> Self {
        Dialect::ALL.into_iter().collect()
    }

    /// Whether this one is spoken.
    #[must_use]
    pub fn contains(&self, dialect: Dialect) -> bool {
        self.0.contains(&dialect)
    }
}

impl FromIterator<Dialect> for Dialects {
    fn from_iter<I: IntoIterator<Item = Dialect>>(dialects: I) -> Self {
        Self(dialects.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dialect_is_found_again_by_its_word_and_no_other_word_is_one() {
        for dialect in Dialect::ALL {
            assert_eq!(dialect.as_str().parse(), Ok(dialect));
            let others: Dialects = Dialect::ALL
                .into_iter()
                .filter(|other| *other != dialect)
                .collect();
            assert!(Dialects::all().contains(dialect) && !others.contains(dialect));
        }
        for word in ["", "LSKY", "picgo", "image_proxy"] {
            assert_eq!(word.parse::<Dialect>(), Err(UnknownDialect(word.to_owned())));
        }
    }
}
