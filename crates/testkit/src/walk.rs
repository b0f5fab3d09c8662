use serde_json::Value;

use crate::handed_roles::assert_roles_are_passed;
use crate::{Reply, TestApp};

/// A call that succeeds as administrator once `before` was done.
pub struct Sample {
    /// The service, by its model's name.
    pub service: &'static str,
    /// The operation.
    pub operation: &'static str,
    /// Its input.
    pub input: Value,
    /// Calls that must have succeeded before: (service, operation, input).
    pub before: Vec<(&'static str, &'static str, Value)>,
    /// Whether AWS lets anybody call it: the walk then only proves that it is listed.
    pub public: bool,
    /// Whether AWS decides each item of the call for itself, and answers a success that lists the refused.
    pub per_item: bool,
}

impl Sample {
    /// A call that needs nothing before.
    pub fn new(service: &'static str, operation: &'static str, input: Value) -> Self {
        Self { service, operation, input, before: Vec::new(), public: false, per_item: false }
    }

    /// With a call of the same service before it.
    #[must_use]
    pub fn after(self, operation: &'static str, input: Value) -> Self {
        let service = self.service;
        self.after_other(service, operation, input)
    }

    /// With a call of another service before it.
    #[must_use]
    pub fn after_other(mut self, service: &'static str, operation: &'static str, input: Value) -> Self {
        self.before.push((service, operation, input));
        self
    }

    /// One that AWS lets anybody call (a sign-up, a token's holder).
    #[must_use]
    pub fn public(mut self) -> Self {
        self.public = true;
        self
    }

    /// One whose items are decided each for itself: refused are all of them then, within an answer.
    #[must_use]
    pub fn per_item(mut self) -> Self {
        self.per_item = true;
        self
    }
}

/// Proves for every operation of the hosted services that strangers are refused: each sample first succeeds as
/// administrator in an app of its own, and is then refused to an anonymous caller and to a stranger with the
/// access-denied code, with the store unchanged but for audit records and attempt counters. And that each role which
/// an operation hands over is asked for.
///
/// # Panics
/// When an operation has no sample, a sample fails as administrator, a stranger is let in or changes something, or a
/// role is handed over unasked.
pub async fn assert_strangers_are_refused(make: impl Fn() -> TestApp, samples: &[Sample]) {
    let listed = make();
    for hosted in listed.services() {
        for operation in hosted.operations() {
            let name = (hosted.spec().name, operation.name);
            let sampled = samples.iter().any(|sample| (sample.service, sample.operation) == name);
            assert!(sampled, "{}:{} has no sample for the refusal walk", name.0, name.1);
        }
    }
    for sample in samples.iter().filter(|sample| !sample.public) {
        prepared(&make, sample)
            .await
            .admin()
            .call(sample.service, sample.operation, sample.input.clone())
            .await
            .ok();
        refuse(&prepared(&make, sample).await, sample).await;
    }
    let prepared_for = async |sample: usize| prepared(&make, &samples[sample]).await;
    assert_roles_are_passed(listed.services(), samples, prepared_for).await;
}

async fn prepared(make: &impl Fn() -> TestApp, sample: &Sample) -> TestApp {
    let app = make();
    for (service, operation, input) in &sample.before {
        app.admin().call(service, operation, input.clone()).await.ok();
    }
    app
}

async fn refuse(app: &TestApp, sample: &Sample) {
    let (name, before) = (sample.operation, app.rows().await);
    let anonymous = app.anonymous().call(sample.service, name, sample.input.clone()).await;
    let known = ["MissingAuthenticationToken", "MissingAuthenticationTokenException", "AccessDenied"];
    assert!(
        known.contains(&code_of(sample, &anonymous).as_str()) || is_bare_refusal(&anonymous),
        "{name}, anonymous: {} {}",
        anonymous.status,
        anonymous.text()
    );
    let stranger = app.stranger().call(sample.service, name, sample.input.clone()).await;
    let denied = ["AccessDenied", "AccessDeniedException"];
    assert!(
        denied.contains(&code_of(sample, &stranger).as_str()) || is_bare_refusal(&stranger),
        "{name}, a stranger: {} {}",
        stranger.status,
        stranger.text()
    );
    let after = app.rows().await;
    assert!(before == after, "{name}: a refused call changed the store");
}

/// The code of the refusal: of the first item, where items are decided each for itself.
fn code_of(sample: &Sample, reply: &Reply) -> String {
    if sample.per_item && reply.status == 200 {
        let in_json = || reply.json()["Responses"][0]["Error"]["Code"].as_str().map(str::to_owned);
        return reply.element("Code").or_else(in_json).unwrap_or_default();
    }
    reply.code()
}

/// The answer to a HEAD request has no body to say its code in.
fn is_bare_refusal(reply: &Reply) -> bool {
    reply.status == 403 && reply.body.is_empty()
}
