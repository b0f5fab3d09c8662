use homeport_core::{Account, Fault};
use homeport_service::Caller;

use crate::route::Routed;

/// One line per refused call in the server's own log: who, what, and by which statement or check. The cause is
/// ours alone; the client reads code and message.
pub(crate) fn log(routed: &Routed, caller: &Caller, account: Account, fault: &Fault) {
    let who = caller.principal.label(account);
    let operation = routed.operation.map_or(routed.asked_for.as_str(), |operation| operation.name);
    let (service, from) = (routed.model.name, caller.source.ip);
    let (code, message) = (&fault.code, one_line(&fault.message));
    let cause = fault.cause.as_deref().map(one_line);
    match (fault.status, cause.as_deref()) {
        (500.., cause) => tracing::error!(%who, %from, service, operation, %code, cause, "failed"),
        (_, Some(cause)) => {
            tracing::info!(%who, %from, service, operation, %code, cause, "refused: {message}")
        }
        (_, None) => tracing::info!(%who, %from, service, operation, %code, "refused: {message}"),
    }
}

/// A message may repeat what the client sent: a line of its own in the log would be anybody's to write.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_sent_stays_on_one_line() {
        assert_eq!(
            one_line("Value 'x\n2026 INFO refused\u{85}' é"),
            "Value 'x\u{fffd}2026 INFO refused\u{fffd}' é"
        );
    }
}
