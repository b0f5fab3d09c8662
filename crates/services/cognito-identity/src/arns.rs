use homeport_core::{Arn, Scope};

/// `arn:aws:cognito-identity:REGION:ACCOUNT:identitypool/POOL`
pub(crate) fn pool(scope: &Scope, pool_id: &str) -> Arn {
    scope.arn("cognito-identity", &format!("identitypool/{pool_id}"))
}

/// The pool that a `ResourceArn` names.
pub(crate) fn pool_of(resource_arn: &str) -> Option<String> {
    let arn = Arn::parse(resource_arn).ok()?;
    let named =
        (arn.service() == "cognito-identity").then(|| arn.resource().strip_prefix("identitypool/"))?;
    named.map(str::to_owned)
}
