//! What is tried in each tier.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use homeport_sandbox::{Confined, Inside, Launch, Limits, Mount, Network, Program, Spawner, Tier};
use tokio::io::AsyncReadExt;

use crate::victim::Victim;

/// What tier 1 is known to leave open, and nothing else: reading the metadata of a path that is known.
const LEFT_BY_TIER_1: [&str; 1] = ["stat the key"];
/// A script that stops early must not pass.
const LEAST_ATTACKS: usize = 70;
const TMP: u64 = 16 << 20;

/// Runs every scenario; the number of failures.
pub(crate) async fn in_tier(tier: Tier, user: &str) -> usize {
    let victim = Victim::stand();
    let limits = Limits { at_most: tier, ..Limits::default() };
    let work = victim.folder.join("data-work");
    let spawner = Spawner::probe(&work, limits).await.expect("the probe itself works");
    if spawner.confinement().tier != tier {
        println!("SKIPPED {tier} as {user}: {}", spawner.confinement());
        return 0;
    }
    println!("as {user}: {}", spawner.confinement());
    let at = format!("{tier} as {user}");
    let mut failures = attacks(&spawner, &victim, tier, &at).await;
    failures += said(&at, "the victim is unharmed", victim.is_unharmed());
    failures += what_is_hidden_stays_hidden(&spawner, &victim, &at).await;
    failures += node_says_hello(&spawner, &victim, &at).await;
    failures += a_hog_is_ended(&spawner, &victim, &at).await;
    failures += a_fork_bomb_is_bounded_and_ended(&spawner, &victim, &at).await;
    failures += none_survives_a_killed_parent(tier, &at).await;
    failures
}

fn said(at: &str, what: &str, holds: bool) -> usize {
    println!("test {at}: {what} ... {}", if holds { "ok" } else { "FAILED" });
    usize::from(!holds)
}

/// The interpreter and what of it doesn't lie below /usr.
fn interpreter(names: &[&str]) -> Option<PathBuf> {
    names.iter().map(PathBuf::from).find(|path| path.exists())
}

fn launch(code: PathBuf, memory_mib: u64) -> Launch {
    Launch {
        function: code.display().to_string(),
        hidden: Vec::new(),
        mounts: vec![Mount { from: code, at: "/var/task".into() }],
        memory_bytes: memory_mib << 20,
        tmp_bytes: TMP,
        listen: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 9_001))],
        hosts: vec!["name.of.homeport".to_owned()],
        network: Network::Cut,
    }
}

fn program(interpreter: &Path, script: &str, inside: &Inside, target: Option<String>) -> Program {
    let mut environment = vec![("API".to_owned(), inside.listeners[0].to_string())];
    environment.extend(target.map(|target| ("TARGET".to_owned(), target)));
    Program {
        path: interpreter.to_owned(),
        arguments: vec![inside.path("/var/task").join(script).display().to_string()],
        environment,
        folder: inside.path("/var/task"),
    }
}

async fn said_over_the_relay(standing: &mut Confined) -> Option<String> {
    let heard = async {
        let (mut stream, _) = standing.listeners[0].accept().await.ok()?;
        let mut text = String::new();
        stream.read_to_string(&mut text).await.ok()?;
        Some(text)
    };
    match tokio::time::timeout(Duration::from_secs(20), heard).await {
        Ok(heard) => heard,
        Err(_) => {
            standing.kill();
            let mut complaint = String::new();
            if let Some(stderr) = &mut standing.stderr {
                stderr.read_to_string(&mut complaint).await.ok()?;
            }
            println!("{complaint}{:?}", standing.wait().await);
            None
        }
    }
}

async fn attacks(spawner: &Spawner, victim: &Victim, tier: Tier, at: &str) -> usize {
    let Some(python) = interpreter(&["/usr/bin/python3", "/usr/local/bin/python3"]) else {
        println!("SKIPPED {at}: no python3");
        return 0;
    };
    let run = |inside: &Inside| program(&python, "code.py", inside, None);
    let neighbour =
        spawner.launch(launch(victim.neighbour_code(), 128), run).await.expect("the neighbour stands");
    let neighbour_api = neighbour.listeners[0].local_addr().expect("address").port();
    until(Duration::from_secs(10), || find_by_command_line("/code.py").is_some()).await;
    let neighbour_pid = find_by_command_line("/code.py").expect("the neighbour runs");
    let run = |inside: &Inside| {
        let target = victim.target(&inside.tmp, !inside.tier.has_namespaces(), neighbour_pid, neighbour_api);
        program(&python, "attack.py", inside, Some(target))
    };
    let mut standing = spawner.launch(launch(victim.code(), 128), run).await.expect("the function stands");
    let report = said_over_the_relay(&mut standing).await.unwrap_or_default();
    let Ok(done) = serde_json::from_str::<BTreeMap<String, serde_json::Value>>(&report) else {
        return said(at, &format!("the function reports: {report}"), false);
    };
    let mut failures = said(at, "an honest function finds what it needs", standing.wait().await.status == 0);
    let mut refused = 0;
    for (attack, outcome) in done {
        if outcome["refused"] == true {
            refused += 1;
        } else if tier == Tier::Landlock && LEFT_BY_TIER_1.contains(&attack.as_str()) {
            println!("left open by {at}: {attack}");
        } else {
            failures += said(at, &format!("refused to {attack}: {}", outcome["how"]), false);
        }
    }
    failures + said(at, &format!("{refused} attacks are refused"), refused >= LEAST_ATTACKS)
}

/// The data folder may lie below something that a function may read.
async fn what_is_hidden_stays_hidden(spawner: &Spawner, victim: &Victim, at: &str) -> usize {
    let covers = spawner.confinement().tier.has_namespaces();
    let mut launch = launch(victim.folder.clone(), 64);
    launch.hidden = vec![victim.folder.join("data"), victim.folder.join("DATA.key")];
    let run = |_: &Inside| Program {
        path: "/bin/sh".into(),
        arguments: vec![
            "-c".to_owned(),
            "! [ -s /var/task/DATA.key ] && [ -z \"$(ls -A /var/task/data)\" ]".to_owned(),
        ],
        environment: vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned())],
        folder: "/".into(),
    };
    let standing = spawner.launch(launch, run).await;
    if !covers {
        return said(
            at,
            "where nothing can be covered, nothing runs beside what is hidden",
            standing.is_err(),
        );
    }
    let mut standing = standing.expect("stands");
    said(at, "what is hidden is covered below a folder that is not", standing.wait().await.status == 0)
}

async fn node_says_hello(spawner: &Spawner, victim: &Victim, at: &str) -> usize {
    let Some(node) = interpreter(&["/usr/bin/node", "/usr/local/bin/node"]) else {
        println!("SKIPPED {at}: no node");
        return 0;
    };
    let run = |inside: &Inside| program(&node, "hello.mjs", inside, None);
    let standing = spawner.launch(launch(victim.code(), 128), run).await.expect("node stands");
    let heard = async {
        let (mut stream, _) = standing.listeners[0].accept().await.ok()?;
        let mut bytes = [0_u8; 1_024];
        let mut text = String::new();
        while !text.contains("hello from") {
            let n = stream.read(&mut bytes).await.ok().filter(|n| *n > 0)?;
            text.push_str(&String::from_utf8_lossy(&bytes[..n]));
        }
        Some(text)
    };
    let heard = tokio::time::timeout(Duration::from_secs(20), heard).await.ok().flatten().unwrap_or_default();
    said(
        at,
        "Node runs, fetches and sees processors",
        heard.contains("hello from") && heard.contains("with true"),
    )
}

async fn a_hog_is_ended(spawner: &Spawner, victim: &Victim, at: &str) -> usize {
    let Some(python) = interpreter(&["/usr/bin/python3"]) else {
        return 0;
    };
    let run = |inside: &Inside| program(&python, "hog.py", inside, None);
    let mut standing = spawner.launch(launch(victim.code(), 40), run).await.expect("the hog stands");
    let begun = Instant::now();
    let exit = tokio::time::timeout(Duration::from_secs(20), standing.wait()).await;
    let ended = exit.is_ok_and(|exit| exit.out_of_memory);
    said(at, "a child that holds too much ends the tree", ended && begun.elapsed() < Duration::from_secs(10))
        + said(at, "the most memory it held is told", standing.peak_memory() > 20 << 20)
}

async fn a_fork_bomb_is_bounded_and_ended(spawner: &Spawner, victim: &Victim, at: &str) -> usize {
    let Some(python) = interpreter(&["/usr/bin/python3"]) else {
        return 0;
    };
    let run = |inside: &Inside| program(&python, "bomb.py", inside, None);
    let standing = spawner.launch(launch(victim.code(), 2_000), run).await.expect("the bomb stands");
    let mut most = 0;
    for _ in 0..15 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        most = most.max(count_by_command_line("bomb.py"));
    }
    let bounded = said(at, &format!("a fork bomb is bounded ({most})"), most > 10 && most <= 1_100);
    drop(standing);
    let gone = until(Duration::from_secs(10), || count_by_command_line("bomb.py") == 0).await;
    bounded + said(at, "nothing of it outlives its environment", gone)
}

async fn none_survives_a_killed_parent(tier: Tier, at: &str) -> usize {
    let marker = format!("marker-{}-{}", std::process::id(), tier.number());
    let exe = std::env::current_exe().expect("own path");
    let mut parent = Command::new(exe)
        .args(["stand", &tier.number().to_string(), &marker])
        .stdout(Stdio::null())
        .spawn()
        .expect("the parent stands");
    let stood =
        until(Duration::from_secs(20), || count_by_command_line(&format!("{marker}-inside")) >= 2).await;
    parent.kill().expect("kill -9");
    parent.wait().expect("wait");
    let gone =
        until(Duration::from_secs(10), || count_by_command_line(&format!("{marker}-inside")) == 0).await;
    said(at, "a function and its detached child run", stood)
        + said(at, "none survives kill -9 of Homeport", gone)
}

/// A parent with a function whose child has left its session, for the test to kill.
pub(crate) fn stand_until_killed(tier: Tier, marker: &str) -> ExitCode {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let inside = format!("{marker}-inside");
    runtime.block_on(async {
        let folder = std::env::temp_dir().join(marker);
        let limits = Limits { at_most: tier, ..Limits::default() };
        let spawner = Spawner::probe(&folder.join("work"), limits).await.expect("probe");
        let script = format!("setsid sh -c ': {inside}; sleep 60; :' & : {inside}; sleep 60; :");
        let launch = launch("/usr/bin".into(), 64);
        let run = |at: &Inside| Program {
            path: "/bin/sh".into(),
            arguments: vec!["-c".to_owned(), script.clone()],
            environment: vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned())],
            folder: at.path("/var/task"),
        };
        let _standing = spawner.launch(launch, run).await.expect("stands");
        let _ = std::fs::remove_dir_all(folder);
        tokio::time::sleep(Duration::from_secs(60)).await;
    });
    ExitCode::SUCCESS
}

async fn until(most: Duration, holds: impl Fn() -> bool) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < most {
        if holds() {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    false
}

fn command_lines() -> impl Iterator<Item = (i32, String)> {
    std::fs::read_dir("/proc").expect("/proc").flatten().filter_map(|process| {
        let pid = process.file_name().to_str()?.parse().ok()?;
        let line = std::fs::read(process.path().join("cmdline")).ok()?;
        Some((pid, String::from_utf8_lossy(&line).replace('\0', " ")))
    })
}

fn count_by_command_line(part: &str) -> usize {
    command_lines().filter(|(_, line)| line.contains(part)).count()
}

fn find_by_command_line(part: &str) -> Option<i32> {
    command_lines().find(|(_, line)| line.contains(part)).map(|(pid, _)| pid)
}
