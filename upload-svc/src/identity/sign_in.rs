use catalog::{Bearer, Credential, Event, Role, SignIn};
use domain::{AccessRefusal, PasswordHash, Refusal, Scopes, Token};
use serde_json::json;

use super::{Caller, recognise};
use crate::{Service, problem::Failure, routes::Asked};

impl Service {
    /// Checks a user's password, as often as the limits allow. What comes back held at that moment; the account may be shut out.
    pub(crate) async fn check_password(
        &self,
        asked: &Asked,
        username: &str,
        password: String,
    ) -> Result<SignIn, Failure> {
        self.admit_password(username, asked).await?;
        let found = catalog::find_sign_in(self.catalog(), username).await?;
        // SECURITY: a name that nobody has costs a hash, too, so that the time of the answer does not tell who is here.
        let checked = found
            .as_ref()
            .map_or_else(PasswordHash::of_nobody, |found| found.password.clone());
        let is_right = self.identity().passwords().verify(&checked, password).await?;
        match found {
            Some(found) if is_right => Ok(found),
            found => Err(self.sign_in_failed(asked, found).await?),
        }
    }

    /// Writes down that somebody could not sign in, and gives what they are told.
    pub(crate) async fn sign_in_failed(
        &self,
        asked: &Asked,
        found: Option<SignIn>,
    ) -> Result<Failure, catalog::Error> {
        let event = Event {
            kind: "sign_in_failed",
            account_id: found.as_ref().map(|found| found.account.id),
            client_address: Some(asked.client.0),
            // SECURITY: a name that nobody has is not kept: people type their password there.
            subject: found.map_or_else(String::new, |found| found.account.username),
            detail: json!({}),
        };
        catalog::record(self.catalog(), &event, self.now()).await?;
        Ok(AccessRefusal::InvalidLogin.into())
    }

    /// Who a user name and a password speak for, where a client sends both with every request. An API token will do for the password.
    pub(crate) async fn recognise_user(
        &self,
        asked: &Asked,
        username: &str,
        password: &str,
    ) -> Result<Caller, Failure> {
        if password.parse::<Token>().is_ok() {
            return self.recognise_token_of(asked, username, password).await;
        }
        let known = &self.identity().known_passwords;
        let found = catalog::find_sign_in(self.catalog(), username).await?;
        let is_known = found
            .as_ref()
            .is_some_and(|found| known.knows(found.account.id, password, &found.password, self.now()));
        let sign_in = match found {
            Some(found) if is_known => found,
            _ => {
                let checked = self.check_password(asked, username, password.to_owned()).await?;
                known.learn(checked.account.id, password, &checked.password, self.now());
                checked
            }
        };
        if sign_in.account.disabled_at.is_some() {
            return Err(self.sign_in_failed(asked, Some(sign_in)).await?);
        }
        let role = sign_in.account.role;
        let bearer = Bearer {
            credential: Credential::Password,
            account_id: sign_in.account.id,
            role,
            scopes: Scopes::all().without_admin_unless(role == Role::Admin),
            album_id: None,
        };
        self.admit_caller(asked, &bearer).await?;
        Ok(Caller::signed_in(bearer))
    }

    async fn recognise_token_of(
        &self,
        asked: &Asked,
        username: &str,
        token: &str,
    ) -> Result<Caller, Failure> {
        let caller = recognise(self, asked, token).await?;
        let account = catalog::find_account(self.catalog(), caller.account_id()).await?;
        let is_theirs =
            account.is_some_and(|account| account.username.to_lowercase() == username.to_lowercase());
        if is_theirs {
            Ok(caller)
        } else {
            Err(Refusal::InvalidCredential.into())
        }
    }
}
