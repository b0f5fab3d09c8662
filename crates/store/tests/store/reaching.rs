//! How a database is reached, and what is refused.

use homeport_store::{Key, OpenError, Store};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use crate::cluster;
use crate::cluster::Cluster;

/// Why a node is not opened.
async fn refusal(cluster: &Cluster, url: &str) -> String {
    match cluster.node_at(url).await {
        Ok(_) => panic!("{url} is taken"),
        Err(OpenError::Away(why)) => why.to_string(),
        Err(error) => panic!("{error}"),
    }
}

async fn serves(node: &Store) {
    node.write(|tx| async move { tx.add(&Key::of("number"), 1) }).await.unwrap();
    let read = node.read(|tx| async move { tx.get_i64(&Key::of("number")).await });
    assert!(read.await.unwrap() > Some(0));
}

/// A root, and a certificate by it for a name.
fn certificates(name: &str) -> (String, String, String) {
    let key = KeyPair::generate().unwrap();
    let mut root = CertificateParams::default();
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root_pem = root.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(root, key);
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    (root_pem, leaf.pem(), key.serialize_pem())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_is_spoken_to_by_tls_when_its_certificate_and_name_are_right() {
    let Some(cluster) = cluster() else { return };
    let (root, leaf, key) = certificates("127.0.0.1");
    let (root, other) =
        (cluster.keep("root.pem", &root), cluster.keep("other.pem", &certificates("127.0.0.1").0));
    cluster.keep("leaf.pem", &leaf);
    cluster.keep("key.pem", &key);
    let file = |name: &str| cluster.folder().join(name).display().to_string();
    cluster.configure(&format!(
        "ssl = on\nssl_cert_file = '{}'\nssl_key_file = '{}'",
        file("leaf.pem"),
        file("key.pem")
    ));
    cluster.stop();
    cluster.start_again();
    let database = cluster.database().await;
    let port = cluster.port();
    let url = |host: &str, root: &std::path::Path| {
        let root = root.display();
        format!("postgres://homeport@{host}:{port}/{database}?sslmode=verify-full&sslrootcert={root}")
    };
    let node = cluster.node_at(&url("127.0.0.1", &root)).await.unwrap();
    serves(&node).await;
    let sql = cluster.sql(&database).await;
    let plain = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
        WHERE application_name LIKE 'homeport %' AND NOT ssl";
    assert_eq!(sql.query_one(plain, &[]).await.unwrap().get::<_, i64>(0), 0, "some are not encrypted");
    let why = refusal(&cluster, &url("127.0.0.1", &other)).await;
    assert!(why.contains("UnknownIssuer") || why.contains("BadSignature"), "{why}");
    let why = refusal(&cluster, &url("localhost", &root)).await;
    assert!(why.contains("NotValidForName") || why.contains("not valid for name"), "{why}");
    let missing = cluster.node_at(&url("127.0.0.1", std::path::Path::new("/nowhere.pem"))).await;
    assert!(matches!(missing, Err(OpenError::Options(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_host_that_takes_writes_is_used() {
    let Some(cluster) = cluster() else { return };
    let (database, port) = (cluster.database().await, cluster.port());
    // Nobody listens at the first, and the second only accepts and never answers.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mute = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mute_port = mute.local_addr().unwrap().port();
    let hosts = format!("127.0.0.1:{closed},127.0.0.1:{mute_port},127.0.0.1:{port}");
    serves(&cluster.node_at(&format!("postgres://homeport@{hosts}/{database}")).await.unwrap()).await;
    let folder = cluster.folder().display();
    let socket = format!("postgres://homeport@/{database}?host={folder}&port={port}");
    serves(&cluster.node_at(&socket).await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_takes_no_writes_is_refused_with_a_word() {
    let Some(cluster) = cluster() else { return };
    let (database, port) = (cluster.database().await, cluster.port());
    let url = format!("postgres://homeport@127.0.0.1:{port}/{database}");
    let sql = cluster.sql("postgres").await;
    let set = format!("ALTER DATABASE {database} SET default_transaction_read_only = on");
    sql.batch_execute(&set).await.unwrap();
    let why = refusal(&cluster, &url).await;
    assert!(why.contains("takes no writes"), "{why}");
    let set = format!("ALTER DATABASE {database} RESET default_transaction_read_only");
    sql.batch_execute(&set).await.unwrap();
    serves(&cluster.node_at(&url).await.unwrap()).await;
}
