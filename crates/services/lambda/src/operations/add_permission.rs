use homeport_core::uuid_v4;
use homeport_service::{Asked, Cx, Effect, Operation, Permission, Permissions, bump_authorization};
use serde::{Deserialize, Serialize};

use crate::names::{Named, asked_arn};
use crate::policy::{self, resource};
use crate::records::{FUNCTIONS, Statement};
use crate::{Lambda, LambdaError, find};

/// `AddPermission` (Lambda API reference): lets a service, an account or a principal use the function.
pub(crate) struct AddPermission;

#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    function_name: String,
    qualifier: Option<String>,
    statement_id: String,
    action: String,
    principal: String,
    source_arn: Option<String>,
    source_account: Option<String>,
    revision_id: Option<String>,
    event_source_token: Option<String>,
    function_url_auth_type: Option<String>,
    #[serde(rename = "PrincipalOrgID")]
    principal_org_id: Option<String>,
    invoked_via_function_url: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    statement: String,
}

impl Operation for AddPermission {
    type Service = Lambda;
    type Input = Input;
    type Output = Output;
    type Error = LambdaError;

    const NAME: &'static str = "AddPermission";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, Lambda>, input: &Input) -> Permissions {
        let arn = asked_arn(asked.scope, &input.function_name, input.qualifier.as_deref());
        let permission =
            Permission::new("lambda:AddPermission", arn).with("lambda:Principal", [input.principal.clone()]);
        Permissions::All(vec![permission])
    }

    fn run(cx: Cx<Lambda>, input: Input) -> impl Future<Output = Result<Output, LambdaError>> + Send {
        async move {
            let named = Named::read(cx.scope(), &input.function_name, input.qualifier.as_deref())?;
            let statement = statement(&input)?;
            let revision = uuid_v4(&**cx.randomness());
            let name = named.name.clone();
            let qualifier = named.qualifier.clone().unwrap_or_default();
            let resource = &resource(cx.scope(), &name, &qualifier);
            let shown = statement.to_json(resource.as_str()).to_string();
            cx.write(|tx| {
                let (cx, input, named, revision) = (&cx, &input, &named, &revision);
                let (mut statement, qualifier) = (statement.clone(), qualifier.clone());
                async move {
                    let mut function = find::version(&tx, cx.scope(), named).await?.function;
                    if input.revision_id.as_ref().is_some_and(|id| *id != function.policy_revision) {
                        return Err(LambdaError::PreconditionFailed);
                    }
                    let statements = function.policies.entry(qualifier.clone()).or_default();
                    if statements.iter().any(|known| known.id == statement.id) {
                        return Err(LambdaError::StatementExists(statement.id));
                    }
                    let policies_of = cx.service.policies_of()?;
                    statement.principal_id =
                        policy::principal_id(policies_of, &tx, resource, &statement).await?;
                    statements.push(statement);
                    policy::parsed(cx.scope(), &function, &qualifier)?;
                    function.policy_revision.clone_from(revision);
                    FUNCTIONS.put(&tx, &function).await?;
                    Ok(bump_authorization(&tx)?)
                }
            })
            .await?;
            Ok(Output { statement: shown })
        }
    }
}

/// Refuses conditions that would be promised and not kept.
fn statement(input: &Input) -> Result<Statement, LambdaError> {
    let unbuilt = [
        ("EventSourceToken", input.event_source_token.is_some()),
        ("FunctionUrlAuthType", input.function_url_auth_type.is_some()),
        ("PrincipalOrgID", input.principal_org_id.is_some()),
        ("InvokedViaFunctionUrl", input.invoked_via_function_url.is_some()),
    ];
    if let Some((name, _)) = unbuilt.iter().find(|(_, asked)| *asked) {
        return Err(LambdaError::invalid(format!("{name} is not supported here.")));
    }
    Ok(Statement {
        id: input.statement_id.clone(),
        action: input.action.clone(),
        principal: input.principal.clone(),
        principal_id: None,
        source_arn: input.source_arn.clone(),
        source_account: input.source_account.clone(),
    })
}
