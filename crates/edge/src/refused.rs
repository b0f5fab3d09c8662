use homeport_core::{Account, Fault};
use homeport_service::{Caller, Refusal};

use crate::route::Routed;

/// One line per refused call in the server's own log: who, which action, and why; the client's part and ours.
pub(crate) fn log(routed: &Routed, caller: &Caller, account: Account, fault: &Fault) {
    let who = caller.principal.label(account);
    let service = routed.model.name;
    let operation = routed
        .operation
        .map_or(routed.asked_for.as_str(), |operation| operation.name);
    let cause = fault.cause.as_deref().unwrap_or("");
    if fault.status >= 500 {
        tracing::error!(%who, from = %caller.source.ip, service, operation, code = %fault.code, cause, "failed");
    } else {
        let message = &fault.message;
        tracing::info!(%who, from = %caller.source.ip, service, operation, code = %fault.code, %message, cause, "refused");
    }
}

/// By which statement or layer IAM refused: for the log, never for the client.
pub(crate) fn explain(refusal: &Refusal) {
    tracing::info!(action = %refusal.action, resource = %refusal.resource, reason = %refusal.reason, "denied");
}
