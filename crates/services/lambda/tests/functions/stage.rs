//! A service with a sandbox, a role, and somebody who listens to the logs.

use std::collections::HashMap;
use std::io::{Cursor, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use homeport_blobs::Blobs;
use homeport_core::{BoxFuture, Region, Timestamp};
use homeport_lambda::{Lambda, Limits, Machine, Outbound};
use homeport_sandbox::{Spawner, Tier};
use homeport_service::needs::{
    Assume, AssumeForService, AssumeRefused, Credentials, Fetch, FetchRefused, LogLine, PutLog,
};
use homeport_service::{Body, Hosted, Parts, Plane};
use homeport_store::StoreError;
use homeport_testkit::{Reply, TestApp};
use homeport_vault::Secret;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use zip::write::SimpleFileOptions;

pub(crate) const TRUSTS_LAMBDA: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
    "Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

pub(crate) struct Stage {
    pub(crate) app: TestApp,
    pub(crate) lambda: Arc<Lambda>,
    pub(crate) logs: Arc<Logs>,
    pub(crate) folder: PathBuf,
    role: String,
    blobs: Blobs,
}

type Made = (Vec<Arc<dyn Hosted>>, Vec<Arc<dyn Plane>>);

/// Everything that was logged, by group and stream.
#[derive(Default)]
pub(crate) struct Logs(Mutex<HashMap<(String, String), Vec<String>>>);

impl Logs {
    /// The lines of a group, stream by stream, once `enough` says so.
    pub(crate) async fn of(&self, function: &str, enough: impl Fn(&[String]) -> bool) -> Vec<String> {
        let group = format!("/aws/lambda/{function}");
        for _ in 0..200 {
            let lines: Vec<String> = {
                let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                all.iter().filter(|((of, _), _)| *of == group).flat_map(|(_, lines)| lines.clone()).collect()
            };
            if enough(&lines) {
                return lines;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{function} never logged enough");
    }
}

impl PutLog for Logs {
    fn put_log<'a>(
        &'a self,
        _: &'a Region,
        group: &'a str,
        stream: &'a str,
        lines: Vec<LogLine>,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let texts = lines.into_iter().map(|line| line.text);
            all.entry((group.to_owned(), stream.to_owned())).or_default().extend(texts);
            Ok(())
        })
    }
}

/// The guarded connector: it connects to one host alone, and that is a little web server here.
pub(crate) struct Web(SocketAddr);

impl Web {
    async fn stand() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("listen");
        let web = Self(listener.local_addr().expect("address"));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = [0; 4_096];
                let length = stream.read(&mut request).await.unwrap_or(0);
                let line =
                    String::from_utf8_lossy(&request[..length]).lines().next().unwrap_or_default().to_owned();
                let head =
                    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", line.len());
                stream.write_all(format!("{head}{line}").as_bytes()).await.ok();
            }
        });
        web
    }
}

impl Fetch for Web {
    fn fetch<'a>(
        &'a self,
        _: http::Request<bytes::Bytes>,
        _: Duration,
    ) -> BoxFuture<'a, Result<http::Response<Body>, FetchRefused>> {
        Box::pin(async { Err(FetchRefused::Forbidden("functions connect by themselves".to_owned())) })
    }

    fn connect<'a>(&'a self, host: &'a str, _: u16) -> BoxFuture<'a, Result<TcpStream, FetchRefused>> {
        Box::pin(async move {
            if host != "allowed.example" {
                return Err(FetchRefused::Forbidden(host.to_owned()));
            }
            TcpStream::connect(self.0).await.map_err(|error| FetchRefused::Unreachable(error.to_string()))
        })
    }
}

/// Credentials that only look like some.
struct Roles;

impl AssumeForService for Roles {
    fn assume<'a>(&'a self, assume: Assume) -> BoxFuture<'a, Result<Credentials, AssumeRefused>> {
        Box::pin(async move {
            Ok(Credentials {
                access_key_id: "ASIATESTFUNCTION0000".to_owned(),
                secret_access_key: Secret::new(b"secret-of-the-role".to_vec()),
                session_token: Secret::new(format!("token-of-{}", assume.session_name).into_bytes()),
                expiration: Timestamp::from_seconds(1_795_000_000 + assume.seconds),
            })
        })
    }
}

static STAGES: AtomicU64 = AtomicU64::new(0);
/// The strongest tier that is tried, by its number.
static AT_MOST: AtomicU8 = AtomicU8::new(3);

/// Uses at most this tier from now on; or why the machine gives nothing then.
pub(crate) async fn use_tier(tier: Tier) -> Result<(), String> {
    AT_MOST.store(tier.number(), Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("homeport-tier-{}", std::process::id()));
    let sandbox = Spawner::probe(&folder, limits()).await.map_err(|error| error.to_string())?;
    std::fs::remove_dir_all(&folder).ok();
    match sandbox.confinement().tier {
        Tier::Refused => Err(sandbox.confinement().to_string()),
        _ => Ok(()),
    }
}

fn limits() -> homeport_sandbox::Limits {
    let number = AT_MOST.load(Ordering::Relaxed);
    let tiers = [Tier::OwnUid, Tier::Namespaces, Tier::Landlock];
    let at_most = tiers.into_iter().find(|tier| tier.number() == number).unwrap_or(Tier::OwnUid);
    homeport_sandbox::Limits { at_most, ..homeport_sandbox::Limits::default() }
}

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::with(Limits::default()).await
    }

    pub(crate) async fn with(limits: Limits) -> Self {
        Self::made(limits, Blobs::in_memory("lambda"), Arc::default(), |make| TestApp::with_planes(make))
            .await
    }

    /// A further node, which logs to the same place.
    pub(crate) async fn beside(&self) -> Self {
        let (blobs, logs) = (self.blobs.clone(), self.logs.clone());
        Self::made(Limits::default(), blobs, logs, |make| self.app.beside(make)).await
    }

    async fn made(
        limits: Limits,
        blobs: Blobs,
        logs: Arc<Logs>,
        app: impl FnOnce(&mut dyn FnMut(&Parts) -> Made) -> TestApp,
    ) -> Self {
        let number = STAGES.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("homeport-functions-{}-{number}", std::process::id()));
        std::fs::create_dir_all(folder.join("data")).expect("a folder");
        std::fs::write(folder.join("data/store"), "the store").expect("write");
        let sandbox = Spawner::probe(&folder.join("data/sandbox"), crate::stage::limits())
            .await
            .expect("the probe works");
        assert!(sandbox.confinement().tier > homeport_sandbox::Tier::Refused, "{}", sandbox.confinement());
        let mut machine = Some(Machine {
            blobs: blobs.clone(),
            sandbox,
            folder: folder.join("data/functions"),
            runtimes: folder.join("runtimes"),
            interpreter_folders: vec!["/usr/local/bin".into(), "/usr/bin".into()],
            hidden: vec![folder.join("data")],
            ca_bundle: None,
            network: Outbound::default(),
            limits,
        });
        let web = Arc::new(Web::stand().await);
        let mut lambda = None;
        let app = app(&mut |parts| {
            parts.needs.assume.set(Arc::new(Roles)).ok();
            parts.needs.put_log.set(logs.clone()).ok();
            parts.needs.fetch.set(web.clone()).ok();
            let machine = machine.take().expect("made once");
            let (service, hosted) = homeport_lambda::host(parts, machine).expect("the service stands");
            parts.needs.resource_policies.set(vec![("lambda", service.clone())]).ok();
            parts.needs.invoke.set(service.clone()).ok();
            lambda = Some(service);
            (vec![hosted], Vec::new())
        });
        let role = app.iam.put_role("functions", TRUSTS_LAMBDA);
        Self { app, lambda: lambda.expect("a service"), logs, folder, role, blobs }
    }

    /// Creates a function from one file.
    pub(crate) async fn create(&self, name: &str, runtime: &str, file: &str, text: &str, more: Value) {
        let mut input = json!({
            "FunctionName": name,
            "Runtime": runtime,
            "Role": self.role,
            "Handler": "index.handler",
            "Code": {"ZipFile": zip(file, text)},
        });
        for (key, value) in more.as_object().expect("an object") {
            input[key] = value.clone();
        }
        self.app.admin().call("lambda", "CreateFunction", input).await.ok();
    }

    pub(crate) async fn invoke(&self, name: &str, event: Value) -> Reply {
        self.ask(json!({"FunctionName": name, "Payload": STANDARD.encode(event.to_string())})).await
    }

    /// Waits until no event is queued.
    pub(crate) async fn queue_is_empty(&self) {
        let queue = homeport_store::Key::of("lambda.event");
        for _ in 0..200 {
            let rows = self.app.rows().await;
            if !rows.iter().any(|(key, _)| key.starts_with(queue.as_bytes())) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("events stay in the queue");
    }

    pub(crate) async fn ask(&self, input: Value) -> Reply {
        self.app.admin().call("lambda", "Invoke", input).await
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

pub(crate) fn zip(file: &str, text: &str) -> String {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file(file, SimpleFileOptions::default().unix_permissions(0o755)).expect("start");
    writer.write_all(text.as_bytes()).expect("write");
    STANDARD.encode(writer.finish().expect("finish").into_inner())
}

pub(crate) fn header<'a>(reply: &'a Reply, name: &str) -> &'a str {
    reply.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
