use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use homeport_core::Timestamp;
use serde_json::{Map, Value};

use crate::Refusal;
use crate::bounds::{check_depth, check_length};

/// The claims of a token that was verified.
#[derive(Clone, Debug, PartialEq, serde::Deserialize)]
#[serde(transparent)]
pub struct Claims(pub(crate) Map<String, Value>);

impl Claims {
    /// A claim of any type.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// A claim that is a string.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// A claim that is a moment: a NumericDate of RFC 7519 (seconds since 1970; a fraction is cut off).
    pub fn moment(&self, name: &str) -> Option<Timestamp> {
        let number = self.0.get(name)?;
        let seconds = number.as_i64().or_else(|| {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a float cast saturates, and no date comes near"
            )]
            number.as_f64().map(|seconds| seconds as i64)
        })?;
        Some(Timestamp::from_seconds(seconds))
    }

    /// The values of a claim that is a string or a list of strings, such as `aud`.
    pub fn texts(&self, name: &str) -> Vec<&str> {
        match self.0.get(name) {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// All claims by name.
    pub fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }

    /// All claims by name, owned.
    pub fn into_map(self) -> Map<String, Value> {
        self.0
    }
}

/// What a token *claims* to be its issuer, unverified: good for finding out whose keys [`crate::verify`] is to
/// use (and then `iss` is verified against it), for nothing else.
pub fn claimed_issuer(token: &str) -> Result<String, Refusal> {
    #[derive(serde::Deserialize)]
    struct Issuer {
        iss: Option<String>,
    }

    check_length(token)?;
    let payload = token.split('.').nth(1).ok_or(Refusal::Malformed)?;
    let json = URL_SAFE_NO_PAD.decode(payload).map_err(|_| Refusal::Malformed)?;
    check_depth(&json)?;
    let claimed: Issuer = serde_json::from_slice(&json).map_err(|_| Refusal::Malformed)?;
    claimed.iss.ok_or(Refusal::Issuer)
}
