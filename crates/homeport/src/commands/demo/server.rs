use std::path::{Path, PathBuf};
use std::process::{Command as Blocking, Stdio};
use std::time::Duration;

use homeport_demo::{Aws, CallFailed, Keys};
use serde_json::Value;
use tokio::process::{Child, Command};
use tokio::sync::Mutex;

use super::clock;
use crate::error::ProgramError;

/// How long a server may take to be ready, and to end.
const READY_WITHIN: Duration = Duration::from_secs(20);
const ENDS_WITHIN: Duration = Duration::from_secs(15);

/// A server of this very program, as a process of its own.
pub(super) struct DemoServer {
    program: PathBuf,
    data: PathBuf,
    host: String,
    child: Mutex<Child>,
    process: Option<i32>,
}

impl DemoServer {
    /// Starts it with its data below `folder` and waits until it is ready.
    pub(super) async fn start(folder: &Path, port: u16, log_level: &str) -> Result<Self, ProgramError> {
        std::fs::create_dir_all(folder)?;
        let program = std::env::current_exe()?;
        let (data, host) = (folder.join("data"), format!("127.0.0.1:{port}"));
        let mut command = Command::new(&program);
        command.arg("serve").arg("--data").arg(&data).args(["--listen", &host]).stdin(Stdio::null());
        command.env("HOMEPORT_LOG_LEVEL", log_level);
        let child = command.stdout(Stdio::null()).kill_on_drop(true).spawn()?;
        let process = child.id().and_then(|id| i32::try_from(id).ok());
        let server = Self { program, data, host, child: Mutex::new(child), process };
        server.wait_until_ready().await?;
        Ok(server)
    }

    async fn wait_until_ready(&self) -> Result<(), ProgramError> {
        let caller = Aws::anonymous(&self.host, clock());
        let ready = async {
            loop {
                let answer = caller.send("", "GET", "/_homeport/ready", &[], Vec::new()).await;
                if answer.is_ok_and(|answer| answer.status == 200) {
                    return Ok(());
                }
                if self.child.lock().await.try_wait()?.is_some() {
                    return Err(ProgramError::Demo("the server did not start; its log is above".to_owned()));
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let late = || ProgramError::Demo("the server was not ready in time; its log is above".to_owned());
        tokio::time::timeout(READY_WITHIN, ready).await.map_err(|_| late())?
    }

    pub(super) fn program(&self) -> &Path {
        &self.program
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.host)
    }

    /// Asks this program, as a person would at the command line.
    fn ask(&self, words: &[&str]) -> Result<String, ProgramError> {
        let output = Blocking::new(&self.program).args(words).arg("--data").arg(&self.data).output()?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(ProgramError::Demo(format!("homeport {}: {said}", words.join(" "))));
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// The administrator's keys.
    pub(super) fn credentials(&self) -> Result<Keys, ProgramError> {
        let printed = self.ask(&["credentials", "--format", "json"])?;
        let keys: Value =
            serde_json::from_str(&printed).map_err(|error| ProgramError::Demo(error.to_string()))?;
        let member = |name: &str| keys[name].as_str().unwrap_or_default().to_owned();
        Ok(Keys {
            access_key_id: member("accessKeyId"),
            secret_access_key: member("secretAccessKey"),
            session_token: None,
        })
    }

    /// The newest code that was sent to an address.
    pub(super) fn code_for(&self, email: &str) -> Result<String, CallFailed> {
        self.ask(&["outbox", "--to", email, "--last", "--code"])
            .map_err(|error| CallFailed::Unexpected(error.to_string()))
    }

    /// A one-time link to the outbox page.
    pub(super) fn outbox_link(&self) -> Result<String, ProgramError> {
        self.ask(&["outbox", "--link"])
    }

    /// Waits until the server ends by itself.
    pub(super) async fn ended(&self) {
        loop {
            if !matches!(self.child.lock().await.try_wait(), Ok(None)) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Asks the server to end, and ends it when it does not.
    pub(super) async fn stop(&self) {
        let mut child = self.child.lock().await;
        if let Some(process) = self.process.and_then(rustix::process::Pid::from_raw) {
            rustix::process::kill_process(process, rustix::process::Signal::TERM).ok();
        }
        if tokio::time::timeout(ENDS_WITHIN, child.wait()).await.is_err() {
            child.kill().await.ok();
        }
    }
}
