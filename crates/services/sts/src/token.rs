//! Temporary credentials on their way out and in: sealed token, derived secret.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use homeport_core::{BASE32, draw};
use homeport_service::needs::Credentials;
use homeport_vault::{Place, Purpose, Sealed, Secret};
use serde::Serialize;

use crate::Sts;
use crate::error::StsError;
use crate::session::Session;

/// The most bytes that a session may hold before it is sealed: the token goes in a header of every call.
const MAX_SESSION_BYTES: usize = 6 * 1024;
/// Characters of a secret access key.
const SECRET_LENGTH: usize = 40;

/// Where a token is sealed to: its key id, so that it opens with no other.
fn place(access_key_id: &str) -> Place<'_> {
    Place { collection: "sts.sessions", key: access_key_id.as_bytes(), field: "token" }
}

/// Credentials as the API writes them.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CredentialsView {
    access_key_id: String,
    secret_access_key: String,
    session_token: String,
    expiration: f64,
}

impl CredentialsView {
    pub(crate) fn of(credentials: &Credentials) -> Self {
        let text = |secret: &Secret| secret.expose_text().unwrap_or_default().to_owned();
        Self {
            access_key_id: credentials.access_key_id.clone(),
            secret_access_key: text(&credentials.secret_access_key),
            session_token: text(&credentials.session_token),
            expiration: homeport_core::Timestamp::from_seconds(credentials.expiration.seconds())
                .seconds_f64(),
        }
    }
}

impl Sts {
    /// Credentials of this session. Fails with [`StsError::PackedPolicyTooLarge`] where it holds too much.
    pub(crate) fn issue(&self, session: &Session) -> Result<Credentials, StsError> {
        let access_key_id = format!("ASIA{}", draw(&*self.randomness, BASE32, 16));
        let bytes = serde_json::to_vec(session).unwrap_or_default();
        if bytes.len() > MAX_SESSION_BYTES {
            return Err(StsError::PackedPolicyTooLarge(packed_size(session)));
        }
        let token = self.vault.seal(Purpose::Session, &place(&access_key_id), &bytes)?;
        Ok(Credentials {
            secret_access_key: self.secret_of(&access_key_id),
            session_token: Secret::new(token.to_text().into_bytes()),
            expiration: session.expires,
            access_key_id,
        })
    }

    /// The session that was sealed for this key; none where the token is not ours, was altered or is another key's.
    pub(crate) fn open(&self, access_key_id: &str, token: &str) -> Option<Session> {
        let sealed = Sealed::parse(token).ok()?;
        let bytes = self.vault.open_as(Purpose::Session, &place(access_key_id), &sealed).ok()?;
        serde_json::from_slice(bytes.expose()).ok()
    }

    /// The secret of a temporary key: derived, so that it need not be kept.
    pub(crate) fn secret_of(&self, access_key_id: &str) -> Secret {
        let derived = self.vault.derive(Purpose::Session, &[b"secret access key", access_key_id.as_bytes()]);
        let mut text = STANDARD_NO_PAD.encode(derived.expose());
        text.truncate(SECRET_LENGTH);
        Secret::new(text.into_bytes())
    }
}

/// How much of what a token holds is taken, in percent.
pub(crate) fn packed_size(session: &Session) -> usize {
    let bytes = serde_json::to_vec(session).map_or(0, |bytes| bytes.len());
    (bytes * 100).div_ceil(MAX_SESSION_BYTES)
}
