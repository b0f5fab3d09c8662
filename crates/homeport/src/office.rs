//! What commands ask of an installation: of the server that holds its folder, or of the folder itself.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use homeport_cloudtrail::chain::{self, Verdict};
use homeport_edge::tls::Pins;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::certificates::{self, Audience, Authority};
use crate::console::Links;
use crate::error::ProgramError;
use crate::house::House;
use crate::installation::InstallationRecord;
use crate::moving::{Beside, Opened, Progress, back_up};
use crate::outbox::Asked;

/// One question. It travels as JSON to a running server.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Action {
    /// The administrator's keys.
    Credentials {
        /// New ones in place of all there are.
        rotate: bool,
    },
    /// The local authority's root, as `{"pem": …}`; `null` where the operator's certificate is shown.
    Authority,
    /// The pins of the key in use and of the next.
    Pins,
    /// Messages in the outbox.
    Outbox(Asked),
    /// A one-time link to the outbox page; only a server has one.
    OutboxLink,
    /// The next master key in place of the one in use.
    RotateKey,
    /// Whether the audit trail is whole.
    VerifyAudit,
    /// A backup into this file, which the server writes.
    Backup {
        /// Its absolute path.
        file: PathBuf,
    },
}

/// Answers questions about one house.
pub(crate) struct Office {
    house: Arc<House>,
    /// The console's links, where there is a console.
    links: Option<Arc<Links>>,
    /// One turn of the master key at a time: each writes the next key's file.
    turning: Arc<Mutex<()>>,
}

impl Office {
    pub(crate) fn new(house: Arc<House>, links: Option<Arc<Links>>) -> Self {
        Self { house, links, turning: Arc::default() }
    }

    pub(crate) async fn answer(&self, action: &Action) -> Result<Value, ProgramError> {
        match action {
            Action::Credentials { rotate } => self.credentials(*rotate).await,
            Action::Authority => self.authority().await,
            Action::Pins => self.pins().await,
            Action::Outbox(asked) => self.outbox(asked).await,
            Action::OutboxLink => self.link(),
            Action::RotateKey => self.rotate_key().await,
            Action::VerifyAudit => self.verify_audit().await,
            Action::Backup { file } => self.back_up(file).await,
        }
    }

    async fn credentials(&self, rotate: bool) -> Result<Value, ProgramError> {
        let iam = &self.house.iam;
        let keys = if rotate { iam.rotate_administrator().await? } else { iam.administrator_keys().await? };
        let keys = keys.ok_or(ProgramError::NoAdministrator)?;
        Ok(json!({
            "accessKeyId": keys.access_key_id,
            "secretAccessKey": keys.secret_access_key.expose_text(),
            "accountId": self.house.parts.installation.account.to_string(),
        }))
    }

    async fn authority(&self) -> Result<Value, ProgramError> {
        if self.house.config.tls.certificate.is_some() {
            return Ok(Value::Null);
        }
        let authority = Authority::open(&self.house.parts, &self.house.config, Audience::Clients).await?;
        Ok(json!({ "pem": authority.root_pem() }))
    }

    async fn pins(&self) -> Result<Value, ProgramError> {
        if let Some(pins) = certificates::pins_of_files(&self.house.config)? {
            return Ok(flat(&pins, None));
        }
        let (now, next) =
            Authority::open(&self.house.parts, &self.house.config, Audience::Clients).await?.pins()?;
        Ok(flat(&now, Some(&next)))
    }

    async fn outbox(&self, asked: &Asked) -> Result<Value, ProgramError> {
        let messages =
            self.house.outbox.read(asked).await.map_err(|error| ProgramError::Refused(error.to_string()))?;
        serde_json::to_value(messages).map_err(|error| ProgramError::Refused(error.to_string()))
    }

    fn link(&self) -> Result<Value, ProgramError> {
        let links = self.links.as_ref().ok_or_else(|| {
            ProgramError::Refused(
                "the outbox page is the console's, and no server with a console runs".to_owned(),
            )
        })?;
        Ok(json!({ "url": links.issue("/outbox") }))
    }

    async fn verify_audit(&self) -> Result<Value, ProgramError> {
        let parts = &self.house.parts;
        Ok(match chain::verify(&parts.store, &parts.vault).await? {
            Verdict::Whole { rows, unlinked } => json!({ "rows": rows, "unlinked": unlinked }),
            Verdict::Broken { link, until } => {
                json!({ "brokenLink": link, "until": until.rfc3339_seconds() })
            }
        })
    }

    async fn back_up(&self, file: &Path) -> Result<Value, ProgramError> {
        let parts = &self.house.parts;
        let none = || ProgramError::Refused("only a server has blobs".to_owned());
        let blobs = self.house.blobs.get().cloned().ok_or_else(none)?;
        let place = self.house.config.place();
        let from = Opened { place, store: parts.store.clone(), blob_place: String::new(), blobs };
        let (clock, randomness, mut progress) = (&parts.clock, &*parts.randomness, Progress::silent());
        let kept = back_up(&from, file, Beside::Nodes, clock, randomness, &mut progress).await?;
        serde_json::to_value(kept).map_err(|error| ProgramError::Server(error.to_string()))
    }

    async fn rotate_key(&self) -> Result<Value, ProgramError> {
        let (house, turning) = (self.house.clone(), self.turning.clone());
        // By a task of its own: who asked may go away in the midst of it.
        let turned = tokio::spawn(async move {
            let _one_at_a_time = turning.lock().await;
            let (store, place) = (&house.parts.store, house.config.place());
            InstallationRecord::rotate_key(store, &house.key, place, &*house.parts.randomness).await
        });
        let turned = turned.await.map_err(|error| ProgramError::Server(error.to_string()))?;
        Ok(json!({ "masterKey": turned?, "source": self.house.key.name() }))
    }
}

fn flat(now: &Pins, next: Option<&Pins>) -> Value {
    let mut pins = json!({ "pin": format!("sha256/{}", now.spki_sha256), "rawKey": now.raw_key });
    if let Some(next) = next {
        pins["nextPin"] = Value::from(format!("sha256/{}", next.spki_sha256));
        pins["nextRawKey"] = Value::from(next.raw_key.clone());
    }
    pins
}
