//! An S3 cluster on this machine: moto's server, from PyPI.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use crate::ports::lasting_port;

/// How long it may take to start; two processors may be compiling beside it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server that ends with its last user.
pub(crate) struct Moto {
    server: Child,
    port: u16,
}

static SHARED: Mutex<Weak<Moto>> = Mutex::new(Weak::new());

impl Moto {
    /// The one that tests share, which believes every signature. None, with a word, where moto isn't installed.
    pub(crate) fn shared() -> Option<Arc<Self>> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(moto) = shared.upgrade() {
            return Some(moto);
        }
        let moto = Arc::new(Self::start(&[])?);
        *shared = Arc::downgrade(&moto);
        Some(moto)
    }

    /// One of one's own.
    pub(crate) fn start(arguments: &[&str]) -> Option<Self> {
        let Some(program) = program() else {
            eprintln!("SKIPPED blobs in an S3 cluster: moto_server is not installed");
            return None;
        };
        let port = lasting_port();
        let server = Command::new(program)
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .args(arguments)
            // Whoever calls is believed until `check_signatures`.
            .env("INITIAL_NO_AUTH_ACTION_COUNT", "1000000")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut moto = Self { server, port };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(moto.server.try_wait().unwrap().is_none(), "moto_server ended");
            assert!(begun.elapsed() < PATIENCE, "moto_server doesn't answer");
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(moto)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// One request by hand, and the answer's body.
    pub(crate) fn ask(&self, method: &str, target: &str, headers: &str, body: &str) -> String {
        let mut socket = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let length = body.len();
        let head =
            format!("{method} {target} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n", self.port);
        write!(socket, "{head}Content-Length: {length}\r\n{headers}\r\n{body}").unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 20"), "{method} {target}: {answer}");
        answer.split_once("\r\n\r\n").unwrap().1.to_owned()
    }

    pub(crate) fn make_bucket(&self, bucket: &str) {
        self.ask("PUT", &format!("/{bucket}"), "", "");
    }

    /// A user who may do all in S3: the access key's id and secret.
    pub(crate) fn make_user(&self) -> (String, String) {
        let iam = "Authorization: AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/iam/aws4_request, \
                   SignedHeaders=host, Signature=0\r\n";
        let call = |query: &str| self.ask("GET", &format!("/?Version=2010-05-08&{query}"), iam, "");
        call("Action=CreateUser&UserName=homeport");
        let policy = "%7B%22Version%22:%222012-10-17%22,%22Statement%22:%5B%7B%22Effect%22:%22Allow%22,\
                      %22Action%22:%22s3:*%22,%22Resource%22:%22*%22%7D%5D%7D";
        call(&format!("Action=PutUserPolicy&UserName=homeport&PolicyName=p&PolicyDocument={policy}"));
        let key = call("Action=CreateAccessKey&UserName=homeport");
        let element = |name: &str| {
            let (_, rest) = key.split_once(&format!("<{name}>")).unwrap();
            rest.split_once('<').unwrap().0.to_owned()
        };
        (element("AccessKeyId"), element("SecretAccessKey"))
    }

    /// From now on signatures are verified.
    pub(crate) fn check_signatures(&self) {
        self.ask("POST", "/moto-api/reset-auth", "Content-Type: text/plain\r\n", "0");
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        self.server.kill().ok();
        self.server.wait().ok();
    }
}

/// Where `make test` installs the version that is known to check signatures as S3 does.
fn program() -> Option<PathBuf> {
    let own = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../.tools/venv/bin/moto_server"));
    own.exists().then_some(own)
}
