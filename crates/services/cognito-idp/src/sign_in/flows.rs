use crate::error::IdpError;
use crate::records::Client;

/// A way to sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    Srp,
    Password,
    Refresh,
}

/// Which ways an operation knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FlowSet {
    /// `InitiateAuth`
    Public,
    /// `AdminInitiateAuth`
    Admin,
}

impl FlowSet {
    /// The flow of this name, if the operation knows it and the client allows it.
    pub(crate) fn choose(self, name: &str, client: &Client) -> Result<Flow, IdpError> {
        let (flow, allowed_by): (_, &[&str]) = match (name, self) {
            ("USER_SRP_AUTH", _) => (Flow::Srp, &["ALLOW_USER_SRP_AUTH"]),
            ("REFRESH_TOKEN_AUTH" | "REFRESH_TOKEN", _) => (Flow::Refresh, &["ALLOW_REFRESH_TOKEN_AUTH"]),
            ("USER_PASSWORD_AUTH", Self::Public) => {
                (Flow::Password, &["ALLOW_USER_PASSWORD_AUTH", "USER_PASSWORD_AUTH"])
            }
            ("ADMIN_USER_PASSWORD_AUTH" | "ADMIN_NO_SRP_AUTH", Self::Admin) => {
                (Flow::Password, &["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ADMIN_NO_SRP_AUTH"])
            }
            _ => return Err(IdpError::invalid("Initiate Auth method not supported.")),
        };
        if allows(client, flow, allowed_by) {
            return Ok(flow);
        }
        Err(IdpError::invalid(match self {
            Self::Public => format!("{name} flow not enabled for this client"),
            Self::Admin => "Auth flow not enabled for this client".to_owned(),
        }))
    }
}

/// A client that names no flow allows SRP and refresh; so does one that names only flows of the old form, without
/// `ALLOW_`.
fn allows(client: &Client, flow: Flow, allowed_by: &[&str]) -> bool {
    let named = client.settings.explicit_auth_flows.as_deref().unwrap_or_default();
    if named.iter().any(|name| allowed_by.contains(&name.as_str())) {
        return true;
    }
    let names_new_forms = named.iter().any(|name| name.starts_with("ALLOW_"));
    let only_custom = named.iter().any(|name| name == "CUSTOM_AUTH_FLOW_ONLY");
    match flow {
        Flow::Srp => !names_new_forms && !only_custom,
        Flow::Refresh => !names_new_forms && client.rotation_grace_seconds().is_none(),
        Flow::Password => false,
    }
}
