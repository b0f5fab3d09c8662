/// What a data key is for. Each purpose has a key of its own, so that one that leaks opens nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// User pools: signing keys, verifiers, codes, client secrets, the salts of unknown users.
    UserPool,
    /// Access keys and what else IAM keeps.
    Iam,
    /// Session tokens and the secrets derived for temporary credentials.
    Session,
    /// The local authority's and the certificates' keys.
    Tls,
    /// Messages that wait in the outbox.
    Outbox,
    /// Functions: environment variables.
    Lambda,
    /// Tokens that are only compared: refresh tokens, paging tokens, device secrets.
    Tokens,
    /// Identity pools.
    IdentityPool,
    /// API keys and what else the gateway keeps.
    ApiGateway,
    /// Keyed hashes within the store's keys.
    Store,
    /// The audit trail's chain.
    Audit,
    /// The console's links and cookies.
    Console,
}

impl Purpose {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::UserPool,
        Self::Iam,
        Self::Session,
        Self::Tls,
        Self::Outbox,
        Self::Lambda,
        Self::Tokens,
        Self::IdentityPool,
        Self::ApiGateway,
        Self::Store,
        Self::Audit,
        Self::Console,
    ];

    /// The name under which the key is wrapped; a part of its associated data, so it never changes.
    pub fn name(self) -> &'static str {
        match self {
            Self::UserPool => "user-pool",
            Self::Iam => "iam",
            Self::Session => "session",
            Self::Tls => "tls",
            Self::Outbox => "outbox",
            Self::Lambda => "lambda",
            Self::Tokens => "tokens",
            Self::IdentityPool => "identity-pool",
            Self::ApiGateway => "api-gateway",
            Self::Store => "store",
            Self::Audit => "audit",
            Self::Console => "console",
        }
    }
}
