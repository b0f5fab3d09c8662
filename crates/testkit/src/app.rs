use std::sync::Arc;

use homeport_core::{Account, BoxFuture, ManualClock, SeededRandomness, Timestamp};
use homeport_edge::cors::Origins;
use homeport_edge::{FrontDoor, Hosts, Pipeline, PipelineOptions};
use homeport_service::{AuthorizationEpoch, Body, Hosted, Installation, Needs, Parts, Peer, Plane, empty};
use homeport_store::{Direction, Range, Store};
use homeport_vault::Vault;
use http::Response;

use crate::principals::{ADMIN_KEY, STRANGER_KEY, TestIam};
use crate::{CaughtMessages, TestCaller};

/// Services under test behind the whole pipeline, in memory.
pub struct TestApp {
    shared: Arc<Shared>,
    /// What the services were made from.
    pub parts: Parts,
    /// The time; it stands until it is moved.
    pub clock: Arc<ManualClock>,
    /// Users and roles of the test.
    pub iam: Arc<TestIam>,
    /// What was sent to people, unless the services met that need themselves.
    pub messages: Arc<CaughtMessages>,
    hosted: Vec<Arc<dyn Hosted>>,
}

pub(crate) struct Shared {
    pub(crate) front: FrontDoor,
    clock: Arc<ManualClock>,
}

impl Shared {
    pub(crate) fn clock_now(&self) -> Timestamp {
        homeport_core::Clock::now(&*self.clock)
    }
}

impl TestApp {
    /// Hosts what `make` makes. It may meet needs in `parts.needs`; users, roles and the mailer are the test's own
    /// where it doesn't, and the test's users are known beside IAM's where it does.
    pub fn new(make: impl FnOnce(&Parts) -> Vec<Arc<dyn Hosted>>) -> Self {
        Self::with_planes(|parts| (make(parts), Vec::new()))
    }

    /// As [`Self::new`], with planes beside the services.
    pub fn with_planes(make: impl FnOnce(&Parts) -> (Vec<Arc<dyn Hosted>>, Vec<Arc<dyn Plane>>)) -> Self {
        let account = Account::from_number(123_456_789_012);
        let clock = Arc::new(ManualClock::at(Timestamp::from_seconds(1_795_000_000)));
        let store = Store::testkit(7);
        let parts = Parts {
            epoch: Arc::new(AuthorizationEpoch::follow(&store)),
            store,
            vault: Vault::for_tests(),
            clock: clock.clone(),
            randomness: Arc::new(SeededRandomness::new(42)),
            installation: Arc::new(Installation {
                account,
                public_urls: vec!["http://127.0.0.1:4566".to_owned()],
                aws_issuer: false,
                functions_url: Some("http://127.0.0.1:4599".to_owned()),
            }),
            needs: Arc::new(Needs::default()),
        };
        Self::of(parts, clock, Arc::default(), make)
    }

    /// A further node on the same store, at the same time: with services and caches of its own, which `make` makes.
    /// What it sends to people is caught with the first's; users and roles of the test are each node's own.
    pub fn beside(&self, make: impl FnOnce(&Parts) -> (Vec<Arc<dyn Hosted>>, Vec<Arc<dyn Plane>>)) -> Self {
        let mut seed = [0; 8];
        self.parts.randomness.fill(&mut seed);
        let parts = Parts {
            epoch: Arc::new(AuthorizationEpoch::follow(&self.parts.store)),
            randomness: Arc::new(SeededRandomness::new(u64::from_be_bytes(seed))),
            needs: Arc::new(Needs::default()),
            ..self.parts.clone()
        };
        Self::of(parts, self.clock.clone(), self.messages.clone(), make)
    }

    fn of(
        parts: Parts,
        clock: Arc<ManualClock>,
        messages: Arc<CaughtMessages>,
        make: impl FnOnce(&Parts) -> (Vec<Arc<dyn Hosted>>, Vec<Arc<dyn Plane>>),
    ) -> Self {
        let account = parts.installation.account;
        let (hosted, planes) = make(&parts);
        let behind = parts.needs.identify_users.get().cloned().zip(parts.needs.policies_of.get().cloned());
        let iam = Arc::new(TestIam::new(account, behind));
        let unmet = &parts.needs;
        unmet.identify_users.set(iam.clone()).ok();
        unmet.policies_of.set(iam.clone()).ok();
        unmet.send_message.set(messages.clone()).ok();
        let outer = Parts { needs: Arc::new(needs_with(&parts.needs, &iam)), ..parts.clone() };
        let options = PipelineOptions {
            hosts: Hosts::default(),
            origins: Origins::default(),
            development: None,
            s3_sigv2: true,
        };
        let pipeline = Arc::new(Pipeline::new(&outer, hosted.clone(), options));
        parts.needs.check_signature.set(pipeline.clone()).ok();
        let front = FrontDoor::new(Hosts::default(), planes, Arc::new(Nothing), pipeline);
        let shared = Arc::new(Shared { front, clock: clock.clone() });
        Self { shared, parts, clock, iam, messages, hosted }
    }

    /// The user who may do everything.
    pub fn admin(&self) -> TestCaller {
        self.keys(ADMIN_KEY, &TestIam::secret_of(ADMIN_KEY), None)
    }

    /// A user without any policy.
    pub fn stranger(&self) -> TestCaller {
        self.keys(STRANGER_KEY, &TestIam::secret_of(STRANGER_KEY), None)
    }

    /// Somebody without keys.
    pub fn anonymous(&self) -> TestCaller {
        TestCaller::new(self.shared.clone(), None)
    }

    /// A further user, with these policies. `name` is up to 16 letters and digits.
    pub fn user(&self, name: &str, policies: &[&str]) -> TestCaller {
        let key = format!("AKIA{:0<16}", name.to_ascii_uppercase());
        self.iam.put_user(&key, policies);
        self.keys(&key, &TestIam::secret_of(&key), None)
    }

    /// Whoever has these keys.
    pub fn keys(&self, access_key_id: &str, secret: &str, session_token: Option<&str>) -> TestCaller {
        let keys = (access_key_id.to_owned(), secret.to_owned(), session_token.map(str::to_owned));
        TestCaller::new(self.shared.clone(), Some(keys))
    }

    /// The services under test.
    pub fn services(&self) -> &[Arc<dyn Hosted>] {
        &self.hosted
    }

    /// Every row of the store but audit records and attempt counters: what a refused call must leave as it was.
    pub async fn rows(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        const MAY_CHANGE: [&str; 4] = ["audit", "audit-chain", "attempts", "unknown-attempts"];
        let may_change: Vec<_> =
            MAY_CHANGE.map(|name| homeport_store::Key::of(name).as_bytes().to_vec()).into();
        let mut rows = Vec::new();
        let mut after: Option<Vec<u8>> = None;
        loop {
            let from = &after;
            let page = self
                .parts
                .store
                .read(|tx| async move {
                    let range = from.iter().fold(Range::all(), |range, key| range.after(key));
                    tx.scan(range, Direction::Forward, 1_000).await
                })
                .await
                .expect("the testkit's store reads");
            after = page.rows.last().map(|row| row.key.to_vec());
            let kept = page.rows.iter().filter(|row| !may_change.iter().any(|p| row.key.starts_with(p)));
            rows.extend(kept.map(|row| (row.key.to_vec(), row.value.to_vec())));
            if !page.more {
                return rows;
            }
        }
    }
}

/// The needs as the pipeline sees them: the test's users beside whatever the services brought.
fn needs_with(inner: &Needs, iam: &Arc<TestIam>) -> Needs {
    let outer = Needs::default();
    outer.identify_users.set(iam.clone()).ok();
    outer.policies_of.set(iam.clone()).ok();
    if let Some(sessions) = inner.identify_sessions.get() {
        outer.identify_sessions.set(sessions.clone()).ok();
    }
    if let Some(policies) = inner.resource_policies.get() {
        outer.resource_policies.set(policies.clone()).ok();
    }
    if let Some(cors) = inner.bucket_cors.get() {
        outer.bucket_cors.set(cors.clone()).ok();
    }
    if let Some(verify) = inner.verify_token.get() {
        outer.verify_token.set(verify.clone()).ok();
    }
    outer
}

/// The program's own pages, of which the tests of services have none.
struct Nothing;

impl Plane for Nothing {
    fn claims(&self, _: &http::request::Parts, _: &str) -> bool {
        false
    }

    fn handle<'a>(&'a self, _: http::request::Parts, _: Body, _: Peer) -> BoxFuture<'a, Response<Body>> {
        Box::pin(async {
            let mut response = Response::new(empty());
            *response.status_mut() = http::StatusCode::NOT_FOUND;
            response
        })
    }
}
