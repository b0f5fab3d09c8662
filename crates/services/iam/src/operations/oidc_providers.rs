use homeport_service::{Asked, Cx, Effect, Operation, Permission, Permissions, bump_authorization};
use homeport_store::Tx;
use serde::{Deserialize, Serialize};

use crate::Iam;
use crate::entities::{Tag, tags_of, with_tags};
use crate::error::IamError;
use crate::limits::{CLIENT_IDS_MAX, OIDC_PROVIDERS_MAX, THUMBPRINTS_MAX};
use crate::oidc::{self, arn_of, name_of};
use crate::operations::Empty;
use crate::permissions::with_request_tags;
use crate::records::{OIDC_PROVIDERS, OidcProvider, within};
use crate::views::whole_seconds;

/// `CreateOpenIDConnectProvider` (IAM API reference): trusts a user pool of this installation to say who somebody
/// is. Other issuers are refused: their keys would have to be fetched.
pub(crate) struct CreateOpenIDConnectProvider;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CreateInput {
    url: String,
    #[serde(rename = "ClientIDList", default)]
    client_ids: Vec<String>,
    #[serde(default)]
    thumbprint_list: Vec<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CreateOutput {
    #[serde(rename = "OpenIDConnectProviderArn")]
    arn: String,
    tags: Vec<Tag>,
}

fn check_bounds(client_ids: &[String], thumbprints: &[String]) -> Result<(), IamError> {
    if client_ids.len() > CLIENT_IDS_MAX {
        let quota = format!("Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: {CLIENT_IDS_MAX}");
        return Err(IamError::LimitExceeded(quota.into()));
    }
    if thumbprints.len() > THUMBPRINTS_MAX {
        return Err(IamError::InvalidInput("Thumbprint list must contain fewer than 5 entries.".into()));
    }
    Ok(())
}

impl Operation for CreateOpenIDConnectProvider {
    type Service = Iam;
    type Input = CreateInput;
    type Output = CreateOutput;
    type Error = IamError;

    const NAME: &'static str = "CreateOpenIDConnectProvider";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, Iam>, input: &CreateInput) -> Permissions {
        let arn = arn_of(asked.scope.account, name_of(&input.url));
        Permissions::All(vec![with_request_tags(
            Permission::new(format!("iam:{}", Self::NAME), arn),
            &input.tags,
        )])
    }

    fn run(cx: Cx<Iam>, input: CreateInput) -> impl Future<Output = Result<CreateOutput, IamError>> + Send {
        async move {
            check_bounds(&input.client_ids, &input.thumbprint_list)?;
            if !input.url.contains("://") || cx.service.pool_of(&input.url).is_none() {
                return Err(IamError::InvalidInput(
                    "Only the issuer URL of a user pool of this installation can be an OpenID Connect provider.".into(),
                ));
            }
            let account = cx.account();
            let provider = &OidcProvider {
                account,
                name: name_of(&input.url).to_owned(),
                client_ids: input.client_ids,
                thumbprints: input.thumbprint_list,
                created: cx.now(),
                tags: with_tags(Default::default(), input.tags)?,
            };
            cx.write(|tx| async move {
                if oidc::all(&tx, account).await?.len() >= OIDC_PROVIDERS_MAX {
                    let quota = format!(
                        "Cannot exceed quota for OpenIdConnectProvidersPerAccount: {OIDC_PROVIDERS_MAX}"
                    );
                    return Err(IamError::LimitExceeded(quota.into()));
                }
                if !OIDC_PROVIDERS.insert(&tx, provider).await? {
                    return Err(IamError::ProviderAlreadyExists(provider.name.clone()));
                }
                bump_authorization(&tx)?;
                Ok(())
            })
            .await?;
            Ok(CreateOutput {
                arn: arn_of(account, &provider.name).to_string(),
                tags: tags_of(&provider.tags),
            })
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct ArnInput {
    #[serde(rename = "OpenIDConnectProviderArn")]
    arn: String,
}

/// The provider of exactly this ARN.
async fn find(tx: &Tx, account: homeport_core::Account, arn: &str) -> Result<OidcProvider, IamError> {
    let name = arn.split_once(":oidc-provider/").map_or("", |(_, name)| name);
    let found = OIDC_PROVIDERS.get(tx, within(account, name)).await?;
    let exact = found.filter(|provider| arn_of(account, &provider.name).as_str() == arn);
    exact.ok_or_else(|| IamError::NoSuchProvider(arn.to_owned()))
}

fn on_provider(operation: &'static str, arn: &str) -> Permissions {
    Permissions::All(vec![Permission::new(format!("iam:{operation}"), arn)])
}

async fn save(tx: &Tx, provider: &OidcProvider) -> Result<(), IamError> {
    OIDC_PROVIDERS.put(tx, provider).await?;
    bump_authorization(tx)?;
    Ok(())
}

/// `GetOpenIDConnectProvider` (IAM API reference).
pub(crate) struct GetOpenIDConnectProvider;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GetOutput {
    url: String,
    #[serde(rename = "ClientIDList")]
    client_ids: Vec<String>,
    thumbprint_list: Vec<String>,
    create_date: f64,
    tags: Vec<Tag>,
}

impl Operation for GetOpenIDConnectProvider {
    type Service = Iam;
    type Input = ArnInput;
    type Output = GetOutput;
    type Error = IamError;

    const NAME: &'static str = "GetOpenIDConnectProvider";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(_: &Asked<'_, Iam>, input: &ArnInput) -> Permissions {
        on_provider(Self::NAME, &input.arn)
    }

    fn run(cx: Cx<Iam>, input: ArnInput) -> impl Future<Output = Result<GetOutput, IamError>> + Send {
        async move {
            let (account, arn) = (cx.account(), &input.arn);
            let provider = cx.read(|tx| async move { find(&tx, account, arn).await }).await?;
            Ok(GetOutput {
                url: provider.name,
                client_ids: provider.client_ids,
                thumbprint_list: provider.thumbprints,
                create_date: whole_seconds(provider.created),
                tags: tags_of(&provider.tags),
            })
        }
    }
}

/// `ListOpenIDConnectProviders` (IAM API reference).
pub(crate) struct ListOpenIDConnectProviders;

#[derive(Deserialize)]
pub(crate) struct ListInput {}

#[derive(Serialize)]
pub(crate) struct ListOutput {
    #[serde(rename = "OpenIDConnectProviderList")]
    providers: Vec<Listed>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    arn: String,
}

impl Operation for ListOpenIDConnectProviders {
    type Service = Iam;
    type Input = ListInput;
    type Output = ListOutput;
    type Error = IamError;

    const NAME: &'static str = "ListOpenIDConnectProviders";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(asked: &Asked<'_, Iam>, _: &ListInput) -> Permissions {
        on_provider(Self::NAME, arn_of(asked.scope.account, "*").as_str())
    }

    fn run(cx: Cx<Iam>, _: ListInput) -> impl Future<Output = Result<ListOutput, IamError>> + Send {
        async move {
            let account = cx.account();
            let providers =
                cx.read(|tx| async move { Ok::<_, IamError>(oidc::all(&tx, account).await?) }).await?;
            let listed = |provider: OidcProvider| Listed { arn: arn_of(account, &provider.name).to_string() };
            Ok(ListOutput { providers: providers.into_iter().map(listed).collect() })
        }
    }
}

/// `DeleteOpenIDConnectProvider` (IAM API reference): its tokens get no role any more.
pub(crate) struct DeleteOpenIDConnectProvider;

impl Operation for DeleteOpenIDConnectProvider {
    type Service = Iam;
    type Input = ArnInput;
    type Output = Empty;
    type Error = IamError;

    const NAME: &'static str = "DeleteOpenIDConnectProvider";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(_: &Asked<'_, Iam>, input: &ArnInput) -> Permissions {
        on_provider(Self::NAME, &input.arn)
    }

    fn run(cx: Cx<Iam>, input: ArnInput) -> impl Future<Output = Result<Empty, IamError>> + Send {
        async move {
            let (account, arn) = (cx.account(), &input.arn);
            cx.write(|tx| async move {
                let provider = find(&tx, account, arn).await?;
                OIDC_PROVIDERS.delete(&tx, within(account, &provider.name)).await?;
                bump_authorization(&tx)?;
                Ok::<_, IamError>(())
            })
            .await?;
            Ok(Empty {})
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct ClientInput {
    #[serde(rename = "OpenIDConnectProviderArn")]
    arn: String,
    #[serde(rename = "ClientID")]
    client_id: String,
}

/// `AddClientIDToOpenIDConnectProvider` (IAM API reference); one that is there stays.
pub(crate) struct AddClientIDToOpenIDConnectProvider;

impl Operation for AddClientIDToOpenIDConnectProvider {
    type Service = Iam;
    type Input = ClientInput;
    type Output = Empty;
    type Error = IamError;

    const NAME: &'static str = "AddClientIDToOpenIDConnectProvider";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(_: &Asked<'_, Iam>, input: &ClientInput) -> Permissions {
        on_provider(Self::NAME, &input.arn)
    }

    fn run(cx: Cx<Iam>, input: ClientInput) -> impl Future<Output = Result<Empty, IamError>> + Send {
        async move {
            let (account, input) = (cx.account(), &input);
            cx.write(|tx| async move {
                let mut provider = find(&tx, account, &input.arn).await?;
                if !provider.client_ids.contains(&input.client_id) {
                    provider.client_ids.push(input.client_id.clone());
                }
                check_bounds(&provider.client_ids, &[])?;
                save(&tx, &provider).await
            })
            .await?;
            Ok(Empty {})
        }
    }
}

/// `RemoveClientIDFromOpenIDConnectProvider` (IAM API reference); one that is not there doesn't matter.
pub(crate) struct RemoveClientIDFromOpenIDConnectProvider;

impl Operation for RemoveClientIDFromOpenIDConnectProvider {
    type Service = Iam;
    type Input = ClientInput;
    type Output = Empty;
    type Error = IamError;

    const NAME: &'static str = "RemoveClientIDFromOpenIDConnectProvider";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(_: &Asked<'_, Iam>, input: &ClientInput) -> Permissions {
        on_provider(Self::NAME, &input.arn)
    }

    fn run(cx: Cx<Iam>, input: ClientInput) -> impl Future<Output = Result<Empty, IamError>> + Send {
        async move {
            let (account, input) = (cx.account(), &input);
            cx.write(|tx| async move {
                let mut provider = find(&tx, account, &input.arn).await?;
                provider.client_ids.retain(|known| *known != input.client_id);
                save(&tx, &provider).await
            })
            .await?;
            Ok(Empty {})
        }
    }
}

/// `UpdateOpenIDConnectProviderThumbprint` (IAM API reference): kept and shown; own pools are asked in process.
pub(crate) struct UpdateOpenIDConnectProviderThumbprint;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ThumbprintInput {
    #[serde(rename = "OpenIDConnectProviderArn")]
    arn: String,
    thumbprint_list: Vec<String>,
}

impl Operation for UpdateOpenIDConnectProviderThumbprint {
    type Service = Iam;
    type Input = ThumbprintInput;
    type Output = Empty;
    type Error = IamError;

    const NAME: &'static str = "UpdateOpenIDConnectProviderThumbprint";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(_: &Asked<'_, Iam>, input: &ThumbprintInput) -> Permissions {
        on_provider(Self::NAME, &input.arn)
    }

    fn run(cx: Cx<Iam>, input: ThumbprintInput) -> impl Future<Output = Result<Empty, IamError>> + Send {
        async move {
            check_bounds(&[], &input.thumbprint_list)?;
            let (account, input) = (cx.account(), &input);
            cx.write(|tx| async move {
                let mut provider = find(&tx, account, &input.arn).await?;
                provider.thumbprints.clone_from(&input.thumbprint_list);
                save(&tx, &provider).await
            })
            .await?;
            Ok(Empty {})
        }
    }
}
