//! Stages as they are served: compiled once from a deployment, kept until any stage changes.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use homeport_core::Timestamp;
use homeport_policy::{Policy, PolicyKind};
use homeport_service::{SharedBucket, SharedRates};
use homeport_store::{Changes, Store, StoreError, Tx};
use regex::{Regex, RegexBuilder};

use super::access_log::Format;
use super::mock::Mock;
use super::router::Router;
use crate::limits::{ACCOUNT_BURST, ACCOUNT_RATE};
use crate::method::{Integration, IntegrationType, Method};
use crate::records::{
    APIS, Authorizer, AuthorizerType, DEPLOYMENTS, Deployment, Home, MethodSetting, STAGES, Stage,
};

/// A stage, ready to be called.
pub(super) struct Served {
    pub(super) home: Home,
    pub(super) stage: String,
    pub(super) deployment_id: String,
    pub(super) variables: BTreeMap<String, String>,
    pub(super) router: Router,
    pub(super) resources: Vec<ServedResource>,
    /// The resource policy of the deployment.
    pub(super) policy: Option<Arc<Policy>>,
    pub(super) binary: Vec<String>,
    /// Whether the default endpoint is closed.
    pub(super) disabled: bool,
    pub(super) log: Option<LogTo>,
    /// What counts as one with every stage's calls of the account and region.
    pub(super) account_bucket: Arc<SharedBucket>,
    /// Results of authorizers hold for as long as this number.
    pub(super) flushes: u64,
}

/// Where and how calls are logged.
pub(super) struct LogTo {
    pub(super) group: String,
    pub(super) format: Format,
}

/// A resource with its methods.
pub(super) struct ServedResource {
    pub(super) id: String,
    pub(super) path: String,
    pub(super) methods: BTreeMap<String, ServedMethod>,
}

/// A method, ready to be called.
pub(super) struct ServedMethod {
    pub(super) method: Method,
    pub(super) integration: Integration,
    /// What answers if it is a mock.
    pub(super) mock: Option<Mock>,
    pub(super) gate: Gate,
    pub(super) bucket: Option<Arc<SharedBucket>>,
}

/// What `ANY` stands for.
const VERBS: [&str; 7] = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

/// Who decides whether a call may pass.
pub(super) enum Gate {
    /// Nobody.
    Open,
    /// IAM.
    Iam,
    /// A user pool's token.
    Cognito(Arc<ServedAuthorizer>),
    /// A function.
    Function(Arc<ServedAuthorizer>),
    /// The deployment names an authorizer that it does not hold.
    Broken,
}

/// An authorizer with its regex compiled.
pub(super) struct ServedAuthorizer {
    pub(super) authorizer: Authorizer,
    pub(super) expression: Option<Regex>,
    /// The name of the header that holds the token, in lower case; empty for `REQUEST`.
    pub(super) header: String,
}

impl Served {
    /// The method that answers an HTTP method on a resource. Others than AWS's seven, such as `delete`, are answered by
    /// none: they would pass a policy that denies `DELETE`, and many a function takes them for it.
    pub(super) fn method(&self, resource: usize, verb: &str) -> Option<&ServedMethod> {
        let methods = &self.resources.get(resource)?.methods;
        methods.get(verb).or_else(|| methods.get("ANY").filter(|_| VERBS.contains(&verb)))
    }
}

/// The stages that were called since any stage changed.
pub(super) struct Stages {
    changes: Changes,
    known: RwLock<Known>,
    /// What calls are throttled by (API Gateway developer guide, "Throttle requests to your REST APIs"). Buckets
    /// outlive the compiled stages, so that a change of a stage fills none.
    rates: SharedRates,
}

#[derive(Default)]
struct Known {
    generation: u64,
    by_api: HashMap<String, HashMap<String, Arc<Served>>>,
}

impl Stages {
    /// Follows the stages of this store.
    pub(super) fn follow(store: &Store, rates: SharedRates) -> Self {
        Self { changes: store.changes(&STAGES.root()), known: RwLock::default(), rates }
    }

    /// The stage of this name; none if there is no such API or stage.
    pub(super) async fn get(
        &self,
        store: &Store,
        api: &str,
        stage: &str,
        now: Timestamp,
    ) -> Result<Option<Arc<Served>>, StoreError> {
        // Read before the store is: what is compiled from an older state is never kept as a newer one's.
        let generation = self.changes.current();
        {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            let served = known.by_api.get(api).and_then(|stages| stages.get(stage));
            if known.generation == generation
                && let Some(served) = served
            {
                return Ok(Some(served.clone()));
            }
        }
        let read = store.read(|tx| async move { read(&tx, api, stage).await }).await?;
        let Some((stage_record, deployment)) = read else { return Ok(None) };
        let served = Arc::new(self.compile(stage_record, deployment, now));
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.generation < generation {
            *known = Known { generation, by_api: HashMap::new() };
        }
        if known.generation == generation {
            known.by_api.entry(api.to_owned()).or_default().insert(stage.to_owned(), served.clone());
        }
        Ok(Some(served))
    }

    fn compile(&self, stage: Stage, deployment: Deployment, now: Timestamp) -> Served {
        let snapshot = deployment.snapshot;
        let authorizers: HashMap<String, Arc<ServedAuthorizer>> = snapshot
            .authorizers
            .into_iter()
            .map(|authorizer| (authorizer.id.clone(), Arc::new(compile_authorizer(authorizer))))
            .collect();
        let mut router = Router::default();
        let mut resources = Vec::new();
        for resource in snapshot.resources {
            router.add(&resource.path, resources.len());
            let methods = resource.methods.into_iter().map(|(verb, method)| {
                let bucket = self.bucket(&stage, &resource.path, &verb, now);
                let gate = gate(&method, &authorizers);
                let integration = method.method_integration.clone().unwrap_or_default();
                let mock = (integration.kind == IntegrationType::Mock).then(|| Mock::compile(&integration));
                (verb, ServedMethod { method, integration, mock, gate, bucket })
            });
            let methods = methods.collect();
            resources.push(ServedResource { id: resource.id, path: resource.path, methods });
        }
        let account_bucket = self.rates.bucket(stage.home.region.as_str(), ACCOUNT_RATE, ACCOUNT_BURST, now);
        let log = stage.access_log_settings.filter(|log| !log.format.is_empty()).map(|log| LogTo {
            group: log.destination_arn.rsplit("log-group:").next().unwrap_or_default().to_owned(),
            format: Format::compile(&log.format),
        });
        let policy = snapshot.policy.and_then(|text| Policy::parse(&text, PolicyKind::Resource).ok());
        Served {
            stage: stage.stage_name,
            deployment_id: stage.deployment_id,
            variables: stage.variables,
            router,
            resources,
            policy: policy.map(Arc::new),
            binary: snapshot.binary_media_types,
            disabled: snapshot.disable_execute_api_endpoint,
            log,
            account_bucket,
            flushes: stage.authorizer_flushes,
            home: stage.home,
        }
    }

    /// The bucket of a method, if the stage limits it by itself or by `*/*`.
    fn bucket(&self, stage: &Stage, path: &str, verb: &str, now: Timestamp) -> Option<Arc<SharedBucket>> {
        let setting = setting(&stage.method_settings, path, verb)?;
        if setting.throttling_rate_limit < 0.0 && setting.throttling_burst_limit < 0 {
            return None;
        }
        let rate =
            if setting.throttling_rate_limit < 0.0 { ACCOUNT_RATE } else { setting.throttling_rate_limit };
        #[expect(
            clippy::cast_precision_loss,
            reason = "no burst is so large that a double could not count it"
        )]
        let burst = match setting.throttling_burst_limit {
            limit if limit < 0 => ACCOUNT_BURST,
            limit => limit as f64,
        };
        let name = format!("{}/{}/{verb}{path}", stage.home.api, stage.stage_name);
        Some(self.rates.bucket(&name, rate, burst, now))
    }
}

async fn read(tx: &Tx, api: &str, stage: &str) -> Result<Option<(Stage, Deployment)>, StoreError> {
    let Some(api) = APIS.by(tx, "id", api).await? else { return Ok(None) };
    let Some(stage) = STAGES.get(tx, api.home.key().str(stage)).await? else { return Ok(None) };
    let deployment = DEPLOYMENTS.get(tx, api.home.key().str(&stage.deployment_id)).await?;
    Ok(deployment.map(|deployment| (stage, deployment)))
}

/// The settings of a method: its own before those of all.
fn setting<'s>(
    settings: &'s BTreeMap<String, MethodSetting>,
    path: &str,
    verb: &str,
) -> Option<&'s MethodSetting> {
    let own = settings.iter().find(|(key, _)| {
        let Some((resource, method)) = key.rsplit_once('/') else { return false };
        let resource = resource.replace("~1", "/");
        method == verb && resource.trim_start_matches('/') == path.trim_start_matches('/')
    });
    own.map(|(_, setting)| setting).or_else(|| settings.get("*/*"))
}

fn compile_authorizer(authorizer: Authorizer) -> ServedAuthorizer {
    let expression = authorizer.identity_validation_expression.as_deref();
    let compile =
        |text: &str| RegexBuilder::new(&format!(r"\A(?:{text})\z")).size_limit(1 << 20).build().ok();
    let source = authorizer.identity_source.as_deref().unwrap_or_default();
    let header = match authorizer.kind {
        AuthorizerType::Request => String::new(),
        _ => source.strip_prefix("method.request.header.").unwrap_or("authorization").to_ascii_lowercase(),
    };
    ServedAuthorizer { expression: expression.and_then(compile), header, authorizer }
}

fn gate(method: &Method, authorizers: &HashMap<String, Arc<ServedAuthorizer>>) -> Gate {
    let authorizer = || method.authorizer_id.as_ref().and_then(|id| authorizers.get(id)).cloned();
    match method.authorization_type.as_str() {
        "NONE" => Gate::Open,
        "AWS_IAM" => Gate::Iam,
        "COGNITO_USER_POOLS" => authorizer().map_or(Gate::Broken, Gate::Cognito),
        "CUSTOM" => authorizer().map_or(Gate::Broken, Gate::Function),
        _ => Gate::Broken,
    }
}

#[cfg(test)]
mod tests {
    use homeport_core::{Account, ManualClock, Region, SeededRandomness, SharedClock};
    use homeport_service::Telling;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_methods_own_setting_comes_before_that_of_all() {
        let with_rate = |rate: f64| MethodSetting { throttling_rate_limit: rate, ..MethodSetting::default() };
        let settings: BTreeMap<String, MethodSetting> = [
            ("*/*".to_owned(), with_rate(1.0)),
            ("~1notes~1{id}/GET".to_owned(), with_rate(2.0)),
            ("plain/POST".to_owned(), with_rate(3.0)),
        ]
        .into();
        let rate = |path: &str, verb: &str| setting(&settings, path, verb).unwrap().throttling_rate_limit;
        assert_eq!(rate("/notes/{id}", "GET"), 2.0);
        assert_eq!(rate("/notes/{id}", "PUT"), 1.0);
        assert_eq!(rate("/plain", "POST"), 3.0);
        assert_eq!(rate("/", "GET"), 1.0);
    }

    /// The plane's stages on one node.
    fn node(store: &Store, seed: u64) -> (Stages, Telling) {
        let rates = SharedRates::default();
        let clock: SharedClock = Arc::new(ManualClock::at(Timestamp::from_seconds(1)));
        let telling = Telling::new(&rates, "apigateway", store, &clock, &SeededRandomness::new(seed));
        (Stages::follow(store, rates), telling)
    }

    #[tokio::test]
    async fn what_one_node_lets_through_counts_on_the_other() {
        let store = Store::testkit(3);
        let ((one, mut tells), (other, mut hears)) = (node(&store, 1), node(&store, 2));
        let home = Home {
            account: Account::from_number(1),
            region: Region::parse("us-east-1").unwrap(),
            api: "a123456789".to_owned(),
        };
        let settings = json!({"*/*": {"throttlingRateLimit": 1.0, "throttlingBurstLimit": 3}});
        let stage: Stage =
            serde_json::from_value(json!({"home": home, "stageName": "prod", "deploymentId": "d",
            "createdDate": 0, "lastUpdatedDate": 0, "methodSettings": settings, "cacheClusterEnabled": false,
            "cacheClusterStatus": "NOT_AVAILABLE", "variables": {}, "tracingEnabled": false}))
            .unwrap();
        let now = Timestamp::from_seconds(1);
        let passed = |stages: &Stages, calls: usize| {
            let bucket = stages.bucket(&stage, "/notes", "GET", now).unwrap();
            (0..calls).filter(|_| bucket.take(now)).count()
        };
        assert_eq!(passed(&other, 0), 0);
        hears.exchange().await.unwrap();
        assert_eq!(passed(&one, 2), 2);
        tells.exchange().await.unwrap();
        hears.exchange().await.unwrap();
        assert_eq!(passed(&other, 5), 1);
    }
}
