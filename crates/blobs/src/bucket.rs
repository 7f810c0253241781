//! A store in a bucket of an S3-compatible server, under the same keys as on disk.
//!
//! Two promises of a disk don't hold there, and nothing here relies on them: an object can be written over at any time (some servers
//! ignore `If-None-Match`, so that who may write which key is decided by the row's lock alone), and removing what is not there
//! succeeds.

mod carrier;
mod sending;

use std::{
    collections::HashMap,
    fmt, io,
    ops::Range,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream, stream::BoxStream};
use object_store::{
    BackoffConfig, GetOptions, GetRange, ObjectStore as _, ObjectStoreExt as _, RetryConfig,
    aws::{AmazonS3, AmazonS3Builder},
    path::Path,
};
use tokio::sync::Semaphore;

use self::carrier::{Connector, Patience};
use crate::Error;
pub(crate) use sending::{Parcel, Sent};

/// How a bucket is reached.
#[derive(Clone)]
pub(crate) struct BucketSettings {
    /// The server's address; none for AWS's own in the region.
    pub(crate) endpoint: Option<String>,
    pub(crate) region: String,
    pub(crate) bucket: String,
    /// What stands before every key, without slashes at its ends; may be empty.
    pub(crate) prefix: String,
    pub(crate) access_key: String,
    pub(crate) secret_key: String,
    /// Whether the bucket stands in the path, not in the host.
    pub(crate) path_style: bool,
}

impl fmt::Debug for BucketSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // SECURITY: settings are logged and shown; the key is not.
        f.debug_struct("BucketSettings")
            .field("endpoint", &self.endpoint)
            .field("region", &self.region)
            .field("bucket", &self.bucket)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

/// For whom a bucket is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caller {
    /// A browser that waits for its picture: a store that is away must be told within seconds.
    View,
    /// An upload, or the janitor: a server that stumbles is asked again.
    Work,
}

impl Caller {
    fn patience(self) -> Patience {
        match self {
            Self::View => Patience {
                connect: Duration::from_secs(1),
                answer: Duration::from_secs(3),
                idle: Duration::from_secs(10),
            },
            Self::Work => Patience {
                connect: Duration::from_secs(3),
                answer: Duration::from_secs(10),
                idle: Duration::from_secs(20),
            },
        }
    }

    fn retries(self) -> RetryConfig {
        let (max_retries, retry_timeout) = match self {
            Self::View => (2, Duration::from_secs(3)),
            Self::Work => (4, Duration::from_secs(20)),
        };
        RetryConfig {
            backoff: BackoffConfig {
                init_backoff: Duration::from_millis(50),
                max_backoff: Duration::from_secs(2),
                base: 3.,
            },
            max_retries,
            retry_timeout,
        }
    }
}

/// What a writer puts into a store when it begins, to prove that it can; what a reader looks at to prove that it can.
pub(crate) const PROOF: &str = ".berth/proof";
/// Their folder, which no blob's key is in.
pub(crate) const PROOFS: &str = ".berth";

/// Questions that are asked at once.
pub(crate) const AT_ONCE: usize = 16;

/// The end of a range that has none.
const NO_END: u64 = i64::MAX.unsigned_abs();

/// A bucket.
pub(crate) struct Bucket {
    store: AmazonS3,
    prefix: String,
    sending: Semaphore,
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // SECURITY: what the client holds is not ours to show.
        f.debug_struct("Bucket")
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

/// Bytes of an object as they come.
pub(crate) struct Flow {
    /// How long all of the object is.
    pub(crate) size_bytes: u64,
    pub(crate) etag: Option<String>,
    /// How long the part is that comes.
    pub(crate) length: u64,
    pub(crate) bytes: BoxStream<'static, io::Result<Bytes>>,
}

impl Flow {
    fn nothing_of(size_bytes: u64) -> Self {
        Self {
            size_bytes,
            etag: None,
            length: 0,
            bytes: stream::empty().boxed(),
        }
    }
}

impl Bucket {
    pub(crate) fn new(settings: &BucketSettings, caller: Caller) -> Result<Self, Error> {
        let mut builder = AmazonS3Builder::new()
            .with_http_connector(Connector(caller.patience()))
            .with_retry(caller.retries())
            .with_region(&settings.region)
            .with_bucket_name(&settings.bucket)
            .with_access_key_id(&settings.access_key)
            .with_secret_access_key(&settings.secret_key)
            .with_virtual_hosted_style_request(!settings.path_style)
            .with_allow_http(true);
        if let Some(endpoint) = &settings.endpoint {
            builder = builder.with_endpoint(if settings.path_style {
                endpoint.clone()
            } else {
                in_host(endpoint, &settings.bucket)
            });
        }
        Ok(Self {
            store: builder
                .build()
                .map_err(Error::of_bucket("reach", &settings.bucket))?,
            prefix: settings.prefix.clone(),
            sending: Semaphore::new(sending::AT_ONCE),
        })
    }

    pub(crate) fn path(&self, key: &str) -> Path {
        Path::from(format!("{}/{key}", self.prefix))
    }

    /// An object's size, and its tag; none when it is not there.
    pub(crate) async fn look_at(&self, path: &Path) -> Result<Option<(u64, Option<String>)>, Error> {
        match self.store.head(path).await {
            Ok(there) => Ok(Some((there.size, there.e_tag))),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(Error::of_bucket("look at", path)(error)),
        }
    }

    /// An object's size, and the bytes of a part of it as they come; none when it is not there.
    pub(crate) async fn get(&self, path: &Path, part: &Range<u64>) -> Result<Option<Flow>, Error> {
        if part.is_empty() {
            // The protocol knows no empty range.
            let there = self.look_at(path).await?;
            return Ok(there.map(|(size_bytes, _)| Flow::nothing_of(size_bytes)));
        }
        let is_whole = part.start == 0 && part.end == u64::MAX;
        let options = GetOptions {
            range: (!is_whole).then(|| GetRange::Bounded(part.start..part.end.min(NO_END))),
            ..GetOptions::default()
        };
        match self.store.get_opts(path, options).await {
            Ok(there) => Ok(Some(Flow {
                size_bytes: there.meta.size,
                etag: there.meta.e_tag.clone(),
                length: there.range.end - there.range.start,
                bytes: there.into_stream().map_err(io::Error::other).boxed(),
            })),
            Err(object_store::Error::NotFound { source, .. }) if !is_about_bucket(&*source) => Ok(None),
            Err(error) if part.start > 0 && is_behind_the_end(&error) => {
                let there = self.look_at(path).await?;
                Ok(there.map(|(size_bytes, _)| Flow::nothing_of(size_bytes)))
            }
            Err(error) => Err(Error::of_bucket("read", path)(error)),
        }
    }

    /// Removes objects; gives those that could not be, each with the reason. What is not there is as good as removed.
    pub(crate) async fn remove(&self, keys: Vec<String>) -> Vec<(String, Error)> {
        if let [key] = &keys[..] {
            let path = self.path(key);
            return match self.store.delete(&path).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => Vec::new(),
                Err(error) => vec![(key.clone(), Error::of_bucket("remove", &path)(error))],
            };
        }
        let paths: Vec<Path> = keys.iter().map(|key| self.path(key)).collect();
        let mut left: HashMap<Path, String> = paths.iter().cloned().zip(keys).collect();
        let mut reasons = Vec::new();
        let mut outcomes = self
            .store
            .delete_stream(stream::iter(paths.into_iter().map(Ok)).boxed());
        while let Some(outcome) = outcomes.next().await {
            match outcome {
                Ok(path) => drop(left.remove(&path)),
                Err(error) => reasons.push(error),
            }
        }
        // Which of them a reason is about is not told.
        let mut reasons = reasons.into_iter();
        left.into_iter()
            .map(|(path, key)| {
                let reason = reasons.next().unwrap_or_else(|| object_store::Error::Generic {
                    store: "S3",
                    source: "the server did not say that it is gone".into(),
                });
                (key, Error::of_bucket("remove", &path)(reason))
            })
            .collect()
    }

    /// The objects below a folder: what stands behind the folder, the size, and when it was written.
    pub(crate) async fn list(&self, folder: &str) -> Result<Vec<(String, u64, SystemTime)>, Error> {
        let folder = self.path(folder);
        let mut objects = self.store.list(Some(&folder));
        let mut listed = Vec::new();
        while let Some(object) = objects.next().await {
            let object = object.map_err(Error::of_bucket("list", &folder))?;
            let name = object.location.as_ref().strip_prefix(folder.as_ref());
            let name = name.unwrap_or_default().trim_start_matches('/').to_owned();
            listed.push((name, object.size, object.last_modified.into()));
        }
        Ok(listed)
    }

    /// Proves that objects can be written and read.
    pub(crate) async fn prove_writing(&self) -> Result<(), Error> {
        let path = self.path(PROOF);
        let put = self.store.put(&path, Bytes::from_static(b"berth\n").into()).await;
        put.map_err(Error::of_bucket("write", &path))?;
        self.prove_reading().await
    }

    /// Proves that objects can be read. One that is not there is proof enough: that is told only to who may read.
    pub(crate) async fn prove_reading(&self) -> Result<(), Error> {
        let flow = self.get(&self.path(PROOF), &(0..u64::MAX)).await?;
        drop(flow);
        Ok(())
    }

    /// Proves that objects can be listed and removed.
    pub(crate) async fn prove_removing(&self) -> Result<(), Error> {
        self.list_one(PROOFS).await?;
        let failed = self.remove(vec![format!("{PROOFS}/nothing")]).await;
        failed.into_iter().next().map_or(Ok(()), |(_, error)| Err(error))
    }

    /// Whether there is any answer to the question what is there.
    pub(crate) async fn list_one(&self, folder: &str) -> Result<(), Error> {
        let folder = self.path(folder);
        let first = self.store.list(Some(&folder)).next().await;
        first
            .transpose()
            .map(drop)
            .map_err(Error::of_bucket("list", &folder))
    }
}

/// Whether the server says that there is no such bucket, which is another thing than no such object.
fn is_about_bucket(error: &(dyn std::error::Error + 'static)) -> bool {
    error.to_string().contains("NoSuchBucket")
}

/// Whether the server says that a range begins where the object has ended.
fn is_behind_the_end(error: &object_store::Error) -> bool {
    let text = error.to_string();
    text.contains("InvalidRange") || text.contains("416 Range Not Satisfiable")
}

impl Error {
    /// Makes an error of what a server said about an object.
    pub(crate) fn of_bucket(
        operation: &'static str,
        object: impl fmt::Display,
    ) -> impl FnOnce(object_store::Error) -> Self {
        let object = object.to_string();
        move |source| match source {
            object_store::Error::PermissionDenied { .. }
            | object_store::Error::Unauthenticated { .. }
            | object_store::Error::NotFound { .. } => Self::refused(operation, object, source),
            // A list that is refused comes as any other failure.
            source
                if ["403 Forbidden", "401 Unauthorized", "NoSuchBucket"]
                    .iter()
                    .any(|word| source.to_string().contains(word)) =>
            {
                Self::refused(operation, object, source)
            }
            source => Self::Away {
                operation,
                object,
                source: Box::new(source),
            },
        }
    }
}

impl Error {
    fn refused(operation: &'static str, object: String, source: object_store::Error) -> Self {
        Self::Refused {
            operation,
            object,
            source: Box::new(source),
        }
    }
}

/// An endpoint whose host names the bucket.
fn in_host(endpoint: &str, bucket: &str) -> String {
    match endpoint.split_once("://") {
        Some((scheme, host)) => format!("{scheme}://{bucket}.{host}"),
        None => endpoint.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_stands_in_the_path_or_in_the_host() {
        assert_eq!(
            in_host("http://s3.example.com:3900", "pictures"),
            "http://pictures.s3.example.com:3900"
        );
    }
}
