use serde::Serialize;

use crate::limits::{GROUP_INLINE_CHARS_MAX, ROLE_INLINE_CHARS_MAX, USER_INLINE_CHARS_MAX};
use crate::records::{Entity, Kind};
use crate::views::{self, Depth, GroupView, RoleView, UserView};

/// What can hold policies. IAM has each operation on policies, and the list of them, three times, once for each; they
/// differ in their names and in the member that names the holder.
pub(crate) trait Holder: Send + Sync + 'static {
    /// User, group or role.
    const KIND: Kind;
    /// Characters of all its inline policies together.
    const INLINE_CHARS_MAX: usize;
    /// `List…s`
    const LIST: &'static str;
    /// The member that they are listed under.
    const LIST_MEMBER: &'static str;
    /// As they are listed.
    type View: Serialize + Send + 'static;
    /// The member of answers that holds its name.
    const NAME_MEMBER: &'static str;
    /// `Put…Policy`
    const PUT_POLICY: &'static str;
    /// `Get…Policy`
    const GET_POLICY: &'static str;
    /// `Delete…Policy`
    const DELETE_POLICY: &'static str;
    /// `List…Policies`
    const LIST_POLICIES: &'static str;
    /// `Attach…Policy`
    const ATTACH: &'static str;
    /// `Detach…Policy`
    const DETACH: &'static str;
    /// `ListAttached…Policies`
    const LIST_ATTACHED: &'static str;

    /// One of them, as it is listed.
    fn listed(entity: &Entity) -> Self::View;
}

/// What has tags and may have a permissions boundary: users and roles.
pub(crate) trait Bounded: Holder {
    /// `Tag…`
    const TAG: &'static str;
    /// `Untag…`
    const UNTAG: &'static str;
    /// `List…Tags`
    const LIST_TAGS: &'static str;
    /// `Put…PermissionsBoundary`
    const PUT_BOUNDARY: &'static str;
    /// `Delete…PermissionsBoundary`
    const DELETE_BOUNDARY: &'static str;
}

/// Policies of users.
pub(crate) struct OfUser;
/// Policies of groups.
pub(crate) struct OfGroup;
/// Policies of roles.
pub(crate) struct OfRole;

impl Holder for OfUser {
    const KIND: Kind = Kind::User;
    const INLINE_CHARS_MAX: usize = USER_INLINE_CHARS_MAX;
    const LIST: &'static str = "ListUsers";
    const LIST_MEMBER: &'static str = "Users";
    type View = UserView;
    const NAME_MEMBER: &'static str = "UserName";
    const PUT_POLICY: &'static str = "PutUserPolicy";
    const GET_POLICY: &'static str = "GetUserPolicy";
    const DELETE_POLICY: &'static str = "DeleteUserPolicy";
    const LIST_POLICIES: &'static str = "ListUserPolicies";
    const ATTACH: &'static str = "AttachUserPolicy";
    const DETACH: &'static str = "DetachUserPolicy";
    const LIST_ATTACHED: &'static str = "ListAttachedUserPolicies";

    fn listed(entity: &Entity) -> UserView {
        views::user(entity, Depth::Listed)
    }
}

impl Bounded for OfUser {
    const TAG: &'static str = "TagUser";
    const UNTAG: &'static str = "UntagUser";
    const LIST_TAGS: &'static str = "ListUserTags";
    const PUT_BOUNDARY: &'static str = "PutUserPermissionsBoundary";
    const DELETE_BOUNDARY: &'static str = "DeleteUserPermissionsBoundary";
}

impl Holder for OfGroup {
    const KIND: Kind = Kind::Group;
    const INLINE_CHARS_MAX: usize = GROUP_INLINE_CHARS_MAX;
    const LIST: &'static str = "ListGroups";
    const LIST_MEMBER: &'static str = "Groups";
    type View = GroupView;
    const NAME_MEMBER: &'static str = "GroupName";
    const PUT_POLICY: &'static str = "PutGroupPolicy";
    const GET_POLICY: &'static str = "GetGroupPolicy";
    const DELETE_POLICY: &'static str = "DeleteGroupPolicy";
    const LIST_POLICIES: &'static str = "ListGroupPolicies";
    const ATTACH: &'static str = "AttachGroupPolicy";
    const DETACH: &'static str = "DetachGroupPolicy";
    const LIST_ATTACHED: &'static str = "ListAttachedGroupPolicies";

    fn listed(entity: &Entity) -> GroupView {
        views::group(entity)
    }
}

impl Holder for OfRole {
    const KIND: Kind = Kind::Role;
    const INLINE_CHARS_MAX: usize = ROLE_INLINE_CHARS_MAX;
    const LIST: &'static str = "ListRoles";
    const LIST_MEMBER: &'static str = "Roles";
    type View = RoleView;
    const NAME_MEMBER: &'static str = "RoleName";
    const PUT_POLICY: &'static str = "PutRolePolicy";
    const GET_POLICY: &'static str = "GetRolePolicy";
    const DELETE_POLICY: &'static str = "DeleteRolePolicy";
    const LIST_POLICIES: &'static str = "ListRolePolicies";
    const ATTACH: &'static str = "AttachRolePolicy";
    const DETACH: &'static str = "DetachRolePolicy";
    const LIST_ATTACHED: &'static str = "ListAttachedRolePolicies";

    fn listed(entity: &Entity) -> RoleView {
        views::role(entity, Depth::Listed)
    }
}

impl Bounded for OfRole {
    const TAG: &'static str = "TagRole";
    const UNTAG: &'static str = "UntagRole";
    const LIST_TAGS: &'static str = "ListRoleTags";
    const PUT_BOUNDARY: &'static str = "PutRolePermissionsBoundary";
    const DELETE_BOUNDARY: &'static str = "DeleteRolePermissionsBoundary";
}
