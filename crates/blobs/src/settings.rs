use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use url::Url;

use crate::bucket::{Bucket, BucketSettings, Caller};

/// Where bytes rest: on a disk, or in a bucket with a folder for what is still arriving.
#[derive(Debug, Clone)]
pub struct StoreSettings {
    /// The folder of the blobs; where they are in a bucket, only uploads that are not published yet are in it.
    pub(crate) folder: PathBuf,
    /// Where the blobs are if they are not on disk.
    pub(crate) buckets: Option<Buckets>,
}

/// One bucket, asked in two ways. Whoever shares the settings shares its connections.
#[derive(Debug, Clone)]
pub(crate) struct Buckets {
    pub(crate) for_views: Arc<Bucket>,
    pub(crate) for_work: Arc<Bucket>,
}

/// A setting that can't be. The text says what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct InvalidSetting {
    /// Its name.
    pub setting: &'static str,
    /// What is wrong with it.
    pub text: String,
}

impl From<InvalidSetting> for (&'static str, String) {
    fn from(invalid: InvalidSetting) -> Self {
        (invalid.setting, invalid.text)
    }
}

impl From<&Path> for StoreSettings {
    /// A store on disk.
    fn from(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            buckets: None,
        }
    }
}

impl From<&PathBuf> for StoreSettings {
    fn from(folder: &PathBuf) -> Self {
        folder.as_path().into()
    }
}

impl From<&StoreSettings> for StoreSettings {
    fn from(settings: &StoreSettings) -> Self {
        settings.clone()
    }
}

impl StoreSettings {
    /// Reads `BERTH_STORE` and `BERTH_S3_…`, or tells everything that is wrong with them. `text` gives a setting's text, or none
    /// where it is not set.
    pub fn read(folder: &Path, text: impl Fn(&str) -> Option<String>) -> Result<Self, Vec<InvalidSetting>> {
        let text = |name: &str| text(name).filter(|text| !text.is_empty());
        let buckets = match text("BERTH_STORE").as_deref() {
            None | Some("disk") => None,
            Some("s3") => Some(open(&read_bucket(text)?)?),
            Some(_) => return Err(vec![invalid("BERTH_STORE", "expected disk or s3")]),
        };
        Ok(Self {
            folder: folder.to_owned(),
            buckets,
        })
    }

    /// The folder of the blobs; where they are in a bucket, only uploads that are not published yet are in it.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether the blobs are in a bucket.
    #[must_use]
    pub fn is_remote(&self) -> bool {
        self.buckets.is_some()
    }
}

fn invalid(setting: &'static str, text: impl Into<String>) -> InvalidSetting {
    InvalidSetting {
        setting,
        text: text.into(),
    }
}

fn open(settings: &BucketSettings) -> Result<Buckets, Vec<InvalidSetting>> {
    let open = |caller| {
        let opened = Bucket::new(settings, caller);
        opened.map(Arc::new).map_err(|error| {
            let reason = std::error::Error::source(&error).map_or_else(String::new, ToString::to_string);
            vec![invalid("BERTH_S3_ENDPOINT", reason)]
        })
    };
    Ok(Buckets {
        for_views: open(Caller::View)?,
        for_work: open(Caller::Work)?,
    })
}

fn read_bucket(text: impl Fn(&str) -> Option<String>) -> Result<BucketSettings, Vec<InvalidSetting>> {
    let mut wrong = Vec::new();
    let mut needed = |setting, hint: &str| {
        text(setting).unwrap_or_else(|| {
            wrong.push(invalid(
                setting,
                format!("BERTH_STORE is s3, so it must be set: {hint}"),
            ));
            String::new()
        })
    };
    let bucket = needed("BERTH_S3_BUCKET", "the bucket's name");
    let access_key = needed("BERTH_S3_ACCESS_KEY", "the id of this service's key");
    let secret_key = needed("BERTH_S3_SECRET_KEY", "the secret of this service's key");
    let names_bucket = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    let is_name = bucket.len() >= 3 && bucket.chars().all(names_bucket);
    if !is_name && !bucket.is_empty() {
        let hint = "expected a bucket's name alone: three letters, digits, dots or hyphens or more; what stands before keys belongs into BERTH_S3_PREFIX";
        wrong.push(invalid("BERTH_S3_BUCKET", hint));
    }
    let endpoint = text("BERTH_S3_ENDPOINT").map(|endpoint| endpoint.trim_end_matches('/').to_owned());
    if let Some(text) = &endpoint {
        let is_address = Url::parse(text).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.has_host()
                && url.path() == "/"
                && url.query().is_none()
        });
        if !is_address {
            let hint = "expected the store's address without the bucket, such as https://s3.example.com or http://garage:3900";
            wrong.push(invalid("BERTH_S3_ENDPOINT", hint));
        }
    }
    let prefix = text("BERTH_S3_PREFIX").unwrap_or_default();
    let prefix = prefix.trim_matches('/').to_owned();
    let is_segment = |segment: &str| {
        !segment.is_empty()
            && !matches!(segment, "." | "..")
            && segment
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    };
    if !prefix.is_empty() && !prefix.split('/').all(is_segment) {
        wrong.push(invalid(
            "BERTH_S3_PREFIX",
            "expected letters, digits, -, _ and . with slashes between, such as berth/blobs",
        ));
    }
    let path_style = match text("BERTH_S3_PATH_STYLE")
        .map(|text| text.to_ascii_lowercase())
        .as_deref()
    {
        None | Some("on" | "true" | "yes" | "1") => true,
        Some("off" | "false" | "no" | "0") => false,
        Some(_) => {
            wrong.push(invalid("BERTH_S3_PATH_STYLE", "expected on or off"));
            true
        }
    };
    let settings = BucketSettings {
        endpoint,
        region: text("BERTH_S3_REGION").unwrap_or_else(|| "us-east-1".to_owned()),
        bucket,
        prefix,
        access_key,
        secret_key,
        path_style,
    };
    if wrong.is_empty() {
        Ok(settings)
    } else {
        Err(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<StoreSettings, Vec<&'static str>> {
        let text = |name: &str| {
            let pair = pairs.iter().find(|(own, _)| *own == name)?;
            Some(pair.1.to_owned())
        };
        let outcome = StoreSettings::read(Path::new("/blobs"), text);
        outcome.map_err(|wrong| wrong.iter().map(|invalid| invalid.setting).collect())
    }

    const WHOLE: [(&str, &str); 4] = [
        ("BERTH_STORE", "s3"),
        ("BERTH_S3_BUCKET", "pictures"),
        ("BERTH_S3_ACCESS_KEY", "id"),
        ("BERTH_S3_SECRET_KEY", "secret"),
    ];

    #[test]
    fn a_disk_needs_nothing_and_a_bucket_a_name_and_a_key() {
        assert!(!read(&[]).unwrap().is_remote());
        assert!(!read(&[("BERTH_STORE", "disk")]).unwrap().is_remote());
        assert!(!read(&[("BERTH_S3_BUCKET", "x")]).unwrap().is_remote());
        assert!(read(&WHOLE).unwrap().is_remote());
        assert_eq!(
            read(&[("BERTH_STORE", "s3")]).unwrap_err(),
            ["BERTH_S3_BUCKET", "BERTH_S3_ACCESS_KEY", "BERTH_S3_SECRET_KEY"]
        );
        assert_eq!(read(&[("BERTH_STORE", "tape")]).unwrap_err(), ["BERTH_STORE"]);
    }

    #[test]
    fn what_a_bucket_is_told_by_is_checked_before_it_is_used() {
        let wrong = |name, value| {
            let pairs: Vec<_> = WHOLE.into_iter().filter(|(own, _)| *own != name).collect();
            read(&[&pairs[..], &[(name, value)]].concat()).is_err()
        };
        for (name, value, is_wrong) in [
            ("BERTH_S3_ENDPOINT", "https://s3.example.com", false),
            ("BERTH_S3_ENDPOINT", "http://127.0.0.1:9000/", false),
            ("BERTH_S3_ENDPOINT", "s3.example.com", true),
            ("BERTH_S3_ENDPOINT", "https://s3.example.com/pictures", true),
            ("BERTH_S3_ENDPOINT", "ftp://s3.example.com", true),
            ("BERTH_S3_BUCKET", "s3://pictures", true),
            ("BERTH_S3_BUCKET", "pictures/berth", true),
            ("BERTH_S3_BUCKET", "pi", true),
            ("BERTH_S3_PREFIX", "berth/blobs/", false),
            ("BERTH_S3_PREFIX", "../elsewhere", true),
            ("BERTH_S3_PREFIX", "a//b", true),
            ("BERTH_S3_PREFIX", "a b", true),
            ("BERTH_S3_PATH_STYLE", "off", false),
            ("BERTH_S3_PATH_STYLE", "perhaps", true),
        ] {
            assert_eq!(wrong(name, value), is_wrong, "{name}={value}");
        }
    }

    #[test]
    fn a_secret_is_never_shown() {
        let settings = read(&WHOLE).unwrap();
        assert!(!format!("{settings:?}").contains("\"secret\""));
    }
}
