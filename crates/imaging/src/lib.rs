//! What is in a file: its format, told by the bytes, and its dimensions, told by the header.
//!
//! This room owns every decoder of the product, and is linked by upload-svc alone: serve-svc, which faces the world,
//! decodes nothing. So far only headers are read; nothing is decompressed, so nothing can be made to explode.

mod inspect;
mod render;

pub use inspect::{Inspection, NotReadable, SNIFF_BYTES, inspect, sniff};
pub use render::{Essence, NotRenderable, RenderLimits, Rendered, Rendering, Spec, render};
