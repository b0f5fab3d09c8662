//! AWS's quotas (IAM User Guide, "IAM and STS quotas"), each as an account has it before any increase.

/// Users of the account.
pub(crate) const USERS_MAX: i64 = 5_000;
/// Groups of the account.
pub(crate) const GROUPS_MAX: i64 = 300;
/// Roles of the account.
pub(crate) const ROLES_MAX: i64 = 1_000;
/// Customer managed policies of the account.
pub(crate) const POLICIES_MAX: i64 = 1_500;
/// Groups that one user is in.
pub(crate) const GROUPS_PER_USER_MAX: usize = 10;
/// Managed policies attached to one user, group or role.
pub(crate) const ATTACHED_MAX: usize = 10;
/// Access keys of one user.
pub(crate) const ACCESS_KEYS_PER_USER_MAX: usize = 2;
/// Versions of one managed policy.
pub(crate) const VERSIONS_MAX: usize = 5;
/// Tags of one user or role.
pub(crate) const TAGS_MAX: usize = 50;
/// Characters of a managed policy; white space is not counted, here and below.
pub(crate) const MANAGED_POLICY_CHARS_MAX: usize = 6_144;
/// Characters of a trust policy.
pub(crate) const TRUST_POLICY_CHARS_MAX: usize = 2_048;
/// Characters of all inline policies of one user together.
pub(crate) const USER_INLINE_CHARS_MAX: usize = 2_048;
/// Characters of all inline policies of one group together.
pub(crate) const GROUP_INLINE_CHARS_MAX: usize = 5_120;
/// Characters of all inline policies of one role together.
pub(crate) const ROLE_INLINE_CHARS_MAX: usize = 10_240;
/// OIDC providers of the account.
pub(crate) const OIDC_PROVIDERS_MAX: usize = 100;
/// Client ids of one OIDC provider.
pub(crate) const CLIENT_IDS_MAX: usize = 100;
/// Thumbprints of one OIDC provider.
pub(crate) const THUMBPRINTS_MAX: usize = 5;
/// Items of a list where the caller asks for no number.
pub(crate) const PAGE_DEFAULT: usize = 100;
/// The shortest value of a role's `MaxSessionDuration`, in seconds, and the default.
pub(crate) const SESSION_SECONDS_DEFAULT: i64 = 3_600;
