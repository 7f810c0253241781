//! What is in a file: its format, told by the bytes; its dimensions and frames, told by the headers; whether it decodes.
//!
//! This room owns every decoder of the product, and is linked by upload-svc alone: serve-svc, which faces the world,
//! decodes nothing. Nothing of a file is decompressed in the service itself: [`Decoders`] hands it to a process of its
//! own, with limits on memory and time, whose death is that file's refusal and nobody else's trouble.

mod camera;
mod check;
mod dates;
mod decoder;
mod decoders;
mod exif;
mod gain_map;
mod ifd;
mod inspect;
mod job;
mod render;
mod scrub;
mod sniff;
mod source;
mod survey;

pub use decoder::serve_if_asked;
pub use decoders::{DecoderLimits, Decoders, Undone};
pub use inspect::{Asked, Budget, Inspection, NotReadable};
pub use job::{Done, Job};
pub use render::{
    Essence, Made, NotRenderable, Output, RenderLimits, Rendered, RenderedFiles, Rendering, Spec, render,
};
pub use scrub::Edit;
pub use sniff::{SNIFF_BYTES, sniff};
