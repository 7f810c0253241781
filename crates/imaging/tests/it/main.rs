//! Whole files in, whole files out.

mod rendering;
