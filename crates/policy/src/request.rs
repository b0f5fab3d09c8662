use crate::{Context, PrincipalView};

/// One action on one resource by one principal: what a policy is asked about.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Who asks.
    pub principal: &'a PrincipalView<'a>,
    /// The action with its service, such as `dynamodb:GetItem`; compared without regard to case.
    pub action: &'a str,
    /// The ARN asked for; `*` for actions that have no resource.
    pub resource: &'a str,
    /// The condition keys.
    pub context: &'a Context,
}
