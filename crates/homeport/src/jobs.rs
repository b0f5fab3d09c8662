//! Work that no call waits for. Each runs as long as the server.

use std::sync::Arc;
use std::time::Duration;

use homeport_cloudtrail::chain;
use homeport_cognito_identity::CognitoIdentity;
use homeport_s3::S3;
use homeport_service::Parts;
use tokio::time::sleep;

use crate::duty::Duties;
use crate::mail::Mail;

/// How soon an audit row is in the chain.
const CHAIN_EVERY: Duration = Duration::from_secs(1);
/// How often what is over is looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(3_600);

/// Starts all of it; what must not be done twice as a duty.
pub(crate) fn start(
    parts: &Parts,
    duties: &Duties,
    s3: Arc<S3>,
    identities: Arc<CognitoIdentity>,
    mail: Arc<Mail>,
) {
    let delivers = mail.clone();
    duties.take("mail", move |held| {
        let mail = delivers.clone();
        async move { mail.deliver(&held).await }
    });
    let linking = parts.clone();
    duties.take("audit-chain", move |_| link_audit_rows(linking.clone()));
    let sweeping = parts.clone();
    duties.take("sweep", move |_| {
        let (parts, s3) = (sweeping.clone(), s3.clone());
        let (identities, mail) = (identities.clone(), mail.clone());
        async move {
            build_indexes(&identities, &mail).await;
            sweep(parts, s3).await;
        }
    });
}

/// Fills the indexes that this program has and the one that made the data had not.
async fn build_indexes(identities: &CognitoIdentity, mail: &Mail) {
    let built = identities.build_indexes().await;
    if let Err(error) = built.and(mail.build_indexes().await) {
        tracing::error!(%error, "an index can't be built");
    }
}

async fn link_audit_rows(parts: Parts) {
    loop {
        sleep(CHAIN_EVERY).await;
        // One link holds so many rows; while there are more, the next follows at once.
        loop {
            match chain::extend(&parts.store, &parts.vault).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    tracing::error!(%error, "the audit trail's chain can't be extended");
                    break;
                }
            }
        }
    }
}

async fn sweep(parts: Parts, s3: Arc<S3>) {
    loop {
        sleep(SWEEP_EVERY).await;
        let now = parts.clock.now();
        match s3.sweep(now).await {
            Ok(0) => {}
            Ok(blobs) => tracing::info!(blobs, "removed what broken uploads left"),
            Err(error) => tracing::error!(%error, "what broken uploads left can't be removed"),
        }
        while let Ok(true) = chain::prune(&parts.store, &parts.vault, now).await {}
    }
}
