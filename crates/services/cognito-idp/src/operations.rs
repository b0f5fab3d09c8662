//! The table of what can be asked.

mod add_custom_attributes;
mod admin_confirm_sign_up;
mod admin_create_user;
mod admin_delete_user;
mod admin_enable_user;
mod admin_get_user;
mod admin_initiate_auth;
mod admin_reset_user_password;
mod admin_set_user_password;
mod admin_update_user_attributes;
mod admin_user_global_sign_out;
mod change_password;
mod confirm_forgot_password;
mod confirm_sign_up;
mod create_user_pool;
mod create_user_pool_client;
mod delete_user;
mod delete_user_pool;
mod describe_user_pool;
mod forgot_password;
mod get_user;
mod get_user_attribute_verification_code;
mod get_user_pool_mfa_config;
mod global_sign_out;
mod group_members;
mod groups;
mod initiate_auth;
mod list_user_pools;
mod list_users;
mod resend_confirmation_code;
mod respond_to_auth_challenge;
mod revoke_token;
mod sign_up;
mod tags;
mod update_user_attributes;
mod update_user_pool;
mod user_pool_clients;
mod verify_user_attribute;

use homeport_service::{Asked, Entry, Permissions, modelled};

use crate::CognitoIdp;
use crate::claims::SELF_SERVICE_SCOPE;
use crate::pool_ref::PoolRef;

/// Every operation.
pub(crate) static OPERATIONS: &[Entry<CognitoIdp>] = &[
    modelled::<add_custom_attributes::AddCustomAttributes>(),
    modelled::<admin_confirm_sign_up::AdminConfirmSignUp>(),
    modelled::<admin_create_user::AdminCreateUser>(),
    modelled::<admin_delete_user::AdminDeleteUser>(),
    modelled::<admin_enable_user::AdminDisableUser>(),
    modelled::<admin_enable_user::AdminEnableUser>(),
    modelled::<admin_get_user::AdminGetUser>(),
    modelled::<admin_initiate_auth::AdminInitiateAuth>(),
    modelled::<admin_initiate_auth::AdminRespondToAuthChallenge>(),
    modelled::<admin_reset_user_password::AdminResetUserPassword>(),
    modelled::<admin_set_user_password::AdminSetUserPassword>(),
    modelled::<admin_update_user_attributes::AdminDeleteUserAttributes>(),
    modelled::<admin_update_user_attributes::AdminUpdateUserAttributes>(),
    modelled::<admin_user_global_sign_out::AdminUserGlobalSignOut>(),
    modelled::<change_password::ChangePassword>(),
    modelled::<confirm_forgot_password::ConfirmForgotPassword>(),
    modelled::<confirm_sign_up::ConfirmSignUp>(),
    modelled::<create_user_pool::CreateUserPool>(),
    modelled::<create_user_pool_client::CreateUserPoolClient>(),
    modelled::<delete_user::DeleteUser>(),
    modelled::<delete_user_pool::DeleteUserPool>(),
    modelled::<describe_user_pool::DescribeUserPool>(),
    modelled::<forgot_password::ForgotPassword>(),
    modelled::<get_user::GetUser>(),
    modelled::<get_user_attribute_verification_code::GetUserAttributeVerificationCode>(),
    modelled::<get_user_pool_mfa_config::GetUserPoolMfaConfig>(),
    modelled::<global_sign_out::GlobalSignOut>(),
    modelled::<group_members::AdminAddUserToGroup>(),
    modelled::<group_members::AdminListGroupsForUser>(),
    modelled::<group_members::AdminRemoveUserFromGroup>(),
    modelled::<group_members::ListUsersInGroup>(),
    modelled::<groups::CreateGroup>(),
    modelled::<groups::DeleteGroup>(),
    modelled::<groups::GetGroup>(),
    modelled::<groups::ListGroups>(),
    modelled::<groups::UpdateGroup>(),
    modelled::<initiate_auth::InitiateAuth>(),
    modelled::<list_user_pools::ListUserPools>(),
    modelled::<list_users::ListUsers>(),
    modelled::<resend_confirmation_code::ResendConfirmationCode>(),
    modelled::<respond_to_auth_challenge::RespondToAuthChallenge>(),
    modelled::<revoke_token::GetTokensFromRefreshToken>(),
    modelled::<revoke_token::RevokeToken>(),
    modelled::<sign_up::SignUp>(),
    modelled::<tags::ListTagsForResource>(),
    modelled::<tags::TagResource>(),
    modelled::<tags::UntagResource>(),
    modelled::<update_user_attributes::DeleteUserAttributes>(),
    modelled::<update_user_attributes::UpdateUserAttributes>(),
    modelled::<update_user_pool::UpdateUserPool>(),
    modelled::<user_pool_clients::DeleteUserPoolClient>(),
    modelled::<user_pool_clients::DescribeUserPoolClient>(),
    modelled::<user_pool_clients::ListUserPoolClients>(),
    modelled::<user_pool_clients::UpdateUserPoolClient>(),
    modelled::<verify_user_attribute::VerifyUserAttribute>(),
];

/// An action on the pool of this id.
fn on_pool(asked: &Asked<'_, CognitoIdp>, action: &'static str, pool_id: &str) -> Permissions {
    Permissions::one(action, PoolRef::new(asked.scope.account, pool_id).arn())
}

/// The holder of an access token that users get for themselves.
fn self_service(token: &str) -> Permissions {
    Permissions::AccessToken { token: token.to_owned(), scope: SELF_SERVICE_SCOPE }
}
