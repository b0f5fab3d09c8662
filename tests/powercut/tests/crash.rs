//! What was acknowledged is there after a kill and after a power cut, and nothing half.
//!
//! Five rounds each; fifty with `PROVE=1`. Every round goes on with the folder of the one before.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

const WRITER: &str = env!("CARGO_BIN_EXE_powercut-writer");

#[expect(clippy::disallowed_methods, reason = "how thorough a run is comes from outside")]
fn rounds() -> u64 {
    let asked = |name| std::env::var_os(name).is_some();
    match (asked("PROVE"), asked("FULL")) {
        (true, true) => 200,
        (true, false) => 50,
        (false, _) => 5,
    }
}

/// The preloaded library, which cargo builds for tests as an example.
fn library() -> PathBuf {
    let library = Path::new(WRITER).with_file_name("examples").join("libpowercut.so");
    assert!(library.exists(), "{} is missing", library.display());
    library
}

/// When a writer is killed.
#[derive(Clone, Copy)]
enum Moment {
    /// So long after it began: while it opens the store.
    OfStart(Duration),
    /// So long after the store was open: in the midst of the work.
    OfWork(Duration),
}

/// When a round ends.
fn moment(round: u64) -> Moment {
    if round % 5 == 4 {
        Moment::OfStart(Duration::from_millis(3 + round % 40))
    } else {
        Moment::OfWork(Duration::from_millis(20 + round * 97 % 400))
    }
}

/// Lets the writer work on `folder`, kills it after `moment`, gives what it said.
fn write_and_kill(folder: &Path, moment: Moment, environment: &[(&str, &Path)]) -> String {
    let mut writer = Command::new(WRITER)
        .arg("write")
        .arg(folder)
        .envs(environment.iter().copied())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(writer.stdout.take().unwrap());
    let (tell_open, is_open) = sync_channel(1);
    let reading = std::thread::spawn(move || {
        let mut said = String::new();
        stdout.read_line(&mut said).unwrap();
        tell_open.send(()).unwrap();
        said.clear();
        stdout.read_to_string(&mut said).unwrap();
        said
    });
    match moment {
        Moment::OfStart(moment) => std::thread::sleep(moment),
        Moment::OfWork(moment) => {
            is_open.recv().unwrap();
            std::thread::sleep(moment);
        }
    }
    let status = writer.try_wait().unwrap();
    assert!(status.is_none(), "the writer ended by itself: {status:?}");
    writer.kill().unwrap();
    writer.wait().unwrap();
    let said = reading.join().unwrap();
    // A line that the kill cut was not said.
    said.rfind('\n').map_or(String::new(), |end| said[..=end].to_owned())
}

/// Why the store in `folder` did not keep what was said; `None` when it did.
fn check(folder: &Path, said: &str) -> Option<String> {
    let mut checker = Command::new(WRITER)
        .arg("check")
        .arg(folder)
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may refuse before it has read all.
    let _ = std::io::Write::write_all(&mut checker.stdin.take().unwrap(), said.as_bytes());
    let output = checker.wait_with_output().unwrap();
    (!output.status.success()).then(|| String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("store");
    for round in 0..rounds() {
        let start = Instant::now();
        let said = write_and_kill(&folder, moment(round), &[]);
        let lost = check(&folder, &said);
        assert_eq!(lost, None, "round {round}");
        println!("round {round}: {} acknowledged, {:?}", said.lines().count(), start.elapsed());
    }
}

/// A round: a power cut while the writer works on `folder`. Gives the folder as it is after the cut, and what
/// was said.
fn cut_power(base: &Path, folder: &Path, round: u64, moment: Moment, lies: bool) -> (PathBuf, String) {
    let (library, mirror) = (library(), base.join(format!("mirror-{round}")));
    let mut environment =
        vec![("LD_PRELOAD", library.as_path()), ("MIRROR_FROM", folder), ("MIRROR_TO", &mirror)];
    if lies {
        environment.push(("POWERCUT_LIES", Path::new("1")));
    }
    let said = write_and_kill(folder, moment, &environment);
    let after = base.join(format!("after-{round}"));
    if mirror.join("root").exists() {
        let copied = Command::new("cp")
            .args(["-rL", "--sparse=always"])
            .arg(mirror.join("root"))
            .arg(&after)
            .status()
            .unwrap();
        assert!(copied.success());
        std::fs::remove_dir_all(&mirror).unwrap();
    }
    (after, said)
}

#[test]
fn what_was_acknowledged_survives_a_power_cut() {
    let base = tempfile::tempdir().unwrap();
    let mut folder = base.path().join("store");
    for round in 0..rounds() {
        let start = Instant::now();
        let (after, said) = cut_power(base.path(), &folder, round, moment(round), false);
        let lost = check(&after, &said);
        assert_eq!(lost, None, "round {round}");
        println!("round {round}: {} acknowledged, {:?}", said.lines().count(), start.elapsed());
        let _ = std::fs::remove_dir_all(&folder);
        folder = after;
    }
}

#[test]
fn a_disk_that_lies_is_found_out() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("store");
    let (after, said) = cut_power(base.path(), &folder, 0, Moment::OfWork(Duration::from_millis(300)), true);
    assert!(said.lines().count() > 0, "nothing was acknowledged, so nothing could be lost");
    let lost = check(&after, &said);
    assert!(lost.is_some(), "no flush reached the disk, and yet nothing is missing");
}

#[test]
fn a_first_start_can_be_cut_off_anywhere() {
    let base = tempfile::tempdir().unwrap();
    for round in 0..3 * rounds() {
        let folder = base.path().join(format!("store-{round}"));
        let moment = Moment::OfStart(Duration::from_millis(1 + round % 17));
        let (after, said) = cut_power(base.path(), &folder, round, moment, false);
        assert_eq!(check(&after, &said), None, "round {round}, after the power cut");
        assert_eq!(check(&folder, &said), None, "round {round}, after the kill");
    }
}
