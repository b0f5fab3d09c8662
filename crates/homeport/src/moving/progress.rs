//! How far a long command is, on standard error: a line that is drawn over on a terminal, else one every few seconds.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// How often a terminal's line is drawn, and how often a line is written elsewhere.
const DRAW_EVERY: Duration = Duration::from_millis(100);
const TELL_EVERY: Duration = Duration::from_secs(5);
/// The bar's width, in characters.
const WIDTH: u64 = 30;

/// Tells how far one step of a command is.
pub(crate) struct Progress {
    to: To,
    what: &'static str,
    unit: Unit,
    done: u64,
    total: u64,
    told: Instant,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum To {
    Terminal,
    Lines,
    Nobody,
}

/// What is counted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Rows,
    Bytes,
}

impl Progress {
    /// To who runs the command.
    pub(crate) fn on_standard_error() -> Self {
        let to = if std::io::stderr().is_terminal() { To::Terminal } else { To::Lines };
        Self::new(to)
    }

    /// To nobody.
    pub(crate) fn silent() -> Self {
        Self::new(To::Nobody)
    }

    fn new(to: To) -> Self {
        Self { to, what: "", unit: Unit::Rows, done: 0, total: 0, told: Instant::now() }
    }

    /// Begins a step of so much work; of none known, what is done is told alone.
    pub(super) fn begin(&mut self, what: &'static str, unit: Unit, total: u64) {
        self.end();
        (self.what, self.unit, self.done, self.total) = (what, unit, 0, total);
        self.told = Instant::now();
        if self.to == To::Terminal {
            self.tell();
        }
    }

    /// So much more is done.
    pub(super) fn add(&mut self, more: u64) {
        self.done += more;
        let every = if self.to == To::Terminal { DRAW_EVERY } else { TELL_EVERY };
        if self.told.elapsed() >= every {
            self.tell();
        }
    }

    /// So much was written by the server that was asked.
    pub(crate) fn server_writes(&mut self, bytes: u64) {
        if self.what.is_empty() {
            self.begin("The server has", Unit::Bytes, 0);
        }
        self.add(bytes.saturating_sub(self.done));
    }

    /// Ends a step.
    pub(crate) fn end(&mut self) {
        if self.what.is_empty() {
            return;
        }
        self.total = self.done;
        self.tell();
        if self.to == To::Terminal {
            self.write("\n");
        }
        self.what = "";
    }

    fn tell(&mut self) {
        self.told = Instant::now();
        let line = line(self.what, self.unit, self.done, self.total);
        match self.to {
            To::Terminal => self.write(&format!("\r\x1b[K{line}")),
            To::Lines => self.write(&format!("{line}\n")),
            To::Nobody => {}
        }
    }

    /// A terminal that went away ends nothing.
    fn write(&self, text: &str) {
        if self.to != To::Nobody {
            _ = std::io::stderr().write_all(text.as_bytes());
        }
    }
}

fn line(what: &str, unit: Unit, done: u64, total: u64) -> String {
    if done >= total {
        return format!("{what:<15} {}", amount(unit, done));
    }
    let (filled, percent) = (done * WIDTH / total, done * 100 / total);
    let bar: String = (0..WIDTH).map(|at| if at < filled { '#' } else { '.' }).collect();
    format!("{what:<15} [{bar}] {percent:>3} %  {} of {}", amount(unit, done), amount(unit, total))
}

fn amount(unit: Unit, number: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if unit == Unit::Rows {
        return format!("{number} rows");
    }
    let mut scaled = number as f64 / 1024.0;
    let mut name = UNITS[0];
    for next in &UNITS[1..] {
        if scaled >= 1024.0 {
            (scaled, name) = (scaled / 1024.0, next);
        }
    }
    format!("{scaled:.1} {name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_it_is() {
        assert_eq!(
            line("Copying rows", Unit::Rows, 1, 3),
            "Copying rows    [##########....................]  33 %  1 rows of 3 rows"
        );
        assert_eq!(line("Copying rows", Unit::Rows, 3, 3), "Copying rows    3 rows");
        assert_eq!(line("Copying rows", Unit::Rows, 3, 0), "Copying rows    3 rows");
        assert_eq!(amount(Unit::Bytes, 0), "0.0 KiB");
        assert_eq!(amount(Unit::Bytes, 1_572_864), "1.5 MiB");
        assert_eq!(amount(Unit::Bytes, u64::MAX), "16777216.0 TiB");
    }
}
