//! A service with a sandbox, a role, and somebody who listens to the logs.

use std::collections::HashMap;
use std::io::{Cursor, Write as _};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use homeport_blobs::Blobs;
use homeport_core::{BoxFuture, Region, Timestamp};
use homeport_lambda::{Lambda, Limits, Machine, Outbound};
use homeport_sandbox::Spawner;
use homeport_service::needs::{Assume, AssumeForService, AssumeRefused, Credentials, LogLine, PutLog};
use homeport_store::StoreError;
use homeport_testkit::{Reply, TestApp};
use homeport_vault::Secret;
use serde_json::{Value, json};
use zip::write::SimpleFileOptions;

pub(crate) const TRUSTS_LAMBDA: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
    "Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

pub(crate) struct Stage {
    pub(crate) app: TestApp,
    pub(crate) lambda: Arc<Lambda>,
    pub(crate) logs: Arc<Logs>,
    pub(crate) folder: PathBuf,
    role: String,
}

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

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::with(Limits::default()).await
    }

    pub(crate) async fn with(limits: Limits) -> Self {
        let number = STAGES.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("homeport-functions-{}-{number}", std::process::id()));
        std::fs::create_dir_all(folder.join("data")).expect("a folder");
        std::fs::write(folder.join("data/store"), "the store").expect("write");
        let limit = homeport_sandbox::Limits::default();
        let sandbox = Spawner::probe(&folder.join("data/sandbox"), limit).await.expect("the probe works");
        assert!(sandbox.confinement().tier > homeport_sandbox::Tier::Refused, "{}", sandbox.confinement());
        let machine = Machine {
            blobs: Blobs::in_memory("lambda"),
            sandbox,
            folder: folder.join("data/functions"),
            runtimes: folder.join("runtimes"),
            interpreter_folders: vec!["/usr/local/bin".into(), "/usr/bin".into()],
            hidden: vec![folder.join("data")],
            ca_bundle: None,
            network: Outbound::default(),
            limits,
        };
        let logs = Arc::new(Logs::default());
        let mut lambda = None;
        let app = TestApp::new(|parts| {
            parts.needs.assume.set(Arc::new(Roles)).ok();
            parts.needs.put_log.set(logs.clone()).ok();
            let (service, hosted) = homeport_lambda::host(parts, machine).expect("the service stands");
            parts.needs.resource_policies.set(vec![("lambda", service.clone())]).ok();
            parts.needs.invoke.set(service.clone()).ok();
            lambda = Some(service);
            vec![hosted]
        });
        let role = app.iam.put_role("functions", TRUSTS_LAMBDA);
        Self { app, lambda: lambda.expect("a service"), logs, folder, role }
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
