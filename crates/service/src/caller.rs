use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use homeport_core::{Account, Arn, Timestamp};
use homeport_policy::Policy;
use homeport_store::StoreError;

use crate::needs::{Needs, SignIn, met};

/// Who calls, from where, and by which key.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Who it is.
    pub principal: Principal,
    /// The access key that signed the call; none for unsigned calls.
    pub access_key_id: Option<String>,
    /// Where the call came from.
    pub source: Source,
}

/// Where a call came from, after trusted proxies.
#[derive(Clone, Debug)]
pub struct Source {
    /// The client's address: what throttles, lockouts, `aws:SourceIp` and logs see.
    pub ip: IpAddr,
    /// `User-Agent`, at most 256 characters.
    pub user_agent: String,
    /// Whether it came by TLS (to us, or to a trusted proxy): `aws:SecureTransport`.
    pub secure: bool,
}

/// Who calls.
#[derive(Clone, Debug)]
pub enum Principal {
    /// Nobody: the call isn't signed.
    Anonymous,
    /// A user of IAM, the administrator included.
    User {
        /// `arn:aws:iam::ACCOUNT:user/PATH/NAME`
        arn: Arn,
        /// The unique id, `AIDA…`.
        id: String,
        /// The name.
        name: String,
        /// Whether these are the temporary credentials of `GetSessionToken`, and whether with MFA.
        session: Option<UserSession>,
    },
    /// A session of a role: temporary credentials.
    Role(Arc<RoleSession>),
    /// A user of a user pool, known by an access token: only of operations that ask for one.
    Token(Arc<TokenUser>),
    /// A service of this installation that acts for itself, such as `apigateway.amazonaws.com`.
    Service(&'static str),
}

/// Temporary credentials of an IAM user (`GetSessionToken`).
#[derive(Clone, Debug)]
pub struct UserSession {
    /// Policies that came with the session: they only narrow.
    pub session_policies: Vec<Arc<Policy>>,
    /// Whether an MFA code was given.
    pub mfa: bool,
    /// When they were issued.
    pub issued: Timestamp,
    /// When they end.
    pub expires: Timestamp,
}

/// An assumed role: what the sealed session token says (security decision 9).
#[derive(Clone, Debug)]
pub struct RoleSession {
    /// `arn:aws:iam::ACCOUNT:role/PATH/NAME`
    pub role_arn: Arn,
    /// The role's unique id, `AROA…`: a role deleted and made again is another.
    pub role_id: String,
    /// The role's name.
    pub role_name: String,
    /// The session's name, 2 to 64 characters.
    pub session_name: String,
    /// Policies that came with the session: they only narrow.
    pub session_policies: Vec<Arc<Policy>>,
    /// The role's and the session's tags: `aws:PrincipalTag/KEY`.
    pub tags: BTreeMap<String, String>,
    /// Keys of the tags that pass on to roles which this session assumes.
    pub transitive_tag_keys: Vec<String>,
    /// `sts:SourceIdentity`
    pub source_identity: Option<String>,
    /// Whether an MFA code was given.
    pub mfa: bool,
    /// When the credentials were issued.
    pub issued: Timestamp,
    /// When they end.
    pub expires: Timestamp,
    /// Context keys fixed at the session's start, such as `cognito-identity.amazonaws.com:sub`.
    pub context: BTreeMap<String, Vec<String>>,
    /// For sessions of an identity pool: whose they are.
    pub cognito: Option<CognitoSession>,
    /// What it ends with before its time; a session made with this one ends with the same.
    pub ends_with: EndsWith,
}

/// The app's user behind a session, also where roles were chained since: with the user's sign-in, or the identity, ends
/// the session (security decision 9).
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct EndsWith {
    /// The sign-in of a user pool.
    pub sign_in: Option<SignIn>,
    /// The id of an identity pool's identity, behind the pool's.
    pub identity: Option<(String, String)>,
}

impl EndsWith {
    /// Whether the app's user behind credentials of `issued` is still there and not signed out everywhere since. Asked
    /// at every use, as neither user pools nor identity pools move the authorization epoch. Where nobody knows of such
    /// users any more, none stands.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn stands(&self, needs: &Needs, issued: Timestamp) -> Result<bool, StoreError> {
        if let Some((pool, identity)) = &self.identity {
            let Ok(identities) = met(&needs.identities, "IdentityStands") else { return Ok(false) };
            if !identities.identity_stands(pool, identity).await? {
                return Ok(false);
            }
        }
        let Some(SignIn { user_pool_id, sub, origin_jti }) = &self.sign_in else { return Ok(true) };
        match met(&needs.verify_token, "VerifyToken") {
            Ok(pools) => pools.sign_in_stands(user_pool_id, sub, origin_jti, issued).await,
            Err(_) => Ok(false),
        }
    }
}

/// Whose session of an identity pool it is; a watermark on any of these ends it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct CognitoSession {
    /// `REGION:UUID`
    pub identity_pool_id: String,
    /// `REGION:UUID`
    pub identity_id: String,
    /// `ISSUER,ISSUER:CognitoSignIn:SUB` as `cognitoAuthenticationProvider`; none for guests.
    pub provider: Option<String>,
    /// The user pool, for a signed-in user of one.
    pub user_pool_id: Option<String>,
    /// The user's `sub`.
    pub sub: Option<String>,
    /// The sign-in's `origin_jti`.
    pub origin_jti: Option<String>,
}

/// A user of a user pool, known by a verified access token.
#[derive(Clone, Debug)]
pub struct TokenUser {
    /// The pool, `REGION_` + 9 characters.
    pub user_pool_id: String,
    /// The app client.
    pub client_id: String,
    /// The user's `sub`.
    pub sub: String,
    /// The user's name in the pool.
    pub username: String,
    /// The token's scopes.
    pub scopes: Vec<String>,
    /// The sign-in this token stems from.
    pub origin_jti: String,
    /// When the token was issued.
    pub issued: Timestamp,
}

impl Principal {
    /// The ARN that `GetCallerIdentity` and AccessDenied messages show; none for the anonymous and for token users.
    pub fn arn(&self, account: Account) -> Option<Arn> {
        match self {
            Self::User { arn, .. } => Some(arn.clone()),
            Self::Role(session) => Some(session.arn(account)),
            Self::Anonymous | Self::Token(_) | Self::Service(_) => None,
        }
    }

    /// `aws:userid`: the unique id; for a role's session `ROLE-ID:SESSION-NAME`.
    pub fn user_id(&self) -> Option<String> {
        match self {
            Self::User { id, .. } => Some(id.clone()),
            Self::Role(session) => Some(format!("{}:{}", session.role_id, session.session_name)),
            Self::Anonymous | Self::Token(_) | Self::Service(_) => None,
        }
    }

    /// One word or ARN for the log.
    pub fn label(&self, account: Account) -> String {
        match self {
            Self::Anonymous => "anonymous".to_owned(),
            Self::Token(user) => format!("{}/{}", user.user_pool_id, user.sub),
            Self::Service(name) => (*name).to_owned(),
            Self::User { .. } | Self::Role(_) => {
                self.arn(account).map(|arn| arn.to_string()).unwrap_or_default()
            }
        }
    }
}

impl RoleSession {
    /// `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`
    pub fn arn(&self, account: Account) -> Arn {
        let resource = format!("assumed-role/{}/{}", self.role_name, self.session_name);
        Arn::new("sts", "", &account.to_string(), &resource)
    }
}
