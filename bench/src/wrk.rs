//! Load by `wrk`, of which a request costs little: what the client doesn't take of the cores, the server has.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use bytes::Bytes;
use tokio::process::Command;

use crate::Outcome;
use crate::load::{Connection, Load, SPAN};
use crate::process::Server;

/// How long requests are sent before it begins, in seconds: wrk counts whole ones.
const WARM: Duration = Duration::from_secs(1);

/// Whether there is a wrk to load with.
pub(crate) fn is_installed() -> bool {
    std::process::Command::new("wrk").arg("-v").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

/// Sends `requests`, signed ahead, over and over by so many connections of one thread.
pub(crate) async fn over_and_over(server: &Server, connections: usize, requests: &[Bytes]) -> Outcome<Load> {
    // wrk only counts answers that are no successes; this one says what is wrong.
    let first = requests.first().ok_or("nothing to send")?;
    Connection::open(&server.address, 0).await?.send(first).await?;
    let folder = tempfile::tempdir()?;
    let (all, script) = (folder.path().join("requests"), folder.path().join("script.lua"));
    std::fs::write(&all, requests.concat())?;
    std::fs::write(&script, lua(&all, requests))?;
    run(server, connections, &script, WARM).await?;
    let before = server.cpu_seconds();
    let said = run(server, connections, &script, SPAN).await?;
    let cpu_seconds = server.cpu_seconds() - before;
    let number = |name: &str| -> Outcome<f64> {
        let line = said.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        Ok(line.ok_or_else(|| format!("wrk doesn't say {name}: {said}"))?.trim().parse()?)
    };
    if number("failed")? > 0.0 {
        return Err(format!("wrk was answered errors: {said}").into());
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
    let requests = number("requests")? as u64;
    let p99 = Duration::from_secs_f64(number("p99")? / 1e6);
    Ok(Load::of(requests, number("microseconds")? / 1e6, cpu_seconds, p99))
}

async fn run(server: &Server, connections: usize, script: &Path, span: Duration) -> Outcome<String> {
    let mut wrk = Command::new("wrk");
    wrk.args(["-t1", &format!("-c{connections}"), &format!("-d{}s", span.as_secs()), "-s"]).arg(script);
    wrk.arg(format!("http://{}", server.address)).stdin(Stdio::null()).stderr(Stdio::null());
    Ok(String::from_utf8_lossy(&wrk.output().await?.stdout).into_owned())
}

/// The script: sends what stands in `all`, one request behind the other, and tells what came of them.
fn lua(all: &Path, requests: &[Bytes]) -> String {
    let lengths: Vec<String> = requests.iter().map(|request| request.len().to_string()).collect();
    format!(
        r#"local requests, file = {{}}, assert(io.open("{}", "rb"))
for length in string.gmatch("{}", "%d+") do
  requests[#requests + 1] = file:read(tonumber(length))
end
local at = 0
request = function()
  at = at % #requests + 1
  return requests[at]
end
done = function(summary, latency)
  local e = summary.errors
  io.write("failed ", e.connect + e.read + e.write + e.status + e.timeout, "\n")
  io.write("requests ", summary.requests, "\n")
  io.write("microseconds ", summary.duration, "\n")
  io.write("p99 ", latency:percentile(99), "\n")
end
"#,
        all.display(),
        lengths.join(" ")
    )
}
