use crate::program::{Place, get, stderr};

#[test]
fn commands_are_answered_with_a_server_and_without() {
    let place = Place::new();
    let server = place.serve();
    let with = place.credentials();
    assert_eq!(with.as_object().unwrap().len(), 2);
    assert!(with["accessKeyId"].as_str().unwrap().starts_with("AKIA"));
    assert_eq!(with["secretAccessKey"].as_str().unwrap().len(), 40);
    let (pins, root) = (place.prints(&["pins"]), place.prints(&["ca"]));
    assert!(
        root.starts_with("-----BEGIN CERTIFICATE-----\n") && root.ends_with("-----END CERTIFICATE-----\n")
    );
    server.stop();
    assert_eq!(place.credentials(), with);
    assert_eq!(place.prints(&["pins"]), pins);
    assert_eq!(place.prints(&["ca"]), root);
}

#[test]
fn rotated_keys_replace_the_old_ones() {
    let place = Place::new();
    let server = place.serve();
    let before = place.credentials();
    place.prints(&["credentials", "--rotate"]);
    let after = place.credentials();
    assert_ne!(before["accessKeyId"], after["accessKeyId"]);
    assert_ne!(before["secretAccessKey"], after["secretAccessKey"]);
    server.stop();
    assert_eq!(place.credentials(), after);
}

#[test]
fn env_speaks_to_a_shell() {
    let place = Place::new();
    let server = place.serve();
    let script = format!("AWS_SESSION_TOKEN=left AWS_PROFILE=over; {}env", place.prints(&["env"]));
    let output = std::process::Command::new("sh").arg("-c").arg(script).output().unwrap();
    let variables = String::from_utf8(output.stdout).unwrap();
    let line = |name: &str| variables.lines().find_map(|line| line.strip_prefix(&format!("{name}=")));
    assert_eq!(line("AWS_ENDPOINT_URL"), Some(server.endpoint()));
    assert_eq!(line("AWS_ACCESS_KEY_ID"), place.credentials()["accessKeyId"].as_str());
    assert_eq!(line("AWS_REGION"), Some("us-east-1"));
    assert_eq!((line("AWS_SESSION_TOKEN"), line("AWS_PROFILE")), (None, None));
    let root = std::fs::read_to_string(line("AWS_CA_BUNDLE").unwrap()).unwrap();
    assert_eq!(root, place.prints(&["ca"]));
}

#[test]
fn pins_come_in_both_forms_for_both_keys() {
    let place = Place::new();
    let _server = place.serve();
    let pins: serde_json::Value = serde_json::from_str(&place.prints(&["pins", "--format", "json"])).unwrap();
    for name in ["pin", "nextPin"] {
        assert!(pins[name].as_str().unwrap().starts_with("sha256/"), "{pins}");
    }
    assert_ne!(pins["rawKey"], pins["nextRawKey"]);
    assert_eq!(pins.as_object().unwrap().len(), 4);
}

#[test]
fn an_empty_outbox_prints_nothing() {
    let place = Place::new();
    let _server = place.serve();
    assert_eq!(place.prints(&["outbox"]), "");
    assert_eq!(place.prints(&["outbox", "--last", "--to", "a@example.com"]), "");
    let output = place.run(&["outbox", "--code"]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{}", stderr(&output));
}

#[test]
fn the_audit_trail_can_be_verified() {
    let place = Place::new();
    let server = place.serve();
    assert!(place.prints(&["audit", "verify"]).starts_with("The audit trail is whole"));
    server.stop();
    assert!(place.prints(&["audit", "verify"]).starts_with("The audit trail is whole"));
}

#[test]
fn a_command_without_data_says_what_makes_it() {
    let place = Place::new();
    let said = place.fails(&["credentials"]);
    assert!(said.contains("there is no data at homeport-data") && said.contains("homeport serve"), "{said}");
    assert!(!place.path("homeport-data").exists(), "a question made a folder");
    let said = place.fails(&["outbox", "--link", "--data", "elsewhere"]);
    assert!(said.contains("there is no data at elsewhere"), "{said}");
}

#[test]
fn a_file_of_a_server_that_is_gone_is_ignored() {
    let place = Place::new();
    let server = place.serve();
    let keys = place.credentials();
    server.kill();
    assert!(place.path("homeport-data/server.json").exists());
    assert_eq!(place.credentials(), keys);
    // Another server has the same address now; it is not this folder's.
    let other = Place::new();
    let other_server = other.serve();
    let mut file: serde_json::Value =
        serde_json::from_slice(&std::fs::read(place.path("homeport-data/server.json")).unwrap()).unwrap();
    file["commands"] = other_server.file["commands"].clone();
    std::fs::write(place.path("homeport-data/server.json"), file.to_string()).unwrap();
    assert_eq!(place.credentials(), keys);
    // And somebody who answers whatever is asked.
    let liar = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    file["commands"] = liar.local_addr().unwrap().to_string().into();
    std::fs::write(place.path("homeport-data/server.json"), file.to_string()).unwrap();
    let lying = std::thread::spawn(move || lie(&liar));
    assert_eq!(place.credentials(), keys);
    let asked = lying.join().unwrap();
    assert!(asked.starts_with("POST /_homeport/command"), "{asked}");
    assert!(!asked.contains(file["token"].as_str().unwrap()), "{asked}");
    let again = place.serve();
    assert_eq!(place.credentials(), keys);
    assert_eq!(get(again.address(), "/_homeport/ready", &[]).body, "yes\n");
}

/// Answers one question with keys of its own making; what was asked.
fn lie(listener: &std::net::TcpListener) -> String {
    use std::io::{Read as _, Write as _};
    let (mut asking, _) = listener.accept().unwrap();
    let mut asked = String::new();
    while !asked.contains("\r\n\r\n{") {
        let mut some = [0; 4_096];
        let read = asking.read(&mut some).unwrap();
        asked.push_str(std::str::from_utf8(&some[..read]).unwrap());
    }
    let body = r#"{"answer":{"accessKeyId":"AKIALIAR","secretAccessKey":"lie","account":"1","region":"r"}}"#;
    let head = format!("HTTP/1.1 200 OK\r\nx-homeport-proof: 00\r\ncontent-length: {}\r\n\r\n", body.len());
    asking.write_all(head.as_bytes()).unwrap();
    asking.write_all(body.as_bytes()).unwrap();
    asked
}

#[test]
fn the_version_is_told() {
    let place = Place::new();
    assert_eq!(place.prints(&["version"]), format!("homeport {}\n", env!("CARGO_PKG_VERSION")));
    assert_eq!(place.prints(&["--version"]), place.prints(&["version"]));
}
