use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use homeport_service::Via;

/// What the server counts of itself, in Prometheus' text format.
#[derive(Default)]
pub(crate) struct Metrics {
    listeners: [Counts; 3],
}

/// One listener's requests.
#[derive(Default)]
struct Counts {
    /// By the status' first digit; those that have none other count as the last.
    by_class: [AtomicU64; 5],
    running: AtomicU64,
    microseconds: AtomicU64,
}

const LISTENERS: [(Via, &str); 3] =
    [(Via::Public, "public"), (Via::Functions, "functions"), (Via::Console, "console")];

impl Metrics {
    fn of(&self, via: Via) -> &Counts {
        let at = LISTENERS.iter().position(|(listener, _)| *listener == via).unwrap_or_default();
        &self.listeners[at]
    }

    /// A request began.
    pub(crate) fn began(&self, via: Via) {
        self.of(via).running.fetch_add(1, Ordering::Relaxed);
    }

    /// It was answered with this status.
    pub(crate) fn answered(&self, via: Via, status: u16, took: Duration) {
        let counts = self.of(via);
        counts.running.fetch_sub(1, Ordering::Relaxed);
        let class = usize::from(status / 100).clamp(1, 5) - 1;
        counts.by_class[class].fetch_add(1, Ordering::Relaxed);
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        counts.microseconds.fetch_add(took, Ordering::Relaxed);
    }

    /// All figures.
    pub(crate) fn page(&self, lost_audit_rows: u64) -> String {
        let mut page = String::new();
        let mut line = |text: String| _ = writeln!(page, "{text}");
        line("# TYPE homeport_requests_total counter".into());
        for ((_, name), counts) in LISTENERS.iter().zip(&self.listeners) {
            for (class, count) in counts.by_class.iter().enumerate() {
                let (class, count) = (class + 1, count.load(Ordering::Relaxed));
                line(format!("homeport_requests_total{{listener=\"{name}\",status=\"{class}xx\"}} {count}"));
            }
        }
        line("# TYPE homeport_requests_running gauge".into());
        for ((_, name), counts) in LISTENERS.iter().zip(&self.listeners) {
            line(format!(
                "homeport_requests_running{{listener=\"{name}\"}} {}",
                counts.running.load(Ordering::Relaxed)
            ));
        }
        line("# TYPE homeport_request_seconds_total counter".into());
        for ((_, name), counts) in LISTENERS.iter().zip(&self.listeners) {
            let micros = counts.microseconds.load(Ordering::Relaxed);
            let (seconds, rest) = (micros / 1_000_000, micros % 1_000_000);
            line(format!("homeport_request_seconds_total{{listener=\"{name}\"}} {seconds}.{rest:06}"));
        }
        line("# TYPE homeport_audit_rows_lost_total counter".into());
        line(format!("homeport_audit_rows_lost_total {lost_audit_rows}"));
        line("# TYPE process_resident_memory_bytes gauge".into());
        line(format!("process_resident_memory_bytes {}", resident_bytes()));
        line(format!(
            "# TYPE homeport_info gauge\nhomeport_info{{version=\"{}\"}} 1",
            env!("CARGO_PKG_VERSION")
        ));
        page
    }
}

/// As Linux tells it; zero where it doesn't.
fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or_default() * 1_024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_listener_and_status() {
        let metrics = Metrics::default();
        for status in [200, 204, 403, 999] {
            metrics.began(Via::Public);
            metrics.answered(Via::Public, status, Duration::from_millis(750));
        }
        metrics.began(Via::Functions);
        let page = metrics.page(3);
        for line in [
            "homeport_requests_total{listener=\"public\",status=\"2xx\"} 2",
            "homeport_requests_total{listener=\"public\",status=\"4xx\"} 1",
            "homeport_requests_total{listener=\"public\",status=\"5xx\"} 1",
            "homeport_requests_running{listener=\"functions\"} 1",
            "homeport_request_seconds_total{listener=\"public\"} 3.000000",
            "homeport_audit_rows_lost_total 3",
        ] {
            assert!(page.lines().any(|other| other == line), "{line} is missing in {page}");
        }
    }
}
