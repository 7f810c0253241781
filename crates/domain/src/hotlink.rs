//! Who may embed an image: decided for every request, from the parsed host of `Referer`, never from a substring.

mod host_rule;
mod judge;

pub use host_rule::{HostRule, InvalidHostRule};
pub use judge::{Decision, EmptyReferer, HotlinkPolicy, Reason, RefererHeaders};
