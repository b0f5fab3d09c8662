use std::fs;
use std::os::unix::fs::MetadataExt;

use crate::program::{Place, ask, get};

#[test]
fn health_and_ready_say_yes_and_nothing_more() {
    let place = Place::new();
    let server = place.serve();
    for path in ["/_homeport/health", "/_homeport/ready"] {
        let answer = get(server.address(), path, &[]);
        assert_eq!((answer.status, answer.body.as_str()), (200, "yes\n"));
        assert!(answer.head.contains("date: "), "{}", answer.head);
    }
    assert_eq!(get(server.address(), "/_homeport/other", &[]).status, 404);
    assert_eq!(ask(server.address(), "POST /_homeport/health", &[], "").status, 405);
}

#[test]
fn metrics_are_for_this_machine_without_a_proxy_between() {
    let place = Place::new();
    let server = place.serve();
    let answer = get(server.address(), "/_homeport/metrics", &[]);
    assert_eq!(answer.status, 200);
    assert!(
        answer.body.contains("homeport_requests_total{listener=\"public\",status=\"2xx\"}"),
        "{}",
        answer.body
    );
    for forwarded in
        [("x-forwarded-for", "127.0.0.1"), ("forwarded", "for=127.0.0.1"), ("x-real-ip", "127.0.0.1")]
    {
        assert_eq!(get(server.address(), "/_homeport/metrics", &[forwarded]).status, 403, "{forwarded:?}");
    }
}

#[test]
fn only_its_owner_reads_the_data() {
    let place = Place::new();
    let server = place.serve();
    let mode = |name: &str| fs::metadata(place.path(name)).unwrap().mode() & 0o777;
    assert_eq!(mode("homeport-data"), 0o700);
    assert_eq!(mode("homeport-data/server.json"), 0o600);
    assert_eq!(mode("homeport-data.key"), 0o600);
    let limits = fs::read_to_string(format!("/proc/{}/limits", server.process())).unwrap();
    let cores = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(cores.split_whitespace().nth(4), Some("0"), "{cores}");
}

#[test]
fn commands_need_the_token_of_this_start() {
    let place = Place::new();
    let server = place.serve();
    let body = r#"{"credentials":{"rotate":false}}"#;
    let token = server.file["token"].as_str().unwrap();
    let question = "POST /_homeport/command";
    let (proof, other) = (proof(token, "n", body), proof(&"0".repeat(64), "n", body));
    let nonce = ("x-homeport-nonce", "n");
    let right = [nonce, ("x-homeport-proof", &proof)];
    assert_eq!(ask(server.console(), question, &right, body).status, 200);
    let bearer = format!("Bearer {token}");
    for headers in [
        &[][..],
        &[nonce],
        &[("x-homeport-proof", proof.as_str())],
        &[("x-homeport-nonce", "m"), right[1]],
        &[nonce, ("x-homeport-proof", other.as_str())],
        &[("authorization", bearer.as_str())],
        &[right[0], right[1], ("origin", "http://127.0.0.1:4567")],
    ] {
        let answer = ask(server.console(), question, headers, body);
        assert_eq!(answer.status, 403, "{headers:?}");
        assert!(!answer.body.contains("secretAccessKey"));
    }
    let rotates = r#"{"credentials":{"rotate":true}}"#;
    assert_eq!(ask(server.console(), question, &right, rotates).status, 403, "another question");
    let elsewhere = ask(server.address(), question, &right, body);
    assert_ne!(elsewhere.status, 200, "the AWS endpoint answers no commands");
    let rebound = ask(server.console(), question, &[right[0], right[1], ("host", "evil.example")], body);
    assert_eq!(rebound.status, 421);
}

/// HMAC-SHA256 under the token, of who speaks, the nonce and the body, each behind its length.
fn proof(token: &str, nonce: &str, body: &str) -> String {
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, token.as_bytes());
    let mut context = aws_lc_rs::hmac::Context::with_key(&key);
    for part in ["homeport-asks", nonce, body] {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    hex::encode(context.sign())
}

#[test]
fn many_servers_run_side_by_side() {
    let (one, other) = (Place::new(), Place::new());
    let (first, second) = (one.serve(), other.serve());
    assert_ne!(first.address(), second.address());
    assert_ne!(one.credentials(), other.credentials());
}

#[test]
fn the_console_takes_a_free_port_when_its_own_is_taken() {
    // Whoever has 4567 now, this test or another program, the server must not.
    let _held = std::net::TcpListener::bind("127.0.0.1:4567").ok();
    let place = Place::new();
    let mut command = place.command(&["serve", "--listen", "127.0.0.1:0"]);
    let mut child =
        command.stderr(std::process::Stdio::piped()).stdout(std::process::Stdio::null()).spawn().unwrap();
    let path = place.path("homeport-data/server.json");
    let began = std::time::Instant::now();
    while !path.exists() {
        assert!(began.elapsed().as_secs() < 20, "the server is not there");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let file: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    child.kill().unwrap();
    let said = String::from_utf8(child.wait_with_output().unwrap().stderr).unwrap();
    let console = file["console"].as_str().unwrap();
    assert!(!console.ends_with(":4567"), "{console}");
    assert!(said.contains("127.0.0.1:4567 is taken") && said.contains(console), "{said}");
}

#[test]
fn what_was_acknowledged_is_there_after_a_kill() {
    let place = Place::new();
    let server = place.serve();
    place.prints(&["credentials", "--rotate"]);
    let keys = place.credentials();
    server.kill();
    let _server = place.serve();
    assert_eq!(place.credentials(), keys);
}

#[test]
fn development_keys_are_refused_off_loopback() {
    let place = Place::new();
    let said = place.fails(&["serve", "--dev", "--listen", "0.0.0.0:0"]);
    assert!(said.contains("loopback"), "{said}");
    let server = place.serve_with(&["--dev"], |_| {});
    assert!(place.prints(&["credentials"]).contains("000000000000"));
    assert!(server.stop().contains("--dev"));
}
