use std::collections::BTreeMap;

use homeport_service::{Asked, Cx, Effect, Operation, Permission, Permissions};
use serde::{Deserialize, Serialize};

use crate::open_id::PROVIDER;
use crate::operations::pools::Nothing;
use crate::records::{POOLS, RoleMapping};
use crate::{CognitoIdentity, IdentityError, arns, find};

/// `SetIdentityPoolRoles` (Amazon Cognito Identity API reference). Each role must be passed. As on AWS, the roles' trust
/// policies are not looked at here, where there is no identity yet that their conditions could be asked of, but
/// whenever credentials are issued, with `aud` and `amr`.
pub(crate) struct SetIdentityPoolRoles;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    identity_pool_id: String,
    roles: BTreeMap<String, String>,
    #[serde(default)]
    role_mappings: BTreeMap<String, RoleMapping>,
}

impl Input {
    fn handed_roles(&self) -> impl Iterator<Item = &String> {
        let rules = self.role_mappings.values().filter_map(|mapping| mapping.rules_configuration.as_ref());
        self.roles.values().chain(rules.flat_map(|rules| rules.rules.iter().map(|rule| &rule.role_arn)))
    }

    fn check(&self) -> Result<(), IdentityError> {
        let invalid = |text: String| Err(IdentityError::InvalidParameter(text));
        if let Some(other) =
            self.roles.keys().find(|kind| !["authenticated", "unauthenticated"].contains(&kind.as_str()))
        {
            return invalid(format!("Invalid role type '{other}'."));
        }
        for mapping in self.role_mappings.values() {
            let rules = mapping.rules_configuration.is_some();
            if (mapping.r#type == "Rules") != rules {
                return invalid(
                    "Rules are needed for role mappings of type Rules, and only there.".to_owned(),
                );
            }
            if mapping.ambiguous_role_resolution.is_none() {
                return invalid("AmbiguousRoleResolution is needed for role mappings.".to_owned());
            }
        }
        Ok(())
    }
}

impl Operation for SetIdentityPoolRoles {
    type Service = CognitoIdentity;
    type Input = Input;
    type Output = Nothing;
    type Error = IdentityError;

    const NAME: &'static str = "SetIdentityPoolRoles";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, CognitoIdentity>, input: &Input) -> Permissions {
        let own = Permission::new(
            "cognito-identity:SetIdentityPoolRoles",
            arns::pool(asked.scope, &input.identity_pool_id),
        );
        let pass =
            |role: &String| Permission::new("iam:PassRole", role).with("iam:PassedToService", [PROVIDER]);
        Permissions::All(std::iter::once(own).chain(input.handed_roles().map(pass)).collect())
    }

    fn run(
        cx: Cx<CognitoIdentity>,
        input: Input,
    ) -> impl Future<Output = Result<Nothing, IdentityError>> + Send {
        async move {
            input.check()?;
            let input = &input;
            let id = find::named(cx.scope(), &input.identity_pool_id)?;
            cx.write(|tx| async move {
                let mut pool = find::pool(&tx, id).await?;
                pool.roles = input.roles.clone();
                pool.role_mappings = input.role_mappings.clone();
                POOLS.put(&tx, &pool).await?;
                Ok::<_, IdentityError>(())
            })
            .await?;
            Ok(Nothing {})
        }
    }
}

/// `GetIdentityPoolRoles` (Amazon Cognito Identity API reference).
pub(crate) struct GetIdentityPoolRoles;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GetInput {
    identity_pool_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GetOutput {
    identity_pool_id: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    roles: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    role_mappings: BTreeMap<String, RoleMapping>,
}

impl Operation for GetIdentityPoolRoles {
    type Service = CognitoIdentity;
    type Input = GetInput;
    type Output = GetOutput;
    type Error = IdentityError;

    const NAME: &'static str = "GetIdentityPoolRoles";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(asked: &Asked<'_, CognitoIdentity>, input: &GetInput) -> Permissions {
        Permissions::one(
            "cognito-identity:GetIdentityPoolRoles",
            arns::pool(asked.scope, &input.identity_pool_id),
        )
    }

    fn run(
        cx: Cx<CognitoIdentity>,
        input: GetInput,
    ) -> impl Future<Output = Result<GetOutput, IdentityError>> + Send {
        async move {
            let id = find::named(cx.scope(), &input.identity_pool_id)?;
            let pool = cx.read(|tx| async move { find::pool(&tx, id).await }).await?;
            Ok(GetOutput { identity_pool_id: pool.id, roles: pool.roles, role_mappings: pool.role_mappings })
        }
    }
}
