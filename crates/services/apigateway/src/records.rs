//! What is kept, and under which keys: everything begins with account and region, then the API's id.

use std::collections::BTreeMap;

use homeport_core::{Account, Region, Scope};
use homeport_store::{Collection, Index, KeyParts, Record, StoreError, Tx};
use serde::{Deserialize, Serialize};

use crate::GatewayError;
use crate::method::Method;

/// All APIs.
pub(crate) const APIS: Collection<Api> = Collection::new();
/// All resources, with their methods.
pub(crate) const RESOURCES: Collection<Resource> = Collection::new();
/// All authorizers.
pub(crate) const AUTHORIZERS: Collection<Authorizer> = Collection::new();
/// All deployments: what was, when it was deployed.
pub(crate) const DEPLOYMENTS: Collection<Deployment> = Collection::new();
/// All stages.
pub(crate) const STAGES: Collection<Stage> = Collection::new();

/// Where something lies: account, region, API.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Home {
    /// The account.
    pub(crate) account: Account,
    /// The region.
    pub(crate) region: Region,
    /// The API's id, 10 characters.
    pub(crate) api: String,
}

impl Home {
    /// The home of an API's parts.
    pub(crate) fn new(scope: &Scope, api: &str) -> Self {
        Self { account: scope.account, region: scope.region.clone(), api: api.to_owned() }
    }

    /// The key of the API, which those of its parts begin with.
    pub(crate) fn key(&self) -> KeyParts {
        of_scope(self.account, &self.region).str(&self.api)
    }

    /// The API's ARN of the data plane, without stage: `arn:aws:execute-api:REGION:ACCOUNT:API`.
    pub(crate) fn execute_arn(&self) -> String {
        format!("arn:aws:execute-api:{}:{}:{}", self.region, self.account, self.api)
    }
}

/// The key that those of all APIs of an account and region begin with.
pub(crate) fn of_scope(account: Account, region: &Region) -> KeyParts {
    KeyParts::new().u64(account.number()).str(region.as_str())
}

/// A REST API (`RestApi` of the API reference).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Api {
    /// Where it lies.
    pub(crate) home: Home,
    /// 10 characters.
    pub(crate) id: String,
    /// Need not be unique.
    pub(crate) name: String,
    /// A text for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    /// A version for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<String>,
    /// Seconds since 1970.
    pub(crate) created_date: i64,
    /// `HEADER` or `AUTHORIZER`.
    pub(crate) api_key_source: String,
    /// `EDGE`, `REGIONAL` or `PRIVATE`; all are served alike.
    pub(crate) endpoint_configuration: EndpointConfiguration,
    /// The resource policy, as it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) policy: Option<String>,
    /// Tags.
    #[serde(default)]
    pub(crate) tags: BTreeMap<String, String>,
    /// Content types that are bytes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) binary_media_types: Vec<String>,
    /// Whether the API is reached by custom domains only.
    pub(crate) disable_execute_api_endpoint: bool,
    /// The resource `/`.
    pub(crate) root_resource_id: String,
}

/// Where an API's endpoint would be.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EndpointConfiguration {
    /// `EDGE`, `REGIONAL` or `PRIVATE`.
    #[serde(default)]
    pub(crate) types: Vec<String>,
    /// Of private APIs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) vpc_endpoint_ids: Vec<String>,
}

impl Record for Api {
    const COLLECTION: &'static str = "apigateway-apis";
    const VERSION: u16 = 1;

    fn key(&self) -> KeyParts {
        self.home.key()
    }

    fn indexes() -> &'static [Index<Self>] {
        // The data plane knows an API by its id alone.
        &[Index { name: "id", unique: true, key: |api| vec![KeyParts::from(api.id.as_str())] }]
    }
}

/// A path of an API, with its methods.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Resource {
    /// Whose it is.
    pub(crate) home: Home,
    /// 6 characters; 10 for `/`.
    pub(crate) id: String,
    /// None for `/`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) parent_id: Option<String>,
    /// The last part of the path; none for `/`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) path_part: Option<String>,
    /// The whole path.
    pub(crate) path: String,
    /// By HTTP method.
    #[serde(default)]
    pub(crate) methods: BTreeMap<String, Method>,
}

impl Record for Resource {
    const COLLECTION: &'static str = "apigateway-resources";
    const VERSION: u16 = 1;

    fn key(&self) -> KeyParts {
        self.home.key().str(&self.id)
    }
}

/// Who decides whether a call may pass (`Authorizer` of the API reference).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Authorizer {
    /// Whose it is.
    pub(crate) home: Home,
    /// 6 characters.
    pub(crate) id: String,
    /// Unique in the API.
    pub(crate) name: String,
    /// `TOKEN` or `COGNITO_USER_POOLS`.
    #[serde(rename = "type")]
    pub(crate) kind: AuthorizerType,
    /// ARNs of user pools.
    #[serde(rename = "providerARNs", default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) provider_arns: Vec<String>,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) auth_type: Option<String>,
    /// The function, as `arn:aws:apigateway:REGION:lambda:path/…/functions/ARN/invocations`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) authorizer_uri: Option<String>,
    /// `method.request.header.NAME`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) identity_source: Option<String>,
    /// A regex that the token (of `COGNITO_USER_POOLS`: its audience) matches first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) identity_validation_expression: Option<String>,
    /// How long a result is kept; 0 to 3,600, by default 300.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) authorizer_result_ttl_in_seconds: Option<i64>,
}

/// The kinds of authorizer that are built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum AuthorizerType {
    /// A function that judges a token.
    #[serde(rename = "TOKEN")]
    Token,
    /// A function that judges a whole request.
    #[serde(rename = "REQUEST")]
    Request,
    /// User pools' tokens.
    #[serde(rename = "COGNITO_USER_POOLS")]
    CognitoUserPools,
}

impl Record for Authorizer {
    const COLLECTION: &'static str = "apigateway-authorizers";
    const VERSION: u16 = 1;

    fn key(&self) -> KeyParts {
        self.home.key().str(&self.id)
    }
}

/// An API as it was when it was deployed. It never changes but for its description.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Deployment {
    /// Whose it is.
    pub(crate) home: Home,
    /// 6 characters.
    pub(crate) id: String,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    /// Seconds since 1970.
    pub(crate) created_date: i64,
    /// What was deployed.
    pub(crate) snapshot: Snapshot,
}

/// What a deployment holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Snapshot {
    /// The resource policy.
    pub(crate) policy: Option<String>,
    /// Content types that are bytes.
    pub(crate) binary_media_types: Vec<String>,
    /// Whether the default endpoint is closed.
    pub(crate) disable_execute_api_endpoint: bool,
    /// The resources with methods.
    pub(crate) resources: Vec<SnapshotResource>,
    /// The authorizers.
    pub(crate) authorizers: Vec<Authorizer>,
}

/// A resource of a deployment.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SnapshotResource {
    /// The resource's id.
    pub(crate) id: String,
    /// The whole path.
    pub(crate) path: String,
    /// By HTTP method.
    pub(crate) methods: BTreeMap<String, Method>,
}

impl Record for Deployment {
    const COLLECTION: &'static str = "apigateway-deployments";
    const VERSION: u16 = 1;

    fn key(&self) -> KeyParts {
        self.home.key().str(&self.id)
    }
}

/// A name under which a deployment is served, with its settings (`Stage` of the API reference).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Stage {
    /// Whose it is.
    pub(crate) home: Home,
    /// 1 to 128 of `A-Za-z0-9_-`, or `$default` never.
    pub(crate) stage_name: String,
    /// What it serves.
    pub(crate) deployment_id: String,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    /// Seconds since 1970.
    pub(crate) created_date: i64,
    /// Seconds since 1970.
    pub(crate) last_updated_date: i64,
    /// Stage variables.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) variables: BTreeMap<String, String>,
    /// By `RESOURCE-PATH/METHOD` (`~1` for a slash) or `*/*`.
    #[serde(default)]
    pub(crate) method_settings: BTreeMap<String, MethodSetting>,
    /// Where calls are logged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) access_log_settings: Option<AccessLogSettings>,
    /// Whether traces are asked for.
    pub(crate) tracing_enabled: bool,
    /// Always false: answers are not cached.
    pub(crate) cache_cluster_enabled: bool,
    /// Always `NOT_AVAILABLE`.
    pub(crate) cache_cluster_status: String,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) documentation_version: Option<String>,
    /// Tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) tags: BTreeMap<String, String>,
    /// How often authorizers' results were flushed: what was decided before the last time is forgotten.
    #[serde(default)]
    pub(crate) authorizer_flushes: u64,
}

/// Settings of one method, or of all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct MethodSetting {
    /// Whether metrics are asked for.
    pub(crate) metrics_enabled: bool,
    /// `OFF`, `ERROR` or `INFO`.
    pub(crate) logging_level: String,
    /// Whether whole requests are asked to be logged.
    pub(crate) data_trace_enabled: bool,
    /// Requests in a burst; -1: no limit of its own.
    pub(crate) throttling_burst_limit: i64,
    /// Requests per second; -1: no limit of its own.
    pub(crate) throttling_rate_limit: f64,
    /// Always false.
    pub(crate) caching_enabled: bool,
    /// Seconds.
    pub(crate) cache_ttl_in_seconds: i64,
    /// Always false.
    pub(crate) cache_data_encrypted: bool,
    /// Whether a client must be allowed to bypass the cache.
    pub(crate) require_authorization_for_cache_control: bool,
    /// What happens to one that is not.
    pub(crate) unauthorized_cache_control_header_strategy: String,
}

impl Default for MethodSetting {
    fn default() -> Self {
        Self {
            metrics_enabled: false,
            logging_level: "OFF".to_owned(),
            data_trace_enabled: false,
            throttling_burst_limit: -1,
            throttling_rate_limit: -1.0,
            caching_enabled: false,
            cache_ttl_in_seconds: 300,
            cache_data_encrypted: false,
            require_authorization_for_cache_control: true,
            unauthorized_cache_control_header_strategy: "SUCCEED_WITH_RESPONSE_HEADER".to_owned(),
        }
    }
}

/// Where and how calls are logged.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct AccessLogSettings {
    /// The ARN of a log group.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) destination_arn: String,
    /// A line with `$context` variables.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) format: String,
}

impl Record for Stage {
    const COLLECTION: &'static str = "apigateway-stages";
    const VERSION: u16 = 1;
    const WATCHED: bool = true;

    fn key(&self) -> KeyParts {
        self.home.key().str(&self.stage_name)
    }
}

/// The API of this id.
pub(crate) async fn api(tx: &Tx, home: &Home) -> Result<Api, GatewayError> {
    let missing = || GatewayError::NoSuchApi { account: home.account.to_string(), id: home.api.clone() };
    APIS.get(tx, home.key()).await?.ok_or_else(missing)
}

/// A resource of an API.
pub(crate) async fn resource(tx: &Tx, home: &Home, id: &str) -> Result<Resource, GatewayError> {
    api(tx, home).await?;
    RESOURCES.get(tx, home.key().str(id)).await?.ok_or(GatewayError::NoSuch("Resource"))
}

/// All of an API's records of one kind: never more than a page, as their number is bounded below one.
pub(crate) async fn all<R: Record>(
    tx: &Tx,
    collection: &Collection<R>,
    home: &Home,
) -> Result<Vec<R>, StoreError> {
    let mut records = Vec::new();
    let mut after = None;
    loop {
        let page = collection.page(tx, home.key(), after.as_deref(), homeport_store::MAX_PAGE_ROWS).await?;
        records.extend(page.records);
        match page.cursor {
            Some(cursor) => after = Some(cursor),
            None => return Ok(records),
        }
    }
}
