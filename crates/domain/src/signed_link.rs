use jiff::Timestamp;

use crate::{KeyRing, PublicId, Secret, Signature};

/// What a signed link opens: an image, whole or at one width alone, until a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedLink {
    /// The image.
    pub public_id: PublicId,
    /// The generation of its links: an image whose links were taken back has another.
    pub generation: i32,
    /// The second from which on it is good for nothing, since 1970: `e` of its URL.
    pub expires: i64,
    /// The named width that it is for; every variant and the original where none is named.
    pub width: Option<u32>,
}

/// Signs links to images and tells which are good.
#[derive(Debug, Clone)]
pub struct SignedLinks(KeyRing);

impl SignedLinks {
    /// With keys from these secrets.
    #[must_use]
    pub fn new(secret: &Secret, previous: Option<&Secret>) -> Self {
        Self(KeyRing::new("berth signed link 1", secret, previous))
    }

    /// `s` of the link's URL.
    #[must_use]
    pub fn sign(&self, link: SignedLink) -> Signature {
        self.0.sign(&message(link))
    }

    /// Whether a signature opens at `now` what is asked for (`link.width` is what the URL asks for). One over no width opens
    /// every width.
    #[must_use]
    pub fn opens(&self, signature: Signature, link: SignedLink, now: Timestamp) -> bool {
        let whole = SignedLink { width: None, ..link };
        now.as_second() < link.expires
            && (self.0.has_signed(&message(whole), signature)
                || (link.width.is_some() && self.0.has_signed(&message(link), signature)))
    }
}

fn message(link: SignedLink) -> String {
    let SignedLink {
        public_id,
        generation,
        expires,
        width,
    } = link;
    let width = width.map_or_else(String::new, |width| width.to_string());
    format!("{public_id}\n{generation}\n{expires}\n{width}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_opens_what_it_was_signed_for_until_its_second() {
        let links = SignedLinks::new(&Secret::new("s".to_owned()), None);
        let (a, b) = (PublicId::from_random([1; 16]), PublicId::from_random([2; 16]));
        let link = |public_id, generation, expires, width| SignedLink {
            public_id,
            generation,
            expires,
            width,
        };
        let whole = link(a, 0, 1_000, None);
        let small = link(a, 0, 1_000, Some(480));
        for (signed, asked, second, opens) in [
            (whole, whole, 0, true),
            (whole, whole, 999, true),
            (whole, whole, 1_000, false),
            (whole, small, 999, true),
            (small, small, 999, true),
            (small, whole, 999, false),
            (small, link(a, 0, 1_000, Some(960)), 999, false),
            (whole, link(a, 0, 2_000, None), 999, false),
            (whole, link(b, 0, 1_000, None), 999, false),
            (whole, link(a, 1, 1_000, None), 999, false),
        ] {
            let now = Timestamp::from_second(second).unwrap();
            assert_eq!(
                links.opens(links.sign(signed), asked, now),
                opens,
                "{signed:?} {asked:?} {second}"
            );
        }
    }
}
