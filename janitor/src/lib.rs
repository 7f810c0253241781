//! The janitor: the only service that removes.
//!
//! This room owns when and in which order things are cleaned away: images whose time is over are written off
//! ([expire](Done::images_expired)), bytes that nothing links to are freed after the grace (sweep), and what killed uploads left
//! behind is purged. It reads every blob again from time to time ([scrub](Scrubbed)), and says whose bytes are lost or changed. It also tells the caches in front of us what they are to forget. How an image ends and which rows change is `catalog`'s; unlinking is `blobs`'; nothing that
//! anybody can see depends on when this service last ran.
//!
//! Any number of janitors may run: one leads and works, the others wait. Every batch is safe beside another one (rows that are
//! locked are passed over), so leading saves work and correctness never rests on it.
//!
//! `berthd` runs [`Service::run`] in its own process.

mod by_hand;
mod measures;
mod passes;
mod purge;
mod reconcile;
mod report;
mod schedule;
mod scrub;
mod service;
mod settings;

pub use by_hand::{reconcile_and_report, run_once_and_report, scrub_and_report};
pub use passes::{Done, Error, Pass};
pub use purge::{Addresses, InvalidHook, PurgeHook};
pub use reconcile::Reconciled;
pub use report::{report, report_reconciled, report_scrubbed};
pub use schedule::{next_run, parse_time};
pub use scrub::{Extent, Scrubbed};
pub use service::{Round, Service, health, run};
pub use settings::JanitorSettings;
