//! Who may embed an image: decided for every request, from the parsed host of `Referer`, never from a substring.
//!
//! [`HotlinkRules`] are what one level (site, album, image) says; [`HotlinkPolicy`] is what holds for an image when each field
//! was taken from the nearest level that sets it; [`HotlinkPolicy::judge`] decides. The view and the explanation of it both
//! go this way, so they can't differ.

mod decision;
mod host_rule;
mod judge;
mod policy;
mod rules;

pub use decision::{Decision, Reason, RefererHeaders, Verdict};
pub use host_rule::{HostRule, InvalidHostRule};
pub use policy::{Base, HotlinkPolicy, Level, Set};
pub use rules::{Choice, HotlinkRules, InvalidRedirect, Redirect, RefusalAnswer};
