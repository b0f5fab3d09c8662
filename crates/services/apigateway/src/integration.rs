//! What an integration may be: checked when it is put, so that a deployment holds nothing that cannot run.

use crate::GatewayError;
use crate::limits::INTEGRATION_TIMEOUT_MS;
use crate::mapping::Expression;
use crate::method::{Integration, IntegrationResponse, IntegrationType};

/// Checks a whole integration.
pub(crate) fn check(integration: &Integration) -> Result<(), GatewayError> {
    if !(50..=INTEGRATION_TIMEOUT_MS).contains(&integration.timeout_in_millis) {
        return Err(GatewayError::invalid("Timeout should be between 50 ms and 29000 ms"));
    }
    if !matches!(integration.passthrough_behavior.as_str(), "WHEN_NO_MATCH" | "WHEN_NO_TEMPLATES" | "NEVER") {
        return Err(GatewayError::invalid("Invalid passthrough behavior specified"));
    }
    if integration.connection_type.as_deref().is_some_and(|kind| kind != "INTERNET") {
        return Err(GatewayError::invalid("Only connections of type INTERNET are supported"));
    }
    check_uri(integration)?;
    for (to, from) in &integration.request_parameters {
        let known = ["header.", "path.", "querystring."].iter();
        let target = to.strip_prefix("integration.request.");
        if !target.is_some_and(|target| known.clone().any(|place| target.starts_with(place)))
            || Expression::parse(from).is_none()
        {
            return Err(invalid_mapping(if target.is_some() { from } else { to }));
        }
    }
    integration.request_templates.values().try_for_each(|template| check_template(template))?;
    integration.integration_responses.values().try_for_each(check_response)
}

fn invalid_mapping(expression: &str) -> GatewayError {
    GatewayError::invalid(format!(
        "Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression specified: {expression}]"
    ))
}

fn check_uri(integration: &Integration) -> Result<(), GatewayError> {
    let uri = integration.uri.as_deref().unwrap_or_default();
    match integration.kind {
        IntegrationType::Mock => Ok(()),
        IntegrationType::AwsProxy if function_arn(uri).is_some() => Ok(()),
        IntegrationType::AwsProxy => Err(GatewayError::invalid(
            "AWS ARN for integration must contain path or action, and must name a Lambda function",
        )),
        IntegrationType::HttpProxy => {
            let host = uri.strip_prefix("http://").or_else(|| uri.strip_prefix("https://"));
            let plain = uri.bytes().all(|b| b.is_ascii_graphic());
            match host {
                Some(host) if plain && !host.is_empty() && !host.starts_with('/') && is_owners(host) => {
                    Ok(())
                }
                _ => Err(GatewayError::invalid("Invalid HTTP endpoint specified for URI")),
            }
        }
    }
}

/// Whether the host is the owner's choice: stage variables may be in it, parameters of the client's may not, since
/// requests to it go out as the owner's (security decision 25).
fn is_owners(behind_scheme: &str) -> bool {
    let host = behind_scheme.split(['/', '?', '#']).next().unwrap_or_default();
    let own = host.replace("${stageVariables.", "");
    !own.contains('{')
}

/// The function in `arn:aws:apigateway:REGION:lambda:path/2015-03-31/functions/FUNCTION-ARN/invocations`.
pub(crate) fn function_arn(uri: &str) -> Option<&str> {
    let (before, rest) = uri.split_once("/functions/")?;
    let mut parts = before.split(':');
    let gateway = [parts.next()?, parts.next()?, parts.next()?];
    let (_region, service, path) = (parts.next()?, parts.next()?, parts.next()?);
    let formed = gateway == ["arn", "aws", "apigateway"] && service == "lambda" && path == "path/2015-03-31";
    rest.strip_suffix("/invocations").filter(|arn| formed && arn.starts_with("arn:aws:lambda:"))
}

/// Checks an answer of an integration.
pub(crate) fn check_response(response: &IntegrationResponse) -> Result<(), GatewayError> {
    for (to, from) in &response.response_parameters {
        if !to.starts_with("method.response.header.") {
            return Err(invalid_mapping(to));
        }
        let known = Expression::parse(from).is_some() || from.starts_with("integration.response.");
        if !known {
            return Err(invalid_mapping(from));
        }
    }
    if let Some(pattern) = response.selection_pattern.as_deref() {
        regex::RegexBuilder::new(pattern)
            .size_limit(1 << 20)
            .build()
            .map_err(|_| GatewayError::invalid("Invalid selection pattern specified"))?;
    }
    response.response_templates.values().try_for_each(|template| check_template(template))
}

/// Templates are taken as they stand: one with directives or references is refused, not ignored.
fn check_template(template: &str) -> Result<(), GatewayError> {
    let begins_something = |at: usize| {
        let next = template[at + 1..].chars().next();
        next.is_some_and(|c| c.is_ascii_alphabetic() || matches!(c, '{' | '!' | '#' | '*'))
    };
    let vtl = template.char_indices().any(|(at, c)| matches!(c, '$' | '#') && begins_something(at));
    if vtl {
        return Err(GatewayError::invalid(
            "Templates with Velocity directives or references are not supported",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_an_endpoint_is_its_owners() {
        for own in
            ["api.example.com/{proxy}", "${stageVariables.host}:8080/x", "10.0.0.1", "[::1]:80/a?b={c}"]
        {
            assert!(is_owners(own), "{own}");
        }
        for clients in ["{host}/x", "api.{host}", "${stageVariables.a}{host}:80/"] {
            assert!(!is_owners(clients), "{clients}");
        }
    }

    #[test]
    fn the_function_is_read_out_of_the_uri() {
        let arn = "arn:aws:lambda:us-east-1:123456789012:function:notes:live";
        let uri = |arn: &str| {
            format!("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations")
        };
        assert_eq!(function_arn(&uri(arn)), Some(arn));
        assert_eq!(function_arn(&uri("arn:aws:sns:us-east-1:1:x")), None);
        assert_eq!(function_arn(arn), None);
    }

    #[test]
    fn a_template_that_would_have_to_run_is_refused() {
        assert!(check_template("{\"statusCode\": 200}").is_ok());
        assert!(check_template("price: 5$, #1").is_ok());
        for template in ["$input.body", "#set($a = 1)", "${stageVariables.x}", "## comment"] {
            assert!(check_template(template).is_err(), "{template}");
        }
    }
}
