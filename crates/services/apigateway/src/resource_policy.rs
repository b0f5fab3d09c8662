//! Resource policies of APIs: `execute-api:/STAGE/METHOD/PATH` is short for the API's own ARN.

use std::sync::Arc;

use homeport_core::BoxFuture;
use homeport_policy::{Policy, PolicyKind};
use homeport_service::needs::ResourcePolicy;
use homeport_store::{StoreError, Tx};

use crate::limits::MAX_POLICY;
use crate::records::{APIS, Home};
use crate::{ApiGateway, GatewayError};

/// The policy as it is kept: checked, the short forms written out. AWS's clients send it as JSON, or as JSON within a
/// JSON string's escapes.
pub(crate) fn checked(text: &str, home: &Home) -> Result<String, GatewayError> {
    let invalid = || {
        GatewayError::invalid(
            "Invalid policy document. Please check the policy syntax and ensure that Principals are valid.",
        )
    };
    if text.len() > MAX_POLICY {
        return Err(GatewayError::invalid("The policy document is too large"));
    }
    let text =
        if text.trim_start().starts_with("{\\") { text.replace("\\\"", "\"") } else { text.to_owned() };
    let mut document = serde_json::from_str(&text).map_err(|_| invalid())?;
    write_out(&mut document, home);
    let whole = document.to_string();
    Policy::parse(&whole, PolicyKind::Resource).map_err(|_| invalid())?;
    Ok(whole)
}

fn write_out(document: &mut serde_json::Value, home: &Home) {
    let statements = match document.get_mut("Statement") {
        Some(serde_json::Value::Array(statements)) => statements.as_mut_slice(),
        Some(statement) => std::slice::from_mut(statement),
        None => return,
    };
    for statement in statements {
        for key in ["Resource", "NotResource"] {
            let resources = match statement.get_mut(key) {
                Some(serde_json::Value::Array(resources)) => resources.as_mut_slice(),
                Some(resource) => std::slice::from_mut(resource),
                None => continue,
            };
            for resource in resources {
                let short = resource.as_str().and_then(|text| text.strip_prefix("execute-api:/"));
                if let Some(rest) = short {
                    *resource = format!("{}/{rest}", home.execute_arn()).into();
                }
            }
        }
    }
}

impl ResourcePolicy for ApiGateway {
    /// Of `arn:aws:execute-api:REGION:ACCOUNT:API/…`: the policy of the API as it is now.
    fn resource_policy<'a>(
        &'a self,
        tx: &'a Tx,
        arn: &'a str,
    ) -> BoxFuture<'a, Result<Option<Arc<Policy>>, StoreError>> {
        Box::pin(async move {
            let id = arn.splitn(6, ':').nth(5).and_then(|rest| rest.split('/').next()).unwrap_or_default();
            let api = APIS.by(tx, "id", id).await?;
            let text = api.and_then(|api| api.policy);
            Ok(text.and_then(|text| Policy::parse(&text, PolicyKind::Resource).ok()).map(Arc::new))
        })
    }
}
