//! What one API may hold (quotas of the API Gateway developer guide, where it states one).

/// Resources of an API.
pub const MAX_RESOURCES: usize = 300;
/// Stages of an API.
pub const MAX_STAGES: usize = 10;
/// Authorizers of an API.
pub const MAX_AUTHORIZERS: usize = 10;
/// Deployments kept of an API.
pub const MAX_DEPLOYMENTS: usize = 200;
/// APIs of an account and region.
pub const MAX_APIS: usize = 600;
/// Variables of a stage.
pub const MAX_STAGE_VARIABLES: usize = 100;
/// Characters of a stage variable's value.
pub const MAX_STAGE_VARIABLE: usize = 512;
/// Per-method settings of a stage.
pub const MAX_METHOD_SETTINGS: usize = 600;
/// Tags of an API or stage.
pub const MAX_TAGS: usize = 50;
/// Operations in one patch.
pub const MAX_PATCH_OPERATIONS: usize = 200;
/// Bytes of an API's resource policy.
pub const MAX_POLICY: usize = 8_192;
/// Characters of an access log's format.
pub const MAX_LOG_FORMAT: usize = 3_072;
/// Requests per second of the account and region, over all APIs and stages.
pub const ACCOUNT_RATE: f64 = 10_000.0;
/// Burst of the account and region.
pub const ACCOUNT_BURST: f64 = 5_000.0;
/// Bytes of a request's or an answer's body.
pub const MAX_PAYLOAD: usize = 10 * 1024 * 1024;
/// Milliseconds an integration may take, unless its own time is shorter.
pub const INTEGRATION_TIMEOUT_MS: i64 = 29_000;
/// Seconds that an authorizer's result is kept, where it says nothing.
pub const AUTHORIZER_TTL: i64 = 300;
/// Bytes of a method's ARN that an authorizer is asked for.
pub const MAX_METHOD_ARN: usize = 1_600;
/// Verified tokens and authorizers' results kept in memory.
pub const MAX_CACHED_RESULTS: usize = 65_536;
