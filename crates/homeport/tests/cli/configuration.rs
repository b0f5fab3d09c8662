use std::net::TcpListener;

use crate::program::{Place, get};

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let place = Place::new();
    std::fs::write(
        place.path("homeport.toml"),
        "[listen]\nadress = \"x\"\nfunctions = \"0.0.0.0:0\"\n[smtp]\nhost = \"mail\"\n",
    )
    .unwrap();
    let said = place.fails(&["serve", "--listen", "nowhere", "--console", "192.0.2.1:1"]);
    for part in [
        "5 settings are wrong",
        "homeport.toml: listen.adress",
        "--listen: `nowhere`",
        "smtp.from",
        "listen.console",
        "listen.functions",
    ] {
        assert!(said.contains(part), "{part} is missing in {said}");
    }
    assert!(!place.path("homeport-data").exists());
}

#[test]
fn settings_come_from_file_environment_and_flags() {
    let place = Place::new();
    std::fs::write(
        place.path("homeport.toml"),
        "[data]\nfolder = \"from-file\"\n[listen]\nconsole = \"off\"\n",
    )
    .unwrap();
    let server = place.serve_with(&["--data", "from-flag"], |command| {
        command.env("HOMEPORT_DATA_FOLDER", "from-environment");
    });
    assert!(place.path("from-flag/server.json").exists());
    assert!(!place.path("from-file").exists() && !place.path("from-environment").exists());
    assert!(!server.file["console"].is_null(), "the flag comes after the file");
}

#[test]
fn a_port_that_is_taken_is_named_with_its_flag() {
    let place = Place::new();
    let held = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = held.local_addr().unwrap().to_string();
    let said = place.fails(&["serve", "--listen", &address]);
    assert!(said.contains(&format!("{address} is taken")) && said.contains("--listen"), "{said}");
    let said = place.fails(&["serve", "--listen", "127.0.0.1:0", "--console", &address]);
    assert!(said.contains(&format!("{address} is taken")) && said.contains("--console"), "{said}");
    assert!(!place.path("homeport-data").exists(), "a start that failed made a folder");
}

#[test]
fn a_folder_that_is_held_names_its_holder() {
    let place = Place::new();
    let server = place.serve();
    let said = place.fails(&["serve", "--listen", "127.0.0.1:0", "--console", "off"]);
    assert!(said.contains("is held by another Homeport"), "{said}");
    assert!(said.contains(&server.process().to_string()) && said.contains(server.endpoint()), "{said}");
}

#[test]
fn a_public_url_is_kept_until_another_is_configured() {
    let place = Place::new();
    let issuer = |server: &crate::program::Server| {
        let page = get(server.address(), "/nowhere", &[("host", "api.example.com")]);
        page.status
    };
    let server = place.serve();
    assert_eq!(issuer(&server), 421, "an unknown host is not served");
    server.stop();
    let server = place.serve_with(&["--public-url", "https://api.example.com"], |_| {});
    assert_ne!(issuer(&server), 421);
    server.stop();
    let server = place.serve();
    assert_ne!(issuer(&server), 421, "every public URL there was still denotes this installation");
}

#[test]
fn the_account_is_never_changed() {
    let place = Place::new();
    place.serve_with(&[], |command| _ = command.env("HOMEPORT_DATA_ACCOUNT", "123456789012")).stop();
    assert!(place.prints(&["credentials"]).contains("123456789012"));
    let mut command = place.command(&["serve", "--listen", "127.0.0.1:0", "--console", "off"]);
    let output = command.env("HOMEPORT_DATA_ACCOUNT", "210987654321").output().unwrap();
    let said = crate::program::stderr(&output);
    assert!(!output.status.success() && said.contains("never changed"), "{said}");
}
