use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{Asked, Inspection, NotReadable, NotRenderable, Output, RenderedFiles};

/// Work for a decoder process. Paths are those of the service, whose working folder a decoder shares; what a job writes goes into a file that its caller has made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Job {
    /// Look into a file.
    Inspect {
        /// The file.
        path: PathBuf,
        /// What is asked about it.
        asked: Asked,
    },
    /// Make variants of a picture.
    Render {
        /// The picture.
        path: PathBuf,
        /// What is wanted, and where it goes.
        outputs: Vec<Output>,
    },
}

/// What a job gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Done {
    /// Of [`Job::Inspect`].
    Inspected(Box<Inspection>),
    /// Of [`Job::Render`].
    Rendered(Box<Result<RenderedFiles, NotRenderable>>),
}

impl Job {
    /// Does it, right here. SECURITY: called in a decoder process alone, whose limits are all that bounds it.
    pub(crate) fn run(self) -> Result<Done, NotReadable> {
        match self {
            Self::Inspect { path, asked } => crate::inspect::inspect_file(&path, &asked)
                .map(|inspection| Done::Inspected(Box::new(inspection))),
            Self::Render { path, outputs } => Ok(Done::Rendered(Box::new(crate::render::render_files(
                &path, &outputs,
            )))),
        }
    }
}
