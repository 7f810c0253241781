use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How far a file is looked into before it is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Validation {
    /// Its headers and, where there is a decoder for its format, every pixel.
    #[default]
    Decode,
    /// Its headers alone.
    Header,
}

/// The text names no depth of looking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected decode or header")]
pub struct InvalidValidation;

impl FromStr for Validation {
    type Err = InvalidValidation;

    fn from_str(text: &str) -> Result<Self, InvalidValidation> {
        match text {
            "decode" => Ok(Self::Decode),
            "header" => Ok(Self::Header),
            _ => Err(InvalidValidation),
        }
    }
}
