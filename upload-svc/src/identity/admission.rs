use std::time::Duration;

use catalog::{Bearer, Event};
use domain::{AccessRefusal, PasswordHash, Refusal};
use http_kit::ClientAddress;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{rates::Counted, refusal_log::Refused};
use crate::{Service, problem::Failure, routes::Asked};

/// How often it is looked for refusals that were added up and not written.
const SETTLE_EVERY: Duration = Duration::from_mins(1);

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

    /// Counts a request of who has shown a good credential, by what they came with and by the account, and notes for the answer what is left.
    pub(super) async fn admit_caller(&self, asked: &Asked, bearer: &Bearer) -> Result<(), Failure> {
        let rates = &self.identity().rates;
        // What the token's rate refuses is not held against the account.
        if let Some(counted) = rates.count_token(bearer) {
            self.judge(asked, bearer, "token", counted).await?;
        }
        match rates.count_account(bearer.account_id) {
            Some(counted) => self.judge(asked, bearer, "account", counted).await,
            None => Ok(()),
        }
    }

    async fn judge(
        &self,
        asked: &Asked,
        bearer: &Bearer,
        limit: &'static str,
        counted: Counted,
    ) -> Result<(), Failure> {
        match counted {
            Ok(allowance) => {
                asked.allowances.add(allowance);
                Ok(())
            }
            Err((allowance, refusal)) => {
                asked.allowances.add(allowance);
                self.note_refusal(Refused {
                    limit,
                    account_id: Some(bearer.account_id),
                    address: Some(asked.client.0),
                })
                .await;
                Err(refusal.into())
            }
        }
    }

    /// Counts what a limit has refused, and writes it down now and then.
    pub(crate) async fn note_refusal(&self, refused: Refused) {
        if self.identity().refusals.note(refused, self.now()) {
            self.write_refusals().await;
        }
    }

    /// The same for the limit of addresses, which refuses before any handler runs. It waits for nothing.
    pub(crate) fn note_refused_address(&self, client: ClientAddress) {
        let refused = Refused {
            limit: "address",
            account_id: None,
            address: Some(client.limit_key()),
        };
        if self.identity().refusals.note(refused, self.now()) {
            let service = self.clone();
            tokio::spawn(async move { service.write_refusals().await });
        }
    }

    /// Writes down what was added up, once a minute and at the end.
    pub(crate) async fn settle_refusals(&self, stop: CancellationToken) {
        loop {
            let went_on = stop.run_until_cancelled(tokio::time::sleep(SETTLE_EVERY)).await;
            let now = went_on.map(|()| self.now());
            if self.identity().refusals.settle(now) {
                self.write_refusals().await;
            }
            if went_on.is_none() {
                return;
            }
        }
    }

    async fn write_refusals(&self) {
        while let Some((refused, count)) = self.identity().refusals.next_due() {
            let event = Event {
                kind: "rate_limited",
                account_id: refused.account_id,
                client_address: refused.address,
                subject: String::new(),
                detail: json!({ "limit": refused.limit, "count": count }),
            };
            if let Err(error) = catalog::record(self.catalog(), &event, self.now()).await {
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
