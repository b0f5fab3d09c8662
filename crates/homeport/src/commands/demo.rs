//! `homeport demo`: the notes sample on a server of its own.

mod server;

use std::net::{Ipv4Addr, SocketAddr, TcpListener as Bound};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use homeport_core::SharedClock;
use homeport_demo::check::{Walk, walk};
use homeport_demo::deploy::Place;
use homeport_demo::{Aws, CallFailed, Deployed, deploy, page};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::print;
use crate::args::DemoArguments;
use crate::clock::SystemClock;
use crate::error::ProgramError;
use server::DemoServer;

/// The ports that are tried first: the server's, and the page's.
const PORTS: (u16, u16) = (4566, 4568);
/// Where the sample keeps its data, below the current folder.
const FOLDER: &str = ".demo";

pub(super) fn run(asked: &DemoArguments) -> Result<ExitCode, ProgramError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async { if asked.check { check().await } else { show().await } })
}

/// What is kept beside the data, so that the next start finds the sample again.
#[derive(Serialize, Deserialize)]
struct Kept {
    page_port: u16,
    deployed: Deployed,
}

fn clock() -> SharedClock {
    Arc::new(SystemClock)
}

/// Binds a loopback port; 0 takes a free one.
fn bind(port: u16) -> Option<Bound> {
    Bound::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).ok()
}

fn port_of(bound: &Bound) -> Result<u16, ProgramError> {
    Ok(bound.local_addr()?.port())
}

fn failed(error: CallFailed) -> ProgramError {
    ProgramError::Demo(error.to_string())
}

/// Walks the sample in a temporary folder on free ports, and leaves nothing behind.
async fn check() -> Result<ExitCode, ProgramError> {
    let folder = tempfile::tempdir()?;
    let page = bind(0).ok_or_else(no_port)?;
    let origin = format!("http://127.0.0.1:{}", port_of(&page)?);
    let free = bind(0).ok_or_else(no_port)?;
    let port = port_of(&free)?;
    drop(free);
    let server = DemoServer::start(folder.path(), port, "warn").await?;
    let outcome = check_on(&server, &origin).await;
    server.stop().await;
    outcome?;
    print("all six steps hold\n")
}

async fn check_on(server: &DemoServer, origin: &str) -> Result<(), ProgramError> {
    let (app, admin) = callers(server)?;
    let place = Place { public_url: &server.url(), page_origin: origin };
    let backend = deploy(&admin, &place).await.map_err(failed)?;
    say("the notes backend is deployed through its own AWS APIs");
    let code_for = |email: &str| server.code_for(email);
    let walked = Walk { app: &app, admin: &admin, backend: &backend, code_for: &code_for, say: &say };
    walk(&walked).await.map_err(|error| ProgramError::Demo(error.to_string()))
}

fn say(step: &str) {
    println!("{step}");
}

fn no_port() -> ProgramError {
    ProgramError::Demo("no free port on 127.0.0.1".to_owned())
}

fn callers(server: &DemoServer) -> Result<(Aws, Aws), ProgramError> {
    let app = Aws::anonymous(server.host(), clock());
    let admin = app.with(server.credentials()?);
    Ok((app, admin))
}

/// Starts the sample, or goes on where it was, and serves the page until it is stopped.
async fn show() -> Result<ExitCode, ProgramError> {
    // From the first moment on: whoever ends this process must not leave a server behind.
    let mut stop = Stop::listen()?;
    let (port, page_listener, folder) = place()?;
    println!("Starting the notes sample; the first time this takes about ten seconds.");
    let server = tokio::select! {
        server = DemoServer::start(&folder, port, "info") => server?,
        () = stop.asked() => return Ok(ExitCode::SUCCESS),
    };
    let outcome = tokio::select! {
        served = deploy_and_serve(&server, page_listener, &folder) => served,
        () = stop.asked() => Ok(()),
        () = server.ended() => Err(ProgramError::Demo("the server ended by itself; its log is above".to_owned())),
    };
    server.stop().await;
    outcome.map(|()| ExitCode::SUCCESS)
}

async fn deploy_and_serve(
    server: &DemoServer,
    page_listener: Bound,
    folder: &Path,
) -> Result<(), ProgramError> {
    let (_, admin) = callers(server)?;
    let page_port = port_of(&page_listener)?;
    let origin = format!("http://127.0.0.1:{page_port}");
    let backend = match kept(folder) {
        Some(kept) => kept.deployed,
        None => {
            let place = Place { public_url: &server.url(), page_origin: &origin };
            let deployed = deploy(&admin, &place).await.map_err(failed)?;
            let kept = Kept { page_port, deployed: deployed.clone() };
            std::fs::write(kept_file(folder), serde_json::to_vec_pretty(&kept).unwrap_or_default())?;
            deployed
        }
    };
    print(&tour(server, folder, &origin, &backend)?)?;
    page_listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(page_listener)?;
    Ok(page::serve(listener, &server.url(), &backend).await?)
}

/// The server's port, the page's listener, and the folder that belongs to them. A folder holds the addresses that
/// its tokens and links name, so another port takes another folder: one of an earlier time before a new one.
fn place() -> Result<(u16, Bound, PathBuf), ProgramError> {
    let page_port = kept(&folder_of(PORTS.0)).map_or(PORTS.1, |kept| kept.page_port);
    if let Some(page) = free(PORTS.0, page_port) {
        return Ok((PORTS.0, page, folder_of(PORTS.0)));
    }
    let again = earlier().into_iter().find_map(|(port, page_port)| Some((port, free(port, page_port)?)));
    let (port, page) = match again {
        Some(again) => again,
        None => (port_of(&bind(0).ok_or_else(no_port)?)?, bind(0).ok_or_else(no_port)?),
    };
    let folder = folder_of(port);
    println!("Port {} or {page_port} is taken: the sample runs on {port}, in {}.", PORTS.0, folder.display());
    Ok((port, page, folder))
}

/// The page's listener, if both ports are free.
fn free(port: u16, page_port: u16) -> Option<Bound> {
    bind(port).and_then(|_server| bind(page_port))
}

/// The server's and the page's ports of samples that ran here before, by the server's.
fn earlier() -> Vec<(u16, u16)> {
    let folders = std::fs::read_dir(FOLDER).into_iter().flatten().flatten();
    let ports = folders.filter_map(|folder| folder.file_name().to_str()?.parse().ok());
    let mut found: Vec<_> =
        ports.filter_map(|port| Some((port, kept(&folder_of(port))?.page_port))).collect();
    found.sort_unstable();
    found
}

fn folder_of(port: u16) -> PathBuf {
    Path::new(FOLDER).join(port.to_string())
}

fn kept_file(folder: &Path) -> PathBuf {
    folder.join("demo.json")
}

fn kept(folder: &Path) -> Option<Kept> {
    serde_json::from_slice(&std::fs::read(kept_file(folder)).ok()?).ok()
}

/// Ctrl-C and SIGTERM, heard from when it is made.
struct Stop {
    interrupted: Signal,
    terminated: Signal,
}

impl Stop {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            interrupted: signal(SignalKind::interrupt())?,
            terminated: signal(SignalKind::terminate())?,
        })
    }

    async fn asked(&mut self) {
        tokio::select! {
            _ = self.interrupted.recv() => {}
            _ = self.terminated.recv() => {}
        }
    }
}

fn tour(
    server: &DemoServer,
    folder: &Path,
    origin: &str,
    backend: &Deployed,
) -> Result<String, ProgramError> {
    let (program, data) = (server.program().display(), folder.join("data"));
    let data = data.display();
    let (table, group) = (&backend.table, format!("/aws/lambda/{}", backend.function));
    Ok(format!(
        "
The page:                {origin}
The outbox (codes):      {outbox}
                         (opens once, within ten minutes; another: {program} outbox --link --data {data})
The AWS endpoint:        {url}
The administrator's keys: {program} credentials --data {data}

Three things to try in another terminal, from this folder, with the AWS CLI, once there is a first note:
  eval \"$({program} env --data {data})\"
  aws dynamodb scan --table-name {table}
  aws logs filter-log-events --log-group-name {group}
  aws cognito-idp list-users --user-pool-id {pool}

Ctrl-C stops it; the data stays in {folder}.
",
        outbox = server.outbox_link()?,
        url = server.url(),
        pool = backend.user_pool_id,
        folder = folder.display(),
    ))
}
