//! upload-svc: takes pictures and videos in. The only service that writes blobs and rows.
//!
//! This room owns the API, the dialects of older hosts and the straight line that every upload goes ([`intake`]). What
//! an upload may be is said by `domain`; where its bytes rest by `blobs`; its rows are `catalog`'s.
//!
//! berthd mounts [`routes`] beside serve-svc's.

mod background;
mod delete_link;
mod derive;
pub mod dialects;
mod idempotency;
mod identity;
pub mod intake;
mod measures;
pub mod openapi;
mod problem;
mod resumable;
mod routes;
mod service;
mod settings;

pub use background::background;
pub use identity::{IdentitySettings, Secret};
pub use imaging::serve_if_asked as serve_decoder_if_asked;
pub use routes::routes;
pub use service::{Service, health, run, stack_settings};
pub use settings::UploadSettings;
