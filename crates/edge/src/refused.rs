use homeport_core::{Account, Fault};
use homeport_service::Caller;

use crate::route::Routed;

/// One line per refused call in the server's own log: who, what, and by which statement or check. The cause is
/// ours alone; the client reads code and message.
pub(crate) fn log(routed: &Routed, caller: &Caller, account: Account, fault: &Fault) {
    let who = caller.principal.label(account);
    let operation = routed.operation.map_or(routed.asked_for.as_str(), |operation| operation.name);
    let (service, from) = (routed.model.name, caller.source.ip);
    let (code, message) = (&fault.code, &fault.message);
    match (fault.status, fault.cause.as_deref()) {
        (500.., cause) => tracing::error!(%who, %from, service, operation, %code, cause, "failed"),
        (_, Some(cause)) => {
            tracing::info!(%who, %from, service, operation, %code, cause, "refused: {message}")
        }
        (_, None) => tracing::info!(%who, %from, service, operation, %code, "refused: {message}"),
    }
}
