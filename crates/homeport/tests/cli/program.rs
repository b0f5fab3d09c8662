//! What the tests run and ask.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(20);

/// A folder for one installation, and the program in it.
pub(crate) struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The program with these words, in this folder, with nothing of the tests' own environment.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_homeport"));
        command.args(words).current_dir(self.folder.path()).env_clear().stdin(Stdio::null());
        command.env("PATH", "/usr/local/bin:/usr/bin:/bin").env("HOME", self.folder.path());
        command
    }

    pub(crate) fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    /// What a command that succeeds prints.
    pub(crate) fn prints(&self, words: &[&str]) -> String {
        let output = self.run(words);
        assert!(output.status.success(), "{words:?}: {}", stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What a command that fails says; it prints nothing.
    pub(crate) fn fails(&self, words: &[&str]) -> String {
        let output = self.run(words);
        assert!(!output.status.success(), "{words:?} did not fail");
        assert!(output.stdout.is_empty(), "{words:?} printed something");
        stderr(&output)
    }

    pub(crate) fn serve(&self) -> Server {
        self.serve_with(&[], |_| {})
    }

    /// A server on free ports.
    pub(crate) fn serve_with(&self, words: &[&str], change: impl FnOnce(&mut Command)) -> Server {
        let mut all = vec!["serve"];
        if !words.contains(&"--listen") {
            all.extend(["--listen", "127.0.0.1:0"]);
        }
        if !words.contains(&"--console") {
            all.extend(["--console", "127.0.0.1:0"]);
        }
        all.extend(words);
        let mut command = self.command(&all);
        change(&mut command);
        let data =
            words.iter().position(|word| *word == "--data").map_or("homeport-data", |at| words[at + 1]);
        Server::start(command, self.path(data).join("server.json"))
    }

    /// The one flat object of `credentials --format json`.
    pub(crate) fn credentials(&self) -> Value {
        serde_json::from_str(&self.prints(&["credentials", "--format", "json"])).unwrap()
    }
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A running server; it is killed when this is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) file: Value,
    file_path: PathBuf,
}

impl Server {
    fn start(mut command: Command, file_path: PathBuf) -> Self {
        let before = std::fs::read(&file_path).ok();
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let began = Instant::now();
        loop {
            let written = std::fs::read(&file_path).ok().filter(|written| Some(written) != before.as_ref());
            if let Some(file) = written.and_then(|written| serde_json::from_slice::<Value>(&written).ok()) {
                let server = Self { child, file, file_path };
                server.wait_until_ready(began);
                return server;
            }
            if child.try_wait().unwrap().is_some() {
                let mut said = String::new();
                child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
                panic!("the server ended: {said}");
            }
            assert!(began.elapsed() < PATIENCE, "the server is not there");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The file comes before the listeners.
    fn wait_until_ready(&self, began: Instant) {
        while TcpStream::connect(self.address()).is_err() {
            assert!(began.elapsed() < PATIENCE, "the server does not accept");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub(crate) fn endpoint(&self) -> &str {
        self.file["endpoint"].as_str().unwrap()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.endpoint().split("//").nth(1).unwrap().parse().unwrap()
    }

    pub(crate) fn console(&self) -> SocketAddr {
        self.file["commands"].as_str().unwrap().parse().unwrap()
    }

    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as a service manager does, and gives what it said.
    pub(crate) fn stop(mut self) -> String {
        let process = i32::try_from(self.child.id()).unwrap();
        rustix::process::kill_process(
            rustix::process::Pid::from_raw(process).unwrap(),
            rustix::process::Signal::TERM,
        )
        .unwrap();
        assert!(self.child.wait().unwrap().success(), "the server did not end well");
        assert!(!self.file_path.exists(), "server.json was left behind");
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        said
    }

    /// Ends it at once.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// One answer, whole.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

/// One request on a connection of its own.
pub(crate) fn ask(address: SocketAddr, request: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut tcp = TcpStream::connect(address).unwrap();
    tcp.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut head = format!("{request} HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    if !headers.iter().any(|(name, _)| *name == "host") {
        head.push_str(&format!("host: {address}\r\n"));
    }
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    tcp.write_all(format!("{head}\r\n{body}").as_bytes()).unwrap();
    let mut answer = String::new();
    tcp.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

pub(crate) fn get(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Answer {
    ask(address, &format!("GET {path}"), headers, "")
}
