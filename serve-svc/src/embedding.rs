//! Who may embed an image: the policies that hold for it, laid over each other once and shared by all images that have the same.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use catalog::HotlinkTexts;
use domain::{
    Visibility,
    hotlink::{Base, HotlinkPolicy, RefererHeaders},
};
use http::{HeaderMap, HeaderValue, header};

use crate::answer::caching::Audience;

/// The rules of an image, ready to judge with.
#[derive(Debug)]
pub(crate) struct Embedding {
    pub(crate) policy: HotlinkPolicy,
    lets_everyone_in: bool,
}

impl Embedding {
    fn new(policy: HotlinkPolicy) -> Self {
        Self {
            lets_everyone_in: policy.lets_everyone_in(),
            policy,
        }
    }

    /// Whom the picture is for, as caches are told.
    pub(crate) fn audience(&self, visibility: Visibility) -> Audience {
        if self.lets_everyone_in && visibility != Visibility::Private {
            Audience::Everyone
        } else {
            Audience::ByReferer
        }
    }
}

/// Different sets of rules that are remembered. Most images have the site's.
const MOST: usize = 4_096;

/// Makes [`Embedding`]s, each once.
#[derive(Debug)]
pub(crate) struct Embeddings {
    base: Base,
    known: Mutex<HashMap<HotlinkTexts, Arc<Embedding>>>,
}

impl Embeddings {
    pub(crate) fn new(base: Base) -> Self {
        Self {
            base,
            known: Mutex::default(),
        }
    }

    /// The rules of an image of which its levels say this.
    pub(crate) fn of(&self, texts: HotlinkTexts) -> Arc<Embedding> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(embedding) = known.get(&texts) {
            return Arc::clone(embedding);
        }
        let (policy, wrong) = HotlinkPolicy::layered(&self.base, texts.levels());
        for (level, error) in wrong {
            tracing::error!(
                level = level.as_str(),
                error,
                "a policy can't be read; its images are shown on our own pages alone"
            );
        }
        let embedding = Arc::new(Embedding::new(policy));
        if known.len() >= MOST {
            // Images hold on to their own.
            known.clear();
        }
        known.insert(texts, Arc::clone(&embedding));
        embedding
    }
}

/// The headers that say where a request comes from.
pub(crate) fn referer_headers(headers: &HeaderMap) -> RefererHeaders<'_> {
    fn text(value: &HeaderValue) -> &str {
        value.to_str().unwrap_or(RefererHeaders::NOT_TEXT)
    }
    let mut referers = headers.get_all(header::REFERER).iter();
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let (referer, origin) = (referers.next().map(text), origins.next().map(text));
    let mut sites = headers.get_all("sec-fetch-site").iter();
    let fetch_site = sites.next().map(text);
    RefererHeaders {
        referer,
        several: referers.next().is_some() || origins.next().is_some(),
        origin,
        // Two of them are no browser's word for our own page.
        fetch_site: if sites.next().is_some() {
            Some(RefererHeaders::NOT_TEXT)
        } else {
            fetch_site
        },
        fetch_dest: headers.get("sec-fetch-dest").map(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_with_the_same_rules_share_them() {
        let embeddings = Embeddings::new(Base::default());
        let texts = |image: Option<&str>| HotlinkTexts {
            site: Some(r#"{"allow":["*"]}"#.to_owned()),
            album: None,
            image: image.map(str::to_owned),
        };
        let (a, b) = (embeddings.of(texts(None)), embeddings.of(texts(None)));
        assert!(Arc::ptr_eq(&a, &b));
        assert_eq!(a.audience(Visibility::Unlisted), Audience::Everyone);
        assert_eq!(a.audience(Visibility::Private), Audience::ByReferer);
        let own = embeddings.of(texts(Some(r#"{"deny":["evil.example"]}"#)));
        assert_eq!(own.audience(Visibility::Public), Audience::ByReferer);
        let broken = embeddings.of(texts(Some("[]")));
        assert!(!broken.lets_everyone_in);
    }
}
