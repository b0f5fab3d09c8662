/// Why a document is no policy, in AWS's words; the code is `MalformedPolicyDocument` in IAM and STS
/// (other services have their own, such as `MalformedPolicy` in S3).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyFault {
    /// Not JSON, a member of the wrong type, a duplicate member, or nested deeper than 64.
    #[error("Syntax errors in policy.")]
    Syntax,
    /// A member that the policy language does not have.
    #[error("Unknown field {0}")]
    UnknownField(String),
    /// A member that this kind of policy may not have.
    #[error("Has prohibited field {0}")]
    ProhibitedField(&'static str),
    /// A member that this kind of policy must have.
    #[error("Missing required field {0}")]
    MissingField(&'static str),
    /// `Principal` in a policy that is attached to an identity.
    #[error("Policy document should not specify a principal.")]
    PrincipalForbidden,
    /// Neither `Action` nor `NotAction`, or an empty one.
    #[error("Policy statement must contain actions.")]
    NoActions,
    /// Neither `Resource` nor `NotResource`, or an empty one.
    #[error("Policy statement must contain resources.")]
    NoResources,
    /// An action without its service.
    #[error("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")]
    NoVendor,
    /// An action with a second colon.
    #[error("Actions/Condition can contain only one colon.")]
    SecondColon,
    /// A service prefix that no service could have.
    #[error("Vendor {0} is not valid")]
    Vendor(String),
    /// A trust policy that speaks of anything but taking on the role.
    #[error("AssumeRole policy may only specify STS AssumeRole actions.")]
    NotAnAssumeRoleAction,
    /// A resource that is neither an ARN nor `*`.
    #[error("Resource {0} must be in ARN format or \"*\".")]
    NotAnArn(String),
    /// A principal that nothing could be.
    #[error("Invalid principal in policy: {0}")]
    Principal(String),
    /// A condition operator that does not exist.
    #[error("Invalid Condition type : {0}")]
    ConditionType(String),
    /// A condition value that its operator cannot read.
    #[error("Invalid value {value} for condition {key}")]
    ConditionValue {
        /// The condition key.
        key: String,
        /// The value as written.
        value: String,
    },
    /// A policy variable that is not closed, or whose default is not quoted.
    #[error("The policy failed legacy parsing")]
    Variable,
    /// A `Sid` outside `[0-9A-Za-z]*` in a policy of an identity.
    #[error(
        "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"
    )]
    Sid,
    /// Two statements of one `Sid`.
    #[error("Statement IDs (SID) in a single policy must be unique.")]
    DuplicateSid,
}
