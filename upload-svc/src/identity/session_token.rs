use catalog::SessionKey;
use domain::{PurposeKey, Secret};
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode};
use serde::{Deserialize, Serialize};

use super::hs256;

/// Who sessions are for.
const AUDIENCE: &str = "berth";
const TYPE: &str = "JWT";
/// How far the clocks of two copies of this service may be apart.
const LEEWAY_SECONDS: i64 = 5;

/// What a session's JWT says. Nothing in it is believed without its row in the database.
#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    jti: String,
    iat: i64,
    nbf: i64,
    exp: i64,
}

/// Signs and reads the JWTs of sessions.
#[derive(Debug)]
pub(crate) struct SessionTokens {
    issuer: String,
    current: PurposeKey,
    previous: Option<PurposeKey>,
}

impl SessionTokens {
    /// Signs with a key from `secret`; still reads what the one before it has signed.
    pub(super) fn new(issuer: &str, secret: &Secret, previous: Option<&Secret>) -> Self {
        const PURPOSE: &str = "berth session 1";
        hs256::install();
        Self {
            issuer: issuer.to_owned(),
            current: PurposeKey::derive(secret, PURPOSE),
            previous: previous.map(|previous| PurposeKey::derive(previous, PURPOSE)),
        }
    }

    /// The JWT of a session.
    pub(crate) fn sign(
        &self,
        account_id: i64,
        key: SessionKey,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> jsonwebtoken::errors::Result<String> {
        let header = Header {
            kid: Some(self.current.id.clone()),
            ..Header::new(Algorithm::HS256)
        };
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: AUDIENCE.to_owned(),
            sub: account_id.to_string(),
            jti: hex::encode(key.0),
            iat: now.as_second(),
            nbf: now.as_second(),
            exp: expires_at.as_second(),
        };
        encode(&header, &claims, &EncodingKey::from_secret(&self.current.bytes))
    }

    /// Which session a JWT names, if it is one of ours and of this time.
    pub(crate) fn read(&self, text: &str, now: Timestamp) -> Option<SessionKey> {
        let header = decode_header(text).ok()?;
        if header.typ.as_deref() != Some(TYPE) {
            return None;
        }
        let kid = header.kid?;
        let keys = std::iter::once(&self.current).chain(&self.previous);
        let key = keys.into_iter().find(|key| key.id == kid)?;
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp", "nbf"]);
        // Time comes in as a value: jsonwebtoken would ask the machine's clock.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        let decoded = decode::<Claims>(text, &DecodingKey::from_secret(&key.bytes), &validation).ok()?;
        let (claims, now) = (decoded.claims, now.as_second());
        let is_timely =
            claims.nbf <= now + LEEWAY_SECONDS && claims.iat <= now + LEEWAY_SECONDS && now < claims.exp;
        is_timely.then(|| read_key(&claims.jti)).flatten()
    }
}

fn read_key(text: &str) -> Option<SessionKey> {
    let mut key = [0; 16];
    hex::decode_to_slice(text, &mut key).ok()?;
    Some(SessionKey(key))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const NOW: i64 = 1_800_000_000;
    const KEY: SessionKey = SessionKey([0xab; 16]);

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn tokens() -> SessionTokens {
        SessionTokens::new("https://img.example", &secret("new"), Some(&secret("old")))
    }

    fn good_claims() -> Value {
        json!({ "iss": "https://img.example", "aud": "berth", "sub": "1", "jti": "ab".repeat(16), "iat": NOW, "nbf": NOW, "exp": NOW + 60 })
    }

    fn signed(header: &Header, claims: &Value) -> String {
        encode(header, claims, &EncodingKey::from_secret(&tokens().current.bytes)).unwrap()
    }

    fn good_header() -> Header {
        Header {
            kid: Some(tokens().current.id),
            ..Header::new(Algorithm::HS256)
        }
    }

    #[test]
    fn a_session_is_read_until_the_second_it_ends() {
        let text = tokens().sign(1, KEY, at(NOW), at(NOW + 60)).unwrap();
        assert_eq!(tokens().read(&text, at(NOW)), Some(KEY));
        assert_eq!(tokens().read(&text, at(NOW + 59)), Some(KEY));
        assert_eq!(tokens().read(&text, at(NOW + 60)), None);
        assert_eq!(
            tokens().read(&text, at(NOW - 5)),
            Some(KEY),
            "another copy's clock is behind"
        );
        assert_eq!(tokens().read(&text, at(NOW - 6)), None);
    }

    #[test]
    fn a_changed_secret_signs_nobody_out_while_the_old_one_is_named() {
        let before = SessionTokens::new("https://img.example", &secret("old"), None);
        let text = before.sign(1, KEY, at(NOW), at(NOW + 60)).unwrap();
        assert_eq!(tokens().read(&text, at(NOW)), Some(KEY));
        let after = SessionTokens::new("https://img.example", &secret("new"), None);
        assert_eq!(after.read(&text, at(NOW)), None);
    }

    #[test]
    fn a_claim_that_is_missing_or_not_ours_is_no_session() {
        assert_eq!(
            tokens().read(&signed(&good_header(), &good_claims()), at(NOW)),
            Some(KEY)
        );
        for (claim, value) in [
            ("iss", json!("https://evil.example")),
            ("aud", json!("other")),
            ("aud", json!(["other"])),
            ("exp", json!(NOW)),
            ("exp", json!("never")),
            ("nbf", json!(NOW + 6)),
            ("iat", json!(NOW + 6)),
            ("jti", json!("ab")),
            ("jti", json!("zz".repeat(16))),
            ("jti", json!("é".repeat(16))),
            ("sub", json!(1)),
        ] {
            let mut claims = good_claims();
            claims[claim] = value.clone();
            assert_eq!(
                tokens().read(&signed(&good_header(), &claims), at(NOW)),
                None,
                "{claim}: {value}"
            );
            claims.as_object_mut().unwrap().remove(claim);
            assert_eq!(
                tokens().read(&signed(&good_header(), &claims), at(NOW)),
                None,
                "no {claim}"
            );
        }
    }

    #[test]
    fn games_with_header_and_signature_are_no_session() {
        let good = signed(&good_header(), &good_claims());
        let (signed_part, signature) = good.rsplit_once('.').unwrap();
        let (_, payload) = signed_part.split_once('.').unwrap();
        let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0"; // {"alg":"none","typ":"JWT"}
        let with = |change: fn(&mut Header)| {
            let mut header = good_header();
            change(&mut header);
            signed(&header, &good_claims())
        };
        for (what, text) in [
            ("no signature", format!("{signed_part}.")),
            (
                "another's signature",
                format!("{signed_part}.{}", signature.chars().rev().collect::<String>()),
            ),
            ("alg none", format!("{none}.{payload}.")),
            ("alg none, signed", format!("{none}.{payload}.{signature}")),
            ("no kid", with(|header| header.kid = None)),
            (
                "strange kid",
                with(|header| header.kid = Some("../../dev/null".to_owned())),
            ),
            (
                "another type",
                with(|header| header.typ = Some("at+jwt".to_owned())),
            ),
            ("no type", with(|header| header.typ = None)),
            ("four parts", format!("{good}.x")),
            ("nothing", String::new()),
            ("dots", "..".to_owned()),
        ] {
            assert_eq!(tokens().read(&text, at(NOW)), None, "{what}");
        }
    }
}
