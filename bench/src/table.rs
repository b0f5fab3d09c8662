use crate::load::Load;

/// The report, a line as soon as its measurement is done.
pub(crate) struct Table;

impl Table {
    pub(crate) fn begin() -> Self {
        println!("{:<46} {:>10} {:>10}  beside", "what", "target", "value");
        Self
    }

    /// A ratio that should be at least `target`, if there is one.
    pub(crate) fn ratio(&mut self, what: &str, target: Option<f64>, value: f64, beside: &str) {
        let target = target.map_or("-".to_owned(), |target| format!(">= {target:.2}x"));
        println!("{what:<46} {target:>10} {:>10}  {beside}", format!("{value:.2}x"));
    }

    /// A ratio that should be at most `target`.
    pub(crate) fn at_most(&mut self, what: &str, target: f64, value: f64, beside: &str) {
        let (target, value) = (format!("<= {target:.2}x"), format!("{value:.2}x"));
        println!("{what:<46} {target:>10} {value:>10}  {beside}");
    }

    /// A figure with its unit.
    pub(crate) fn figure(&mut self, what: &str, target: &str, value: &str, beside: &str) {
        println!("{what:<46} {target:>10} {value:>10}  {beside}");
    }

    /// Server CPU per request: the peer's over Homeport's.
    pub(crate) fn by_cpu(&mut self, what: &str, target: Option<f64>, ours: &Load, peer: &Load) {
        let beside = format!("{}; peer {}", ours.summary(), peer.summary());
        self.ratio(what, target, peer.cpu_per_request() / ours.cpu_per_request(), &beside);
    }
}
