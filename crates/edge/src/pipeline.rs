//! One AWS call's way: route → authenticate → decode → authorize → run → audit → encode, and nowhere else.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use homeport_core::{Account, BoxFuture, Fault, Scope, SharedClock, SharedRandomness};
use homeport_service::needs::{CheckSignature, SignedCall, TokenRefused, TokenUse, met};
use homeport_service::{
    Allowed, Answer, AskedOn, AuditTrail, Authorizer, Body, Call, CallBody, CallContext, Caller, Effect,
    Hosted, Incoming, Lookup, Needs, OperationInfo, Parts as ServiceParts, Peer, Permission, Permissions,
    Prepared, Principal, Refusal, TokenUser,
};
use homeport_sigv4::Presented;
use homeport_store::Store;
use homeport_wire::{Head, Operation};
use http::Response;
use http::request::Parts;
use serde_json::Value;

use crate::audit_log::AuditLog;
use crate::authenticate::{Arrival, Authenticator, Signature};
use crate::bucket_cors;
use crate::budget::{Budget, Share};
use crate::coding;
use crate::cors::Origins;
use crate::dynamodb;
use crate::encode::{self, Answered};
use crate::expected_owner;
use crate::host::Hosts;
use crate::recording;
use crate::refused;
use crate::request_id::RequestIds;
use crate::route::{Routed, Routes};
use crate::scope_check;
use crate::whole::{self, BEFORE_KNOWN, Reading};

/// What the pipeline is made from, beside the services.
pub struct PipelineOptions {
    /// The names this installation answers to.
    pub hosts: Hosts,
    /// Pages that may use long-term keys.
    pub origins: Origins,
    /// With `--dev`: whom the development keys stand for.
    pub development: Option<Principal>,
    /// Whether presigned URLs of SigV2 are accepted for objects.
    pub s3_sigv2: bool,
}

/// Carries every AWS call.
pub struct Pipeline {
    routes: Routes,
    authenticator: Authenticator,
    authorizer: Arc<Authorizer>,
    audit: AuditLog,
    bodies: Arc<Budget>,
    store: Store,
    needs: Arc<Needs>,
    clock: SharedClock,
    randomness: SharedRandomness,
    request_ids: RequestIds,
    account: Account,
}

/// The largest Query form that is read before its service is known, in bytes.
const MAX_FORM: usize = 1 << 20;

/// A call on its way: what is known of it so far.
struct Way {
    head: Arc<Parts>,
    host: String,
    peer: Peer,
    request_id: String,
    /// Of the memory for bodies.
    share: Share,
}

impl Pipeline {
    /// A pipeline over these services.
    pub fn new(parts: &ServiceParts, hosted: Vec<Arc<dyn Hosted>>, options: PipelineOptions) -> Self {
        let account = parts.installation.account;
        Self {
            routes: Routes::new(hosted, options.hosts),
            authenticator: Authenticator::new(parts, options.origins, options.development, options.s3_sigv2),
            authorizer: Arc::new(Authorizer::new(parts.needs.clone(), parts.epoch.clone(), account)),
            audit: AuditLog::start(parts.store.clone()),
            bodies: Budget::new(),
            store: parts.store.clone(),
            needs: parts.needs.clone(),
            clock: parts.clock.clone(),
            randomness: parts.randomness.clone(),
            request_ids: RequestIds::new(parts.randomness.clone()),
            account,
        }
    }

    /// The services behind it.
    pub fn services(&self) -> &[Arc<dyn Hosted>] {
        self.routes.all()
    }

    /// Audit rows that were lost because too many waited.
    pub fn lost_audit_rows(&self) -> u64 {
        self.audit.lost()
    }

    /// Answers one AWS call.
    pub async fn handle(&self, head: Parts, body: Body, peer: Peer, host: &str) -> Response<Body> {
        let mut way = Way {
            head: Arc::new(head),
            host: host.to_owned(),
            peer,
            request_id: self.request_ids.uuid(),
            share: self.bodies.share(),
        };
        let signature = self.authenticator.read(&way.head);
        let presented = signature.as_ref().ok().and_then(Signature::presented);
        let (form, body) = match self.read_form(&way, presented, body).await {
            Ok(read) => read,
            // The service that is signed for tells in which form to answer, though the form wasn't read.
            Err(fault) => match self.routes.route(&way.head, host, presented, &[]) {
                Some(routed) => return encode::response(&routed, Err(fault), &way.request_id, None),
                None => return encode::bare(&fault, &way.request_id),
            },
        };
        let Some(routed) = self.routes.route(&way.head, host, presented, form.as_deref().unwrap_or_default())
        else {
            return encode::bare(&encode::no_such_service(), &way.request_id);
        };
        if routed.model.is_dynamodb() {
            way.request_id = self.request_ids.of_dynamodb();
            let has_body = !http_body::Body::is_end_stream(&body) || form.is_some();
            if let Some(answer) = dynamodb::no_call(&routed, &way.head, has_body, &way.request_id) {
                return answer;
            }
        }
        let body = match form {
            Some(form) => CallBody::Whole(form),
            None => CallBody::Stream(body),
        };
        let answered = self.answer(&way, &routed, signature, body).await;
        let mut response = encode::response(&routed, answered, &way.request_id, Some(&way.head));
        if let Some(rules) = self.needs.bucket_cors.get().filter(|_| routed.model.name == "s3") {
            bucket_cors::mark(&**rules, &routed, &way.head, response.headers_mut()).await;
        }
        response
    }

    /// The answer to a preflight of a call of a bucket, by the bucket's rules; none for all others.
    pub(crate) async fn bucket_preflight(&self, head: &Parts, host: &str) -> Option<Response<Body>> {
        let rules = self.needs.bucket_cors.get()?;
        let routed = self.routes.route(head, host, None, &[]).filter(|routed| routed.model.name == "s3")?;
        bucket_cors::preflight(&**rules, &routed, head).await
    }

    async fn read_form(
        &self,
        way: &Way,
        presented: Option<&Presented>,
        body: Body,
    ) -> Result<(Option<Bytes>, Body), Fault> {
        if !Routes::is_form(&way.head, presented) {
            return Ok((None, body));
        }
        let form = way.reading(body, MAX_FORM)?.finish().await?;
        Ok((Some(form), homeport_service::empty()))
    }

    async fn answer(
        &self,
        way: &Way,
        routed: &Routed,
        signature: Result<Signature, homeport_sigv4::Refusal>,
        body: CallBody,
    ) -> Answered {
        let mut caller = Arc::new(self.authenticator.nobody(&way.head, &way.peer));
        let outcome = self.walk(way, routed, signature, body, &mut caller).await;
        let outcome = outcome.map_err(|fault| match fault.status {
            // Services know no more than that something of theirs broke; clients may well try again.
            500.. if self.store.is_away() => encode::unavailable(fault.cause.unwrap_or_default()),
            _ => fault,
        });
        if let Err(fault) = &outcome {
            refused::log(routed, &caller, self.account, fault);
        }
        outcome
    }

    async fn walk(
        &self,
        way: &Way,
        routed: &Routed,
        signature: Result<Signature, homeport_sigv4::Refusal>,
        body: CallBody,
        caller: &mut Arc<Caller>,
    ) -> Answered {
        let signature = signature.map_err(|refusal| refusal.fault(encode::dialect(routed)))?;
        let Known { hosted, operation, info } = known_operation(routed)?;
        scope_check::check(routed, signature.presented(), &way.host)
            .map_err(|fault| self.refuse_unknown(way, routed, info, caller, fault))?;
        if signature.is_none() && !operation.unsigned && routed.model.name != "s3" {
            let refusal = homeport_sigv4::Refusal::MissingAuthenticationToken;
            let fault = refusal.fault(encode::dialect(routed));
            return Err(self.refuse_unknown(way, routed, info, caller, fault));
        }
        let body =
            self.authenticate(way, routed, (hosted, info), signature, body, Arc::make_mut(caller)).await;
        // Of a body that is too long or not what was signed, the caller may be known already.
        let body = body.map_err(|fault| match caller.principal {
            Principal::Anonymous => self.refuse_unknown(way, routed, info, caller, fault),
            _ => self.refuse(way, routed, info, caller, fault, Value::Null),
        })?;
        let decoded = decode(way, routed, operation, info, body, caller);
        let (incoming, parameters) =
            decoded.map_err(|fault| self.refuse(way, routed, info, caller, fault, Value::Null))?;
        let mut prepared = match hosted.prepare(info.name, incoming) {
            Ok(prepared) => prepared,
            Err(fault) => return Err(self.refuse(way, routed, info, caller, fault, parameters)),
        };
        let parameters = if info.by_hand.is_some() { prepared.audited() } else { parameters };
        let result = self.authorize_and_run(way, routed, info, prepared, caller, parameters.clone()).await;
        match result {
            Ok((answer, recorded)) => {
                if !recorded && !is_data(info.effect) {
                    self.audit.record(recording::done(way.call(self, routed, info), caller, parameters));
                }
                Ok(answer)
            }
            Err((fault, true)) => Err(fault),
            Err((fault, false)) => Err(self.refuse(way, routed, info, caller, fault, parameters)),
        }
    }

    /// Records a sample of calls that nobody is known to have made: unsigned, wrongly signed, by keys that are none.
    fn refuse_unknown(
        &self,
        way: &Way,
        routed: &Routed,
        info: OperationInfo,
        caller: &Caller,
        fault: Fault,
    ) -> Fault {
        self.audit.record_anonymous(recording::refused(way.call(self, routed, info), caller, &fault));
        fault
    }

    /// Records a refusal: with the caller where it is known, and as a sample where it isn't (security decision 29).
    fn refuse(
        &self,
        way: &Way,
        routed: &Routed,
        info: OperationInfo,
        caller: &Caller,
        fault: Fault,
        parameters: Value,
    ) -> Fault {
        if is_data(info.effect) {
            return fault;
        }
        let mut row = recording::refused(way.call(self, routed, info), caller, &fault);
        row.request_parameters = parameters;
        match caller.principal {
            Principal::Anonymous => self.audit.record_anonymous(row),
            _ => self.audit.record(row),
        }
        fault
    }

    async fn authenticate(
        &self,
        way: &Way,
        routed: &Routed,
        (hosted, info): (&Arc<dyn Hosted>, OperationInfo),
        signature: Signature,
        body: CallBody,
        caller: &mut Caller,
    ) -> Result<CallBody, Fault> {
        let s3 = routed.model.name == "s3";
        let streams = info.by_hand == Some(true);
        let limit = dynamodb::max_body(routed, info, hosted.spec().max_body);
        if s3 {
            let form = self.authenticator.verify_s3(way.arrival(), signature, routed, caller).await?;
            // One that was read as a form is no more verified than one that still arrives.
            let body = match body {
                CallBody::Whole(body) => homeport_service::full(body),
                CallBody::Stream(body) => body,
            };
            let body = crate::body_form::bound(body, form);
            if streams {
                return Ok(CallBody::Stream(body));
            }
            return way.reading(body, limit)?.finish().await.map(CallBody::Whole);
        }
        let body = match body {
            CallBody::Whole(body) => body,
            CallBody::Stream(body) => {
                let reading = way.reading(body, limit)?;
                self.read_of_somebody(way, routed, signature.presented(), reading).await?
            }
        };
        self.authenticator.verify(way.arrival(), signature, routed, &body, caller).await?;
        coding::unpacked(&way.head, routed, body, limit, &way.share).await.map(CallBody::Whole)
    }

    /// Reads a body, and no more than a little of one whose caller nobody knows.
    async fn read_of_somebody(
        &self,
        way: &Way,
        routed: &Routed,
        presented: Option<&Presented>,
        mut reading: Reading<'_>,
    ) -> Result<Bytes, Fault> {
        if !reading.is_within(BEFORE_KNOWN).await? {
            let presented = presented.ok_or_else(whole::too_large)?;
            self.authenticator.know(way.arrival(), presented, encode::dialect(routed)).await?;
        }
        reading.finish().await
    }

    /// The answer or fault, and whether its audit row is already in a committed transaction.
    async fn authorize_and_run(
        &self,
        way: &Way,
        routed: &Routed,
        info: OperationInfo,
        prepared: Box<dyn Prepared>,
        caller: &mut Arc<Caller>,
        parameters: Value,
    ) -> Result<(Answer, bool), (Fault, bool)> {
        let unrecorded = |fault: Fault| (fault, false);
        let scope = Scope { account: self.account, region: routed.region.clone() };
        let now = self.clock.now();
        let asked = AskedOn { caller, scope: &scope, now };
        let stated = prepared.permissions(&asked);
        let each = matches!(stated, Permissions::Each(_) | Permissions::LookupEach(_));
        let mut looked_up = None;
        let stated = match stated {
            Permissions::All(list) | Permissions::Each(list) => Some(list),
            Permissions::Lookup(lookup) | Permissions::LookupEach(lookup) => {
                let (list, epoch) = self.look_up(&lookup, caller).await.map_err(unrecorded)?;
                looked_up = Some((lookup, epoch));
                Some(list)
            }
            Permissions::Public => None,
            Permissions::AccessToken { token, scope } => {
                let user = self.token_user(&token, scope).await.map_err(unrecorded)?;
                Arc::make_mut(caller).principal = Principal::Token(Arc::new(user));
                None
            }
        };
        // Whoever states an empty list has not said what is needed: nobody is let in by that.
        if stated.as_ref().is_some_and(Vec::is_empty) {
            return Err(unrecorded(encode::nothing_stated(routed)));
        }
        let permissions = stated.unwrap_or_default();
        let allowed = match each {
            true => self.allow_each(routed, caller, &scope, permissions).await.map(Ok),
            false => self.allow_all(caller, &scope, permissions).await,
        };
        let mut allowed = allowed.map_err(unrecorded)?.map_err(|refusal| {
            unrecorded(match &refusal.untrusting_role {
                Some(role) => prepared.role_refused(role).because(&refusal.reason),
                None => encode::denied(routed, &refusal),
            })
        })?;
        if let Some((lookup, epoch)) = looked_up {
            // What was looked up is older than the decision on it.
            allowed.epoch = allowed.epoch.min(epoch);
            allowed.lookup = Some(lookup);
        }
        expected_owner::check(routed, &way.head, self.account).map_err(unrecorded)?;
        let audit = (info.effect == Effect::Writes)
            .then(|| AuditTrail::new(recording::done(way.call(self, routed, info), caller, parameters)));
        let token_user = match &caller.principal {
            Principal::Token(user) => Some(user.clone()),
            _ => None,
        };
        let context = Arc::new(CallContext {
            store: self.store.clone(),
            caller: caller.clone(),
            scope,
            now,
            clock: self.clock.clone(),
            randomness: self.randomness.clone(),
            request_id: way.request_id.clone(),
            token_user,
            depth: encode::depth(&way.head, &way.peer),
            allowed,
            audit,
        });
        let done = prepared.run(context.clone()).await;
        let recorded = context.audit.as_ref().is_some_and(AuditTrail::is_recorded);
        match (done, context.allowed.take_late_refusal()) {
            (_, Some(refusal)) => Err((encode::denied(routed, &refusal), recorded)),
            (Ok(answer), None) => Ok((answer, recorded)),
            (Err(fault), None) => Err((fault, recorded)),
        }
    }

    /// What the operation needs by the store's state, and an authorization epoch no later than that state's.
    async fn look_up(&self, lookup: &Lookup, caller: &Caller) -> Result<(Vec<Permission>, i64), Fault> {
        let epoch = self.authorizer.epoch(&self.store, &caller.principal).await;
        let epoch = epoch.map_err(encode::unavailable)?;
        let found = self.store.read(|tx| lookup(tx)).await;
        Ok((found.map_err(encode::unavailable)?, epoch))
    }

    /// The decision by which all of it is allowed, or the refusal.
    async fn allow_all(
        &self,
        caller: &Caller,
        scope: &Scope,
        permissions: Vec<Permission>,
    ) -> Result<Result<Allowed, Refusal>, Fault> {
        if permissions.is_empty() {
            return Ok(Ok(self.allowed(permissions, 0, BTreeMap::new())));
        }
        let decision =
            self.authorizer.decide(&self.store, caller, scope, self.clock.now(), &permissions).await;
        let decided = decision.map_err(encode::unavailable)?;
        Ok(decided.map(|epoch| self.allowed(permissions, epoch, BTreeMap::new())))
    }

    /// The decisions of each, of which the log hears the first refusal.
    async fn allow_each(
        &self,
        routed: &Routed,
        caller: &Caller,
        scope: &Scope,
        permissions: Vec<Permission>,
    ) -> Result<Allowed, Fault> {
        let now = self.clock.now();
        let decided = self.authorizer.decide_each(&self.store, caller, scope, now, &permissions).await;
        let (epoch, refused) = decided.map_err(encode::unavailable)?;
        if let Some(refusal) = refused.values().next() {
            refused::log(routed, caller, self.account, &encode::denied(routed, refusal));
        }
        Ok(self.allowed(Allowed::kept(permissions, &refused), epoch, refused))
    }

    fn allowed(
        &self,
        permissions: Vec<Permission>,
        epoch: i64,
        refused: BTreeMap<usize, Refusal>,
    ) -> Allowed {
        let authorizer = self.authorizer.clone();
        Allowed { permissions, lookup: None, refused, epoch, authorizer, late_refusal: Default::default() }
    }

    async fn token_user(&self, token: &str, scope: &str) -> Result<TokenUser, Fault> {
        let not_authorized = |message: &'static str| Fault::sender("NotAuthorizedException", message);
        let verifier = met(&self.needs.verify_token, "VerifyToken").map_err(Fault::internal)?;
        let verified = verifier.verify_token(token, TokenUse::Access, &[], true).await.map_err(
            |refused| match refused {
                TokenRefused::Invalid => not_authorized("Invalid Access Token"),
                TokenRefused::Expired => not_authorized("Access Token has expired"),
                TokenRefused::Revoked => not_authorized("Access Token has been revoked"),
                TokenRefused::Store(error) => encode::unavailable(error),
            },
        )?;
        if !verified.scopes.iter().any(|granted| granted == scope) {
            return Err(not_authorized("Access Token does not have required scopes"));
        }
        Ok(TokenUser {
            user_pool_id: verified.user_pool_id,
            client_id: verified.client_id,
            sub: verified.sub,
            username: verified.username,
            scopes: verified.scopes,
            origin_jti: verified.origin_jti,
            issued: homeport_core::Timestamp::from_seconds(verified.issued),
        })
    }
}

impl Way {
    fn arrival(&self) -> Arrival<'_> {
        Arrival { head: &self.head, peer: &self.peer, host: &self.host }
    }

    fn reading(&self, body: Body, limit: usize) -> Result<Reading<'_>, Fault> {
        Reading::begin(&self.head, body, limit, &self.share)
    }

    fn call<'a>(
        &'a self,
        pipeline: &'a Pipeline,
        routed: &'a Routed,
        info: OperationInfo,
    ) -> recording::Recorded<'a> {
        recording::Recorded {
            randomness: &*pipeline.randomness,
            time: pipeline.clock.now(),
            account: pipeline.account,
            routed,
            info,
            request_id: &self.request_id,
        }
    }
}

fn is_data(effect: Effect) -> bool {
    matches!(effect, Effect::ReadsData | Effect::WritesData)
}

/// An operation that is built here.
struct Known<'r> {
    hosted: &'r Arc<dyn Hosted>,
    operation: &'static Operation,
    info: OperationInfo,
}

fn known_operation(routed: &Routed) -> Result<Known<'_>, Fault> {
    let modelled = routed.hosted.as_ref().zip(routed.operation);
    let found = modelled.and_then(|(hosted, operation)| {
        let info = hosted.find(operation.name)?;
        Some(Known { hosted, operation, info })
    });
    found.ok_or_else(|| routed.unknown())
}

fn decode(
    way: &Way,
    routed: &Routed,
    operation: &'static Operation,
    info: OperationInfo,
    body: CallBody,
    caller: &Arc<Caller>,
) -> Result<(Incoming, Value), Fault> {
    if info.by_hand.is_some() {
        let call = Call {
            operation,
            head: way.head.clone(),
            path: routed.path.clone(),
            virtual_bucket: routed.virtual_bucket.clone(),
            body,
            caller: caller.clone(),
        };
        return Ok((Incoming::Call(Box::new(call)), Value::Null));
    }
    let CallBody::Whole(body) = body else {
        return Err(Fault::internal("a modelled operation's body was not read"));
    };
    let head = Head {
        method: way.head.method.as_str(),
        path: &routed.path,
        query: way.head.uri.query().unwrap_or(""),
        headers: &way.head.headers,
    };
    let value = homeport_wire::decode(operation, routed.protocol, &head, &body)?;
    let audited = is_data(info.effect);
    let shown = if audited { Value::Null } else { homeport_wire::redact(routed.model, operation, &value) };
    Ok((Incoming::Value(value), shown))
}

impl CheckSignature for Pipeline {
    fn check_signature<'a>(
        &'a self,
        call: SignedCall<'a>,
        permissions: Vec<Permission>,
    ) -> BoxFuture<'a, Result<Caller, Fault>> {
        Box::pin(async move {
            let caller = self.authenticator.check(&call).await?;
            let scope = Scope { account: self.account, region: call.region.clone() };
            let now = self.clock.now();
            let decision = self.authorizer.decide(&self.store, &caller, &scope, now, &permissions).await;
            match decision.map_err(encode::unavailable)? {
                Ok(_) => Ok(caller),
                Err(refusal) => {
                    let fault = Fault::with_status("AccessDeniedException", 403, refusal.message);
                    Err(fault.because(refusal.reason))
                }
            }
        })
    }
}
