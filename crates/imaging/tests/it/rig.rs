//! What the tests share: decoders of this crate's own program, and files to give them.

use std::{io::Write as _, os::unix::fs::PermissionsExt as _, path::PathBuf};

use domain::{Scrub, UploadLimits, Validation};
use imaging::{Asked, Budget, DecoderLimits, Decoders};
use tempfile::{NamedTempFile, TempPath};

pub(crate) fn limits() -> DecoderLimits {
    DecoderLimits {
        program: PathBuf::from(env!("CARGO_BIN_EXE_berth-decoder")),
        ..DecoderLimits::default()
    }
}

pub(crate) fn decoders() -> Decoders {
    Decoders::new(limits())
}

pub(crate) fn asked() -> Asked {
    Asked {
        budget: Budget::of(&UploadLimits::default()),
        validation: Validation::Decode,
        scrub: Scrub::Location,
        now: "2026-11-21T00:00:00Z".parse().unwrap(),
    }
}

pub(crate) fn file(bytes: &[u8]) -> TempPath {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file.into_temp_path()
}

/// A stand-in for a decoder: says that it is ready, reads a job, and then does what is written here.
pub(crate) fn program(then: &str) -> TempPath {
    let path = file(format!("#!/bin/sh\necho 'berth decoder 1'\nread job\n{then}\n").as_bytes());
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
    path
}
