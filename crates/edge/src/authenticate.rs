use std::net::IpAddr;
use std::sync::Arc;

use aws_lc_rs::digest;
use bytes::Bytes;
use homeport_core::{Fault, SharedClock};
use homeport_service::needs::{Identified, SignedCall, Unidentified, met};
use homeport_service::{Caller, Needs, Parts as ServiceParts, Peer, Principal, Source};
use homeport_sigv4::{BodyForm, Dialect, Head, Presented, Refusal, Rules, SigningKeys, verify};
use homeport_vault::Secret;
use http::HeaderMap;
use http::request::Parts;

use crate::cors::{Origins, origin};
use crate::dev_keys;
use crate::encode;
use crate::route::Routed;

/// Derived signing keys that are kept; each saves four HMACs a call.
const KEPT_SIGNING_KEYS: usize = 4_096;
/// Characters of `User-Agent` that are kept.
const MAX_USER_AGENT: usize = 256;

/// Finds out who calls: signature, access key, session token.
pub(crate) struct Authenticator {
    needs: Arc<Needs>,
    clock: SharedClock,
    keys: SigningKeys,
    origins: Origins,
    development: Option<Principal>,
    s3_sigv2: bool,
}

/// The signature that a call presents, if any.
pub(crate) struct Signature {
    presented: Option<Presented>,
}

impl Signature {
    pub(crate) fn presented(&self) -> Option<&Presented> {
        self.presented.as_ref()
    }

    pub(crate) fn is_none(&self) -> bool {
        self.presented.is_none()
    }
}

/// Where a signed call arrived.
#[derive(Clone, Copy)]
pub(crate) struct Arrival<'a> {
    pub(crate) head: &'a Parts,
    pub(crate) peer: &'a Peer,
    pub(crate) host: &'a str,
}

impl Authenticator {
    pub(crate) fn new(
        parts: &ServiceParts,
        origins: Origins,
        development: Option<Principal>,
        s3_sigv2: bool,
    ) -> Self {
        Self {
            needs: parts.needs.clone(),
            clock: parts.clock.clone(),
            keys: SigningKeys::new(KEPT_SIGNING_KEYS),
            origins,
            development,
            s3_sigv2,
        }
    }

    /// Reads what the call presents, without knowing any secret.
    pub(crate) fn read(&self, head: &Parts) -> Result<Signature, Refusal> {
        let headers = with_host(head);
        match Presented::read(&signed_head(head, &headers)) {
            Ok(presented) => Ok(Signature { presented: Some(presented) }),
            Err(Refusal::MissingAuthenticationToken) => Ok(Signature { presented: None }),
            Err(refusal) => Err(refusal),
        }
    }

    /// A caller that nobody knows yet.
    pub(crate) fn nobody(&self, head: &Parts, peer: &Peer) -> Caller {
        let user_agent = head.headers.get(http::header::USER_AGENT).map(user_agent);
        Caller {
            principal: Principal::Anonymous,
            access_key_id: None,
            source: Source {
                ip: canonical(peer.client),
                user_agent: user_agent.unwrap_or_default(),
                secure: peer.secure,
            },
        }
    }

    /// Verifies a call whose body was read whole.
    pub(crate) async fn verify(
        &self,
        arrival: Arrival<'_>,
        signature: Signature,
        routed: &Routed,
        body: &Bytes,
        caller: &mut Caller,
    ) -> Result<(), Fault> {
        let Some(presented) = signature.presented else {
            return Ok(());
        };
        let body_sha256 = sha256(body);
        let rules = Rules::Standard { service: routed.model.signing_name, body_sha256: &body_sha256 };
        self.check_presented(arrival, &presented, &rules, encode::dialect(routed), caller).await.map(|_| ())
    }

    /// Verifies a call of S3, whose body is bound as the call declares and is read later.
    pub(crate) async fn verify_s3(
        &self,
        arrival: Arrival<'_>,
        signature: Signature,
        routed: &Routed,
        caller: &mut Caller,
    ) -> Result<BodyForm, Fault> {
        let Some(presented) = signature.presented else {
            return unsigned_form(arrival.head);
        };
        let rules = Rules::S3 { virtual_bucket: routed.virtual_bucket.as_deref(), sigv2: self.s3_sigv2 };
        self.check_presented(arrival, &presented, &rules, Dialect::S3, caller).await
    }

    /// Verifies a call that isn't an AWS API's: a deployed API's method with `AWS_IAM`.
    pub(crate) async fn check(&self, call: &SignedCall<'_>) -> Result<Caller, Fault> {
        let mut caller = self.nobody(call.head, &call.peer);
        let headers = with_host(call.head);
        let presented =
            Presented::read(&signed_head(call.head, &headers)).map_err(|r| r.fault(Dialect::RestJson))?;
        if presented.region().is_some_and(|region| region != call.region.as_str()) {
            let message = format!("Credential should be scoped to a valid region: '{}'.", call.region);
            return Err(Fault::with_status("InvalidSignatureException", 403, message));
        }
        let body_sha256 = sha256(call.body);
        let rules = Rules::Standard { service: call.service, body_sha256: &body_sha256 };
        let host = crate::host::host_of(call.head).unwrap_or_default();
        let arrival = Arrival { head: call.head, peer: &call.peer, host: &host };
        self.check_presented(arrival, &presented, &rules, Dialect::RestJson, &mut caller).await?;
        Ok(caller)
    }

    async fn check_presented(
        &self,
        arrival: Arrival<'_>,
        presented: &Presented,
        rules: &Rules<'_>,
        dialect: Dialect,
        caller: &mut Caller,
    ) -> Result<BodyForm, Fault> {
        let identified = self.identified(arrival, presented, dialect).await?;
        let headers = with_host(arrival.head);
        let head = signed_head(arrival.head, &headers);
        let form = verify(presented, identified.secret.expose(), &self.keys, &head, self.clock.now(), rules)
            .map_err(|refusal| refusal.fault(dialect))?;
        // Which pages may use a bucket is for the bucket's own rules: they answered the preflight.
        let long_term = presented.security_token().is_none() && !matches!(rules, Rules::S3 { .. });
        if long_term && !self.origins.may_use_long_term_keys(origin(&arrival.head.headers)) {
            let message = "Long-term access keys can't be used from a web page of this origin.";
            return Err(Fault::with_status("AccessDenied", 403, message));
        }
        caller.principal = identified.principal;
        caller.access_key_id = Some(presented.access_key_id().to_owned());
        Ok(form)
    }

    /// Refuses a call whose access key identifies nobody: asked before much of a body is read. The key is looked up
    /// again when all of it has come.
    pub(crate) async fn know(
        &self,
        arrival: Arrival<'_>,
        presented: &Presented,
        dialect: Dialect,
    ) -> Result<(), Fault> {
        self.identified(arrival, presented, dialect).await.map(|_| ())
    }

    async fn identified(
        &self,
        arrival: Arrival<'_>,
        presented: &Presented,
        dialect: Dialect,
    ) -> Result<Identified, Fault> {
        match self.development_identity(arrival, presented) {
            Some(identified) => Ok(identified),
            None => self.identify(presented).await.map_err(|unknown| encode::unidentified(unknown, dialect)),
        }
    }

    fn development_identity(&self, arrival: Arrival<'_>, presented: &Presented) -> Option<Identified> {
        let principal =
            self.development.as_ref().filter(|_| presented.access_key_id() == dev_keys::ACCESS_KEY_ID)?;
        let in_query = match presented {
            Presented::V4(v4) => v4.is_presigned(),
            Presented::V2(_) => true,
        };
        let allowed = dev_keys::may_be_used(
            arrival.peer,
            &arrival.head.headers,
            arrival.host,
            &self.origins,
            presented.service(),
            in_query,
        );
        allowed.then(|| Identified {
            secret: Secret::new(dev_keys::SECRET_ACCESS_KEY.as_bytes().to_vec()),
            principal: principal.clone(),
        })
    }

    async fn identify(&self, presented: &Presented) -> Result<Identified, Unidentified> {
        let (key, token) = (presented.access_key_id(), presented.security_token());
        let need = match token {
            Some(_) => met(&self.needs.identify_sessions, "Identify"),
            None => met(&self.needs.identify_users, "Identify"),
        };
        match need {
            Ok(identify) => identify.identify(key, token).await,
            Err(_) => Err(Unidentified::UnknownKey),
        }
    }
}

/// As text, no longer than is kept.
fn user_agent(value: &http::HeaderValue) -> String {
    let text = String::from_utf8_lossy(value.as_bytes());
    let end = text.char_indices().nth(MAX_USER_AGENT).map_or(text.len(), |(at, _)| at);
    text[..end].to_owned()
}

/// An unsigned body may be chunked all the same, with a checksum in its trailer.
fn unsigned_form(head: &Parts) -> Result<BodyForm, Fault> {
    let declared = head.headers.get("x-amz-content-sha256").map(http::HeaderValue::as_bytes);
    if declared != Some(b"STREAMING-UNSIGNED-PAYLOAD-TRAILER") {
        return Ok(BodyForm::Unsigned);
    }
    let chunks =
        homeport_sigv4::ChunkedBody::unsigned(&head.headers).map_err(|refusal| refusal.fault(Dialect::S3))?;
    Ok(BodyForm::Chunked(Box::new(chunks)))
}

/// The headers as they were signed: HTTP/2 has no `Host`, its `:authority` stands for it.
fn with_host(head: &Parts) -> std::borrow::Cow<'_, HeaderMap> {
    match head.uri.authority() {
        Some(authority) if !head.headers.contains_key(http::header::HOST) => {
            let mut headers = head.headers.clone();
            if let Ok(value) = authority.as_str().parse() {
                headers.insert(http::header::HOST, value);
            }
            std::borrow::Cow::Owned(headers)
        }
        _ => std::borrow::Cow::Borrowed(&head.headers),
    }
}

fn signed_head<'a>(head: &'a Parts, headers: &'a HeaderMap) -> Head<'a> {
    let target = head.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    Head { method: head.method.as_str(), target, headers }
}

fn sha256(body: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, body).as_ref());
    hash
}

fn canonical(ip: IpAddr) -> IpAddr {
    ip.to_canonical()
}
