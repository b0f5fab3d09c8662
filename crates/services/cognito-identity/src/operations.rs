use homeport_service::{Entry, modelled};

use crate::CognitoIdentity;

mod credentials;
mod get_id;
mod identities;
mod pools;
mod roles;
mod tags;

pub(crate) static OPERATIONS: &[Entry<CognitoIdentity>] = &[
    modelled::<pools::CreateIdentityPool>(),
    modelled::<pools::DescribeIdentityPool>(),
    modelled::<pools::UpdateIdentityPool>(),
    modelled::<pools::ListIdentityPools>(),
    modelled::<pools::DeleteIdentityPool>(),
    modelled::<roles::SetIdentityPoolRoles>(),
    modelled::<roles::GetIdentityPoolRoles>(),
    modelled::<get_id::GetId>(),
    modelled::<credentials::GetCredentialsForIdentity>(),
    modelled::<credentials::GetOpenIdToken>(),
    modelled::<identities::DescribeIdentity>(),
    modelled::<identities::ListIdentities>(),
    modelled::<identities::DeleteIdentities>(),
    modelled::<tags::TagResource>(),
    modelled::<tags::UntagResource>(),
    modelled::<tags::ListTagsForResource>(),
];
