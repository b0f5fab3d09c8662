use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::program::Place;

const SERVE: [&str; 5] = ["serve", "--listen", "127.0.0.1:0", "--console", "off"];

#[test]
fn data_without_its_key_is_never_given_a_new_one() {
    let place = Place::new();
    place.serve().stop();
    let key = fs::read(place.path("homeport-data.key")).unwrap();
    fs::remove_file(place.path("homeport-data.key")).unwrap();
    for words in [&SERVE[..], &["credentials"]] {
        let said = place.fails(words);
        assert!(said.contains("homeport-data.key") && said.contains("put the key file back"), "{said}");
    }
    assert!(!place.path("homeport-data.key").exists());
    fs::write(place.path("elsewhere.key"), key).unwrap();
    fs::set_permissions(place.path("elsewhere.key"), fs::Permissions::from_mode(0o600)).unwrap();
    place.prints(&["credentials", "--key-file", "elsewhere.key"]);
}

#[test]
fn another_key_is_refused_with_a_word() {
    let place = Place::new();
    place.serve().stop();
    let other = Place::new();
    other.serve().stop();
    fs::copy(other.path("homeport-data.key"), place.path("homeport-data.key")).unwrap();
    let said = place.fails(&SERVE);
    assert!(said.contains("sealed under the master key"), "{said}");
    let mut command = place.command(&["credentials"]);
    let output = command.env("HOMEPORT_MASTER_KEY", "c2hvcnQ=").output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("HOMEPORT_MASTER_KEY: a master key is"));
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let place = Place::new();
    place.serve().stop();
    fs::set_permissions(place.path("homeport-data.key"), fs::Permissions::from_mode(0o644)).unwrap();
    let said = place.fails(&["credentials"]);
    assert!(said.contains("has mode 0644") && said.contains("chmod 600"), "{said}");
}

#[test]
fn the_key_can_be_changed_while_the_server_runs_and_while_none_does() {
    let place = Place::new();
    let server = place.serve();
    let (keys, first) = (place.credentials(), fs::read(place.path("homeport-data.key")).unwrap());
    place.prints(&["key", "rotate"]);
    let second = fs::read(place.path("homeport-data.key")).unwrap();
    assert_ne!(first, second);
    assert_eq!(place.credentials(), keys);
    server.stop();
    place.prints(&["key", "rotate"]);
    assert_ne!(fs::read(place.path("homeport-data.key")).unwrap(), second);
    assert_eq!(place.credentials(), keys);
    let server = place.serve();
    assert_eq!(place.credentials(), keys);
    server.stop();
    fs::write(place.path("homeport-data.key"), first).unwrap();
    assert!(place.fails(&["credentials"]).contains("sealed under the master key"));
}

#[test]
fn a_change_of_keys_that_was_cut_short_is_finished() {
    let place = Place::new();
    place.serve().stop();
    let keys = place.credentials();
    let (key, next) = (place.path("homeport-data.key"), place.path("homeport-data.key.next"));
    let old = fs::read(&key).unwrap();
    place.prints(&["key", "rotate"]);
    // As a crash behind the store's commit, before the file is put in place, leaves it.
    fs::copy(&key, &next).unwrap();
    fs::write(&key, &old).unwrap();
    assert_eq!(place.credentials(), keys);
    assert!(!next.exists());
    assert_ne!(fs::read(&key).unwrap(), old);
    // As a crash before the store's commit leaves it.
    fs::write(&next, &old).unwrap();
    assert_eq!(place.credentials(), keys);
    assert!(!next.exists());
}

#[test]
fn the_key_may_come_by_the_environment_or_a_credential() {
    let place = Place::new();
    let text = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    place.serve_with(&[], |command| _ = command.env("HOMEPORT_MASTER_KEY", text)).stop();
    assert!(!place.path("homeport-data.key").exists());
    assert!(place.fails(&["credentials"]).contains("homeport-data.key"));
    fs::create_dir(place.path("credentials")).unwrap();
    fs::write(place.path("credentials/homeport-master-key"), text).unwrap();
    let mut command = place.command(&["credentials"]);
    let output = command.env("CREDENTIALS_DIRECTORY", place.path("credentials")).output().unwrap();
    assert!(output.status.success(), "{}", crate::program::stderr(&output));
    let mut command = place.command(&["key", "rotate"]);
    let output = command.env("HOMEPORT_MASTER_KEY", text).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("HOMEPORT_NEXT_MASTER_KEY"));
}

#[test]
fn no_secret_is_in_the_data_folder() {
    let place = Place::new();
    let server = place.serve();
    let keys = place.credentials();
    server.stop();
    let key_file = fs::read_to_string(place.path("homeport-data.key")).unwrap();
    let secrets = [keys["secretAccessKey"].as_str().unwrap(), key_file.trim()];
    let mut folders = vec![place.path("homeport-data")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = fs::read(&path).unwrap();
            for secret in secrets {
                let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
                assert!(!found, "a secret lies in {}", path.display());
            }
        }
    }
}
