use catalog::Event;
use domain::{AccessRefusal, PasswordHash, Refusal};
use serde_json::json;

use super::refusal_log::Refused;
use crate::{Service, problem::Failure, routes::Asked};

impl Service {
    /// Lets a password be tried at this account, or says that it was tried too often. To be asked before anything is hashed.
    pub(crate) async fn admit_password(&self, username: &str, asked: &Asked) -> Result<(), Failure> {
        let admitted = self
            .identity()
            .throttle()
            .admit(username, asked.client.limit_key());
        if let Err(wait) = admitted {
            self.note_refusal(Refused {
                limit: "sign_in",
                account_id: None,
                address: Some(asked.client.0),
            })
            .await;
            return Err(AccessRefusal::SignInThrottled { wait }.into());
        }
        Ok(())
    }

    /// Counts what a limit has refused, and writes it down now and then.
    pub(crate) async fn note_refusal(&self, refused: Refused) {
        let now = self.now();
        for (refused, count) in self.identity().refusals.note(refused, now) {
            let event = Event {
                kind: "rate_limited",
                account_id: refused.account_id,
                client_address: refused.address,
                subject: String::new(),
                detail: json!({ "limit": refused.limit, "count": count }),
            };
            if let Err(error) = catalog::record(self.catalog(), &event, now).await {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(
                    error,
                    count,
                    limit = refused.limit,
                    "refusals could not be written down"
                );
            }
        }
    }

    /// The hash of a password that somebody chose, which stands in `field`.
    pub(crate) async fn new_password(
        &self,
        field: &'static str,
        password: String,
    ) -> Result<PasswordHash, Failure> {
        let derived = self.identity().passwords().derive(password).await?;
        derived.map_err(|error| {
            let reason = error.to_string();
            Refusal::InvalidField { field, reason }.into()
        })
    }
}
