use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use homeport_service::Cx;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::attempt;
use super::block::Block;
use super::finish::{self, Proof};
use super::subject::{self, Subject};
use super::{Parameters, Progress, required};
use crate::CognitoIdp;
use crate::error::IdpError;
use crate::lookup::check_secret_hash;
use crate::records::{Client, Pool};
use crate::srp::proof::{Signed, check, timestamp_is_well_formed};
use crate::srp::{Exchange, Verifier};

/// How long a secret block is good, in seconds.
const BLOCK_SECONDS: i64 = 180;
/// What the block is for, in its seal.
const STEP: &str = "PASSWORD_VERIFIER";

/// What is in `SECRET_BLOCK`. It has the same length for a user as for nobody.
#[derive(Serialize, Deserialize)]
struct Opened {
    /// The name that was given.
    name: String,
    /// What the client was told to be.
    user_id: String,
    /// The password's version, as 16 digits; a password set since ends the sign-in.
    version: String,
    /// `A`, `b` and `u`.
    exchange: String,
}

/// `USER_SRP_AUTH`: answers `SRP_A` with a challenge, for a user and for nobody alike.
pub(crate) async fn open_srp(
    cx: &Cx<CognitoIdp>,
    pool: &Pool,
    client: &Client,
    parameters: &Parameters,
) -> Result<Progress, IdpError> {
    let name = required(parameters, "USERNAME")?;
    let hash = parameters.get("SECRET_HASH").map(String::as_str);
    let vault = &cx.service.parts.vault;
    check_secret_hash(vault, client, &[name], hash)?;
    let srp_a = required(parameters, "SRP_A")?.to_owned();
    let subject = subject::find(cx, pool, name).await?;
    if !client.hides_users() && matches!(subject, Subject::Stranger(_)) {
        return Err(IdpError::NoSuchUser);
    }
    let verifier = subject.verifier(vault, pool, name)?;
    let salt = verifier.salt_hex();
    let mut secret = Zeroizing::new([0; 32]);
    cx.randomness().fill(&mut secret[..]);
    let opened = cx.service.permits.run(move || Exchange::open(&verifier, &srp_a, secret)).await?;
    let (exchange, srp_b) = opened.map_err(|fault| IdpError::invalid(fault.to_string()))?;
    let user_id = subject.srp_id(vault, pool, name);
    let content = Opened {
        name: name.to_owned(),
        user_id: user_id.clone(),
        version: version_of(&subject),
        exchange: STANDARD.encode(&exchange.to_bytes()[..]),
    };
    let block = Block::new(content, &**cx.randomness(), cx.now(), BLOCK_SECONDS).seal(vault, client, STEP)?;
    let challenge_parameters = BTreeMap::from([
        ("SALT".to_owned(), salt),
        ("SECRET_BLOCK".to_owned(), block),
        ("SRP_B".to_owned(), srp_b),
        ("USERNAME".to_owned(), user_id.clone()),
        ("USER_ID_FOR_SRP".to_owned(), user_id),
    ]);
    Ok(Progress::Challenge { challenge_name: STEP, session: None, challenge_parameters })
}

/// `PASSWORD_VERIFIER`: judges the client's proof.
pub(crate) async fn answer_srp(
    cx: &Cx<CognitoIdp>,
    pool: &Pool,
    client: &Client,
    responses: &Parameters,
) -> Result<Progress, IdpError> {
    let vault = &cx.service.parts.vault;
    let username = required(responses, "USERNAME")?;
    check_secret_hash(vault, client, &[username], responses.get("SECRET_HASH").map(String::as_str))?;
    let block_text = required(responses, "PASSWORD_CLAIM_SECRET_BLOCK")?;
    let signature = required(responses, "PASSWORD_CLAIM_SIGNATURE")?;
    let timestamp = required(responses, "TIMESTAMP")?;
    if !timestamp_is_well_formed(timestamp) {
        return Err(IdpError::invalid("TIMESTAMP format should be EEE MMM d HH:mm:ss z yyyy in english."));
    }
    let block: Block<Opened> =
        Block::open(vault, client, STEP, block_text, cx.now()).ok_or_else(IdpError::wrong_password)?;
    let opened = &block.content;
    if username != opened.user_id && pool.fold(username) != pool.fold(&opened.name) {
        return Err(IdpError::wrong_password());
    }
    let subject = subject::find(cx, pool, &opened.name).await?;
    let attempt = attempt::take(cx, pool, &subject, Some(block.single())).await?;
    let claim = Claim::read(pool, opened, block_text, timestamp, signature)?;
    let verifier = subject.verifier(vault, pool, &opened.name)?;
    let right = match cx.service.permits.run(move || claim.is_proved_by(&verifier)).await {
        Ok(right) => right,
        Err(busy) => {
            attempt.give_back(cx, pool, &subject).await?;
            return Err(busy.into());
        }
    };
    let current = version_of(&subject) == opened.version;
    match subject {
        Subject::Known(user) if right && current && user.credential.is_some() => {
            finish::after_password(cx, pool, client, Proof { user: *user, attempt, uses: None }).await
        }
        _ => Err(IdpError::wrong_password()),
    }
}

/// What the client signed, and its signature.
struct Claim {
    exchange: Exchange,
    pool_name: String,
    user_id: String,
    block: Vec<u8>,
    timestamp: String,
    signature: Vec<u8>,
}

impl Claim {
    fn read(
        pool: &Pool,
        opened: &Opened,
        block: &str,
        timestamp: &str,
        signature: &str,
    ) -> Result<Self, IdpError> {
        let exchange = STANDARD.decode(&opened.exchange).ok().and_then(|bytes| Exchange::from_bytes(&bytes));
        Ok(Self {
            exchange: exchange.ok_or_else(IdpError::wrong_password)?,
            pool_name: pool.pool.srp_name().to_owned(),
            user_id: opened.user_id.clone(),
            block: STANDARD.decode(block).map_err(|_| IdpError::wrong_password())?,
            timestamp: timestamp.to_owned(),
            signature: STANDARD.decode(signature).map_err(|_| IdpError::wrong_password())?,
        })
    }

    fn is_proved_by(&self, verifier: &Verifier) -> bool {
        let signed = Signed {
            pool_name: &self.pool_name,
            user_id: &self.user_id,
            secret_block: &self.block,
            timestamp: &self.timestamp,
        };
        check(&self.exchange.key(verifier), &signed, &self.signature)
    }
}

fn version_of(subject: &Subject) -> String {
    let version = match subject {
        Subject::Known(user) => user.credential_version,
        Subject::Stranger(_) => 0,
    };
    format!("{version:016}")
}
