//! A resource's methods and what answers them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A method of a resource (`Method` of the API reference).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Method {
    /// `GET`, …, or `ANY`.
    pub(crate) http_method: String,
    /// `NONE`, `AWS_IAM`, `CUSTOM` or `COGNITO_USER_POOLS`.
    pub(crate) authorization_type: String,
    /// For `CUSTOM` and `COGNITO_USER_POOLS`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) authorizer_id: Option<String>,
    /// Scopes of which an access token needs one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) authorization_scopes: Vec<String>,
    /// Whether a call needs an API key that a usage plan knows.
    pub(crate) api_key_required: bool,
    /// A name for SDKs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) operation_name: Option<String>,
    /// Declared request parameters, and whether they are required.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) request_parameters: BTreeMap<String, bool>,
    /// Models by content type.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) request_models: BTreeMap<String, String>,
    /// Declared answers by status.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) method_responses: BTreeMap<String, MethodResponse>,
    /// What answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) method_integration: Option<Integration>,
}

/// An answer that a method declares.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct MethodResponse {
    /// Three digits.
    pub(crate) status_code: String,
    /// Headers it may have, and whether they are required.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) response_parameters: BTreeMap<String, bool>,
    /// Models by content type.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) response_models: BTreeMap<String, String>,
}

/// What answers a method.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Integration {
    /// Which kind.
    #[serde(rename = "type")]
    pub(crate) kind: IntegrationType,
    /// The method of the call to the backend.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) http_method: Option<String>,
    /// Where the backend is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) uri: Option<String>,
    /// `INTERNET`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) connection_type: Option<String>,
    /// What the backend's request takes from the method's.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) request_parameters: BTreeMap<String, String>,
    /// Templates by content type.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) request_templates: BTreeMap<String, String>,
    /// `WHEN_NO_MATCH`, `WHEN_NO_TEMPLATES` or `NEVER`.
    pub(crate) passthrough_behavior: String,
    /// 50 to 29,000.
    pub(crate) timeout_in_millis: i64,
    /// The namespace of cached answers; by default the resource's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cache_namespace: Option<String>,
    /// Parameters that tell cached answers apart.
    pub(crate) cache_key_parameters: Vec<String>,
    /// Answers by status.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) integration_responses: BTreeMap<String, IntegrationResponse>,
}

/// The kinds of integration that are built.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum IntegrationType {
    /// The gateway answers by itself.
    #[default]
    #[serde(rename = "MOCK")]
    Mock,
    /// A Lambda function, by its proxy event.
    #[serde(rename = "AWS_PROXY")]
    AwsProxy,
    /// Another HTTP server.
    #[serde(rename = "HTTP_PROXY")]
    HttpProxy,
}

/// How an integration's answer becomes the method's.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct IntegrationResponse {
    /// Three digits.
    pub(crate) status_code: String,
    /// A regex over the backend's status; none: the default answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) selection_pattern: Option<String>,
    /// `method.response.header.NAME` → `'static value'`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) response_parameters: BTreeMap<String, String>,
    /// Bodies by content type.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) response_templates: BTreeMap<String, String>,
}
