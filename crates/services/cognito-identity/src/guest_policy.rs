use std::sync::{Arc, OnceLock};

use homeport_policy::{Policy, PolicyKind};

/// What a guest's session may reach at most, whatever its role says (AWS: "Services that unauthenticated
/// identities can access", the enhanced flow's scope-down policy). Administration is never among it.
const REACHABLE: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*", "Action": [
    "cloudwatch:PutMetricData", "cognito-identity:*", "cognito-sync:*", "dynamodb:*", "execute-api:Invoke",
    "firehose:*", "iot:*", "kinesis:*", "lambda:InvokeFunction", "logs:*", "mobileanalytics:PutEvents",
    "mobiletargeting:*", "s3:*", "sns:*", "sqs:*", "xray:Put*"]}]}"#;

/// The session policy of guests.
pub(crate) fn policies() -> Vec<Arc<Policy>> {
    static POLICY: OnceLock<Option<Arc<Policy>>> = OnceLock::new();
    let parse =
        || Policy::parse(REACHABLE, PolicyKind::Session).ok().map(|policy| Arc::new(policy.named("guests")));
    POLICY.get_or_init(parse).iter().cloned().collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_guests_policy_parses() {
        assert_eq!(super::policies().len(), 1);
    }
}
