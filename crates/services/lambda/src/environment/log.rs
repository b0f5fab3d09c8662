//! What a function prints, on its way to CloudWatch Logs: lines as they come, between START and END.

use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use homeport_core::{Region, SharedClock};
use homeport_service::needs::{LogLine, PutLog};
use tokio::net::unix::pipe::Receiver as Pipe;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

/// Bytes of a line; longer ones are cut into several.
const LONGEST_LINE: usize = 256 * 1_024;
/// Bytes that wait to be written before the function waits too.
const MOST_WAITING: usize = 512 * 1_024;
/// How long lines wait for others to be written with.
const PATIENCE: Duration = Duration::from_millis(200);
/// Bytes of the end of the log that an answer carries.
const TAIL: usize = 4_096;
/// Messages of the environment's own that wait.
const WAITING: usize = 16;

/// Where lines go.
pub(super) struct Destination {
    pub(super) put_log: Option<Arc<dyn PutLog>>,
    pub(super) region: Region,
    pub(super) group: String,
    pub(super) stream: String,
    pub(super) clock: SharedClock,
}

/// A hand on the task that reads and writes.
pub(super) struct Log(mpsc::Sender<Say>);

enum Say {
    Line { text: String, begins: bool },
    Finish { lines: Vec<String>, tail: Option<oneshot::Sender<String>> },
}

impl Log {
    /// Begins to read the pipes. The task ends when the hand is dropped and the pipes are empty.
    pub(super) fn begin(destination: Destination, pipes: Vec<OwnedFd>) -> io::Result<Self> {
        let pipes = pipes
            .into_iter()
            .map(|fd| Ok(Printed::new(Pipe::from_owned_fd(fd)?)))
            .collect::<io::Result<_>>()?;
        let (say, said) = mpsc::channel(WAITING);
        let keeper = Keeper {
            destination,
            pipes,
            lines: Vec::new(),
            bytes: 0,
            oldest: None,
            tail: VecDeque::new(),
            warned: false,
        };
        tokio::spawn(keeper.keep(said));
        Ok(Self(say))
    }

    /// A line of the environment's own; `begins`: a new invocation's first.
    pub(super) async fn say(&self, text: String, begins: bool) {
        // The task ends only after this hand.
        let _ = self.0.send(Say::Line { text, begins }).await;
    }

    /// The last lines of an invocation, behind everything that it printed; and the end of its log, if wanted.
    pub(super) async fn finish(&self, lines: Vec<String>, tail: bool) -> Option<String> {
        let (give, taken) = if tail { Some(oneshot::channel()).unzip() } else { (None, None) };
        let _ = self.0.send(Say::Finish { lines, tail: give }).await;
        match taken {
            Some(taken) => taken.await.ok(),
            None => None,
        }
    }
}

struct Keeper {
    destination: Destination,
    pipes: Vec<Printed>,
    lines: Vec<LogLine>,
    bytes: usize,
    oldest: Option<Instant>,
    tail: VecDeque<u8>,
    warned: bool,
}

/// One of the function's outputs.
struct Printed {
    pipe: Pipe,
    partial: Vec<u8>,
    open: bool,
}

impl Printed {
    fn new(pipe: Pipe) -> Self {
        Self { pipe, partial: Vec::new(), open: true }
    }

    /// Waits until there is something to read; for ever once it is closed.
    async fn readable(&self) {
        if !self.open || self.pipe.readable().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Reads what is there, and gives the whole lines in it.
    fn take(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut buffer = [0_u8; 16 * 1_024];
        // No more at a time than is written at a time.
        for _ in 0..MOST_WAITING / buffer.len() {
            match self.pipe.try_read(&mut buffer) {
                Ok(0) => self.open = false,
                Ok(n) => {
                    self.partial.extend_from_slice(&buffer[..n]);
                    self.cut(&mut lines);
                    continue;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => self.open = false,
            }
            break;
        }
        if !self.open && !self.partial.is_empty() {
            lines.push(text(&std::mem::take(&mut self.partial)));
        }
        lines
    }

    fn cut(&mut self, lines: &mut Vec<String>) {
        let mut from = 0;
        while let Some(at) = self.partial[from..].iter().position(|byte| *byte == b'\n') {
            lines.push(text(&self.partial[from..from + at]));
            from += at + 1;
        }
        self.partial.drain(..from);
        while self.partial.len() >= LONGEST_LINE {
            lines.push(text(&self.partial[..LONGEST_LINE]));
            self.partial.drain(..LONGEST_LINE);
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl Keeper {
    async fn keep(mut self, mut said: mpsc::Receiver<Say>) {
        loop {
            let due = self.oldest.map(|oldest| oldest + PATIENCE);
            tokio::select! {
                biased;
                say = said.recv() => match say {
                    Some(say) => self.heed(say),
                    None => break,
                },
                () = any_readable(&self.pipes) => self.drain(),
                () = until(due) => self.write().await,
            }
            if self.bytes >= MOST_WAITING {
                self.write().await;
            }
        }
        self.drain();
        self.write().await;
    }

    fn heed(&mut self, say: Say) {
        self.drain();
        match say {
            Say::Line { text, begins } => {
                if begins {
                    self.tail.clear();
                }
                self.push(text);
            }
            Say::Finish { lines, tail } => {
                for line in lines {
                    self.push(line);
                }
                if let Some(tail) = tail {
                    // Whoever asked may have gone.
                    let _ = tail.send(text(self.tail.make_contiguous()));
                }
            }
        }
    }

    fn drain(&mut self) {
        let lines: Vec<String> = self.pipes.iter_mut().flat_map(Printed::take).collect();
        for line in lines {
            self.push(line);
        }
    }

    fn push(&mut self, text: String) {
        self.tail.extend(text.bytes());
        self.tail.push_back(b'\n');
        let over = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..over);
        if text.is_empty() {
            return;
        }
        self.bytes += text.len();
        self.oldest.get_or_insert_with(Instant::now);
        self.lines.push(LogLine { at: self.destination.clock.now(), text });
    }

    async fn write(&mut self) {
        let lines = std::mem::take(&mut self.lines);
        (self.bytes, self.oldest) = (0, None);
        let Destination { put_log: Some(put_log), region, group, stream, .. } = &self.destination else {
            return;
        };
        if lines.is_empty() {
            return;
        }
        let count = lines.len();
        if let Err(error) = put_log.put_log(region, group, stream, lines).await
            && !std::mem::replace(&mut self.warned, true)
        {
            tracing::warn!(%error, group, count, "lines of a function's log were lost");
        }
    }
}

async fn any_readable(pipes: &[Printed]) {
    match pipes {
        [] => std::future::pending().await,
        [one] => one.readable().await,
        [one, other, ..] => {
            tokio::select! {
                () = one.readable() => {}
                () = other.readable() => {}
            }
        }
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}
