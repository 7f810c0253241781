use jiff::Timestamp;

use crate::{AccessRefusal, Scopes};

/// What a credential is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// What it may do.
    pub scopes: Scopes,
    /// The only album that it is good for; none for all.
    pub album_id: Option<i64>,
    /// When it stops working; none for never.
    pub expires_at: Option<Timestamp>,
    /// Requests a minute; none for any number.
    pub rate_per_minute: Option<u32>,
}

impl Grant {
    /// What a token gets that was asked for like this by who has `maker`: a bound that it does not name is its maker's, and none may be
    /// wider than its maker's.
    ///
    /// SECURITY: else a token for one album could make itself one for all of them, and one that ends tomorrow one that never does.
    pub fn made_by(self, maker: &Self) -> Result<Self, AccessRefusal> {
        if !self.scopes.is_within(&maker.scopes) {
            return Err(AccessRefusal::GrantTooWide("scopes"));
        }
        let album_id = self.album_id.or(maker.album_id);
        if maker.album_id.is_some() && album_id != maker.album_id {
            return Err(AccessRefusal::GrantTooWide("album"));
        }
        Ok(Self {
            scopes: self.scopes,
            album_id,
            expires_at: at_most("expires_in", self.expires_at, maker.expires_at)?,
            rate_per_minute: at_most("rate_per_minute", self.rate_per_minute, maker.rate_per_minute)?,
        })
    }
}

/// What was asked for, or else the most; refused when it is more than the most.
fn at_most<T: Ord + Copy>(
    field: &'static str,
    asked: Option<T>,
    most: Option<T>,
) -> Result<Option<T>, AccessRefusal> {
    match (asked, most) {
        (Some(asked), Some(most)) if asked > most => Err(AccessRefusal::GrantTooWide(field)),
        (asked, most) => Ok(asked.or(most)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scope::{self, Admin, Manage, Read, Upload};

    fn grant(
        scopes: &[Scope],
        album_id: Option<i64>,
        second: Option<i64>,
        rate_per_minute: Option<u32>,
    ) -> Grant {
        Grant {
            scopes: scopes.iter().copied().collect(),
            album_id,
            expires_at: second.map(|second| Timestamp::from_second(second).unwrap()),
            rate_per_minute,
        }
    }

    #[test]
    fn a_token_is_never_wider_than_its_maker() {
        let free = grant(&[Upload, Read, Manage], None, None, None);
        let bound = grant(&[Upload, Manage], Some(7), Some(100), Some(10));
        let wide = |what| Err(AccessRefusal::GrantTooWide(what));
        for (asked, maker, expected) in [
            (
                grant(&[Upload], None, None, None),
                &free,
                Ok(grant(&[Upload], None, None, None)),
            ),
            (
                grant(&[Read], Some(1), Some(5), Some(5)),
                &free,
                Ok(grant(&[Read], Some(1), Some(5), Some(5))),
            ),
            (grant(&[Admin], None, None, None), &free, wide("scopes")),
            (grant(&[Read], None, None, None), &bound, wide("scopes")),
            (
                grant(&[Upload], None, None, None),
                &bound,
                Ok(grant(&[Upload], Some(7), Some(100), Some(10))),
            ),
            (
                grant(&[Upload], Some(7), Some(100), Some(10)),
                &bound,
                Ok(grant(&[Upload], Some(7), Some(100), Some(10))),
            ),
            (grant(&[Upload], Some(8), None, None), &bound, wide("album")),
            (
                grant(&[Upload], None, Some(101), None),
                &bound,
                wide("expires_in"),
            ),
            (
                grant(&[Upload], None, None, Some(11)),
                &bound,
                wide("rate_per_minute"),
            ),
        ] {
            assert_eq!(asked.clone().made_by(maker), expected, "{asked:?}");
        }
    }
}
