//! serve-svc: hands pictures out. A read-only file server that faces the world; the only thing it writes is counts.
//!
//! This room owns the view: find the image on the [shelf](shelf), judge whether this page may show it, answer, count. Which
//! pages may is `domain`'s rule; rows are `catalog`'s and bytes `blobs`'s to know. It links no decoder and holds no handle
//! that could write or remove a blob.
//!
//! berthd puts [`with_views`] before upload-svc's routes and runs [`background`] beside them.

mod answer;
mod delivery;
mod embedding;
mod figures;
mod headers;
mod older;
mod placeholder;
mod routes;
mod service;
mod settings;
mod shelf;
mod signed;
mod tally;
mod variants;
mod view;
mod welcome;

pub use delivery::{Delivery, ReplyBody};
pub use headers::protected;
pub use placeholder::{NotAPlaceholder, Placeholder};
pub use routes::{routes, with_views};
pub use service::{Service, background, health, run};
pub use settings::ServeSettings;
