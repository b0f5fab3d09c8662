use std::sync::Arc;

use homeport_core::{Account, SharedClock, SharedRandomness};
use homeport_store::Store;
use homeport_vault::Vault;

use crate::{AuthorizationEpoch, Needs};

/// What every service is made from.
#[derive(Clone)]
pub struct Parts {
    /// The keyspace.
    pub store: Store,
    /// Sealing.
    pub vault: Vault,
    /// The time.
    pub clock: SharedClock,
    /// Chance.
    pub randomness: SharedRandomness,
    /// Whose installation this is, and where it is reached.
    pub installation: Arc<Installation>,
    /// What other services are asked for; filled once all exist.
    pub needs: Arc<Needs>,
    /// What caches of policies are valid for.
    pub epoch: Arc<AuthorizationEpoch>,
}

/// What is fixed while the program runs.
#[derive(Clone, Debug)]
pub struct Installation {
    /// The one account.
    pub account: Account,
    /// The public URL, without a slash at its end, and every one the installation had before: all denote its
    /// pools (security decision 10). Never empty.
    pub public_urls: Vec<String>,
    /// Whether tokens carry AWS's own issuer, `https://cognito-idp.REGION.amazonaws.com/POOL`, unless a pool says otherwise.
    pub aws_issuer: bool,
    /// The functions' endpoint, an IP literal such as `http://127.0.0.1:45123`; none until it listens.
    pub functions_url: Option<String>,
}

impl Installation {
    /// The URL that is printed, linked and handed out today.
    pub fn public_url(&self) -> &str {
        self.public_urls.first().map_or("", String::as_str)
    }
}
