use std::path::PathBuf;

use super::*;

fn read(toml: &str, environment: &[(&str, &str)], flags: &[(&'static str, &str)]) -> Result<Config, String> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), toml).unwrap();
    let sources = Sources {
        file: Some(file.path().to_owned()),
        environment: environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        flags: flags.iter().map(|(path, value)| (*path, vec![(*value).to_owned()])).collect(),
        dev: false,
    };
    Config::read(&sources).map_err(|problems| problems.to_string())
}

#[test]
fn the_later_source_wins() {
    let toml = "[data]\nfolder = \"a\"\n[listen]\naddresses = [\"127.0.0.1:1\", \"[::1]:2\"]\nconsole = \"off\"\n[s3]\nsigv2 = false";
    let config = read(toml, &[], &[]).unwrap();
    assert_eq!(config.data.folder, PathBuf::from("a"));
    assert_eq!(config.listen.addresses.len(), 2);
    assert_eq!(config.listen.console, ConsoleAddress::Off);
    assert!(!config.s3.sigv2);
    let environment = [
        ("HOMEPORT_DATA_FOLDER", "b"),
        ("HOMEPORT_LISTEN_ADDRESSES", "127.0.0.1:3, 127.0.0.1:4"),
        ("PATH", "/"),
    ];
    let config = read(toml, &environment, &[]).unwrap();
    assert_eq!(config.data.folder, PathBuf::from("b"));
    assert_eq!(config.listen.addresses[1].port(), 4);
    assert_eq!(read(toml, &environment, &[("data.folder", "c")]).unwrap().data.folder, PathBuf::from("c"));
}

#[test]
fn everything_wrong_is_told_at_once_with_its_place() {
    let toml = "[listen]\naddresses = \"nowhere\"\npublic = \"x\"\n[lissten]\na = 1\n[smtp]\nhost = \"mail\"\nport = 99999";
    let problems =
        read(toml, &[("HOMEPORT_S3_SIGV2", "maybe"), ("HOMEPORT_FOO_BAR", "1")], &[("listen.console", "x")]);
    let problems = problems.unwrap_err();
    for part in [
        "8 settings are wrong",
        "listen.addresses: `nowhere` is not ADDRESS:PORT",
        "listen.public: there is no such setting (is `listen.public_url` meant?)",
        "[lissten]: there is no such section",
        "smtp.port: a number from 1 to 65535",
        "smtp.from: the sender's address",
        "HOMEPORT_S3_SIGV2: true or false",
        "HOMEPORT_FOO_BAR: there is no such setting",
        "--console: `x` is not ADDRESS:PORT",
    ] {
        assert!(problems.contains(part), "{part} is missing in {problems}");
    }
}

#[test]
fn secrets_in_the_environment_are_no_settings() {
    let secrets = ["HOMEPORT_MASTER_KEY", "HOMEPORT_SMTP_PASSWORD", "HOMEPORT_BLOBS_SECRET_ACCESS_KEY"];
    assert!(read("", &secrets.map(|name| (name, "x")), &[]).is_ok());
}

#[test]
fn blobs_in_a_bucket_need_their_key() {
    let place = &[("blobs.place", "s3://homeport/one")];
    assert!(read("", &[], place).unwrap_err().contains("blobs.access_key_id: it is needed"));
    let config = read("[blobs]\naccess_key_id = \"AKIA\"", &[("HOMEPORT_BLOBS_REGION", "eu-north-1")], place);
    let config = config.unwrap();
    assert_eq!(config.blobs.place.unwrap().to_string(), "s3://homeport/one");
    assert_eq!(config.blobs.region, "eu-north-1");
    assert!(read("", &[], &[("blobs.place", "ftp://x")]).unwrap_err().contains("--blobs: `ftp://x`"));
    assert!(read("", &[], &[("blobs.place", "/srv/blobs")]).is_ok());
}

#[tokio::test]
async fn a_secret_that_others_may_read_is_refused_and_a_folder_that_is_there_opens() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, random) = (tempfile::tempdir().unwrap(), crate::randomness::OsRandomness);
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "word\n").unwrap();
    // Nobody listens on port 1: what passes the secret is told so.
    let toml = format!(
        "[blobs]\naccess_key_id = \"AKIA\"\nendpoint = \"http://127.0.0.1:1\"\nsecret_key_file = {secret:?}"
    );
    let environment = crate::environment::Environment::of_this_process();
    let config = read(&toml, &[], &[("blobs.place", "s3://homeport")]).unwrap();
    for (mode, told) in [(0o640, "chmod 600"), (0o600, "is the endpoint right")] {
        std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(mode)).unwrap();
        let refused = config.blobs.open(None, "i", &environment, &random).await.unwrap_err().to_string();
        assert!(refused.contains(told) && !refused.contains("word"), "{refused}");
    }
    // For a move the bucket is named by a flag; a server must have it.
    let unnamed = read(&toml, &[], &[]).unwrap().blobs;
    let refused =
        unnamed.open(Some(folder.path()), "i", &environment, &random).await.unwrap_err().to_string();
    assert!(refused.contains("s3://BUCKET is needed"), "{refused}");
    assert!(Config::default().blobs.s3("homeport", "", &environment).is_err(), "without a key");
    let (own, shared) = (folder.path().join("own"), folder.path().to_str().unwrap());
    let named = read("", &[], &[("blobs.place", shared)]).unwrap().blobs;
    named.open(None, "i", &environment, &random).await.unwrap();
    let none = Config::default().blobs;
    none.open(Some(&own), "i", &environment, &random).await.unwrap();
    assert!(none.open(None, "i", &environment, &random).await.unwrap_err().to_string().contains("--blobs"));
}

#[test]
fn a_file_that_is_no_toml_is_told() {
    assert!(read("[listen", &[], &[]).unwrap_err().contains("TOML"));
    assert!(read("listen = 1", &[], &[]).unwrap_err().contains("as `[listen]`"));
    let missing = Sources { file: Some("/nowhere/homeport.toml".into()), ..Sources::default() };
    assert!(Config::read(&missing).unwrap_err().to_string().contains("/nowhere/homeport.toml"));
}

#[test]
fn development_keys_stay_on_this_machine() {
    let dev = |flags: &[(&'static str, &str)]| {
        let flags = flags.iter().map(|(path, value)| (*path, vec![(*value).to_owned()])).collect();
        Config::read(&Sources { file: Some("/dev/null".into()), flags, dev: true, ..Sources::default() })
    };
    assert!(dev(&[]).is_ok());
    assert!(dev(&[("listen.addresses", "0.0.0.0:4566")]).is_err());
    assert!(dev(&[("listen.trusted_proxies", "127.0.0.1")]).is_err());
}

#[test]
fn plain_http_from_elsewhere_needs_the_proxies_named() {
    assert!(read("[listen]\nplain_behind_proxy = true", &[], &[]).is_err());
    assert!(read("[listen]\nplain_behind_proxy = true\ntrusted_proxies = [\"10.0.0.1\"]", &[], &[]).is_ok());
    assert!(read("[listen]\nproxy_protocol = [\"127.0.0.1:4566\"]", &[], &[]).is_err());
    assert!(read("[listen]\nconsole = \"0.0.0.0:80\"", &[], &[]).is_err());
}

#[test]
fn every_setting_has_a_place_of_its_own() {
    let mut paths: Vec<_> = all().map(|setting| setting.path).collect();
    for section in SECTIONS {
        for setting in section.settings {
            assert!(setting.path.starts_with(&format!("{}.", section.name)), "{}", setting.path);
        }
    }
    paths.sort_unstable();
    let count = paths.len();
    paths.dedup();
    assert_eq!(paths.len(), count);
}

#[test]
fn the_reference_is_current() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
    let written = std::fs::read_to_string(page).unwrap_or_default();
    assert!(written == configuration_page(), "write it anew: homeport configuration > docs/configuration.md");
}
