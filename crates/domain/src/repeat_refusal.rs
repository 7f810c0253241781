use std::time::Duration;

/// Why a request that carries an `Idempotency-Key` is not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RepeatRefusal {
    /// The key is no key.
    #[error("the idempotency key is empty, too long or not printable")]
    InvalidKey,
    /// The key came before, with another request.
    #[error("the idempotency key belongs to another request")]
    KeyReused,
    /// The same request is being done right now.
    #[error("the same request is under way")]
    UnderWay {
        /// How long to wait before asking for its answer.
        wait: Duration,
    },
    /// The request was done, and its answer can't be read any more.
    #[error("the answer of the request is lost")]
    AnswerLost,
}

impl RepeatRefusal {
    /// The stable word that programs test for.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::InvalidKey => "invalid_idempotency_key",
            Self::KeyReused => "idempotency_key_reused",
            Self::UnderWay { .. } => "idempotency_key_in_use",
            Self::AnswerLost => "idempotent_answer_lost",
        }
    }
}
