use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

/// A server that gives each connection the next of these answers, and the targets it was asked for.
async fn server(answers: Vec<String>) -> (SocketAddr, tokio::task::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let asked = tokio::spawn(async move {
        let mut asked = Vec::new();
        for answer in answers {
            let (mut tcp, _) = listener.accept().await.unwrap();
            let mut head = vec![0; 4_096];
            let length = tcp.read(&mut head).await.unwrap();
            asked.push(String::from_utf8_lossy(&head[..length]).into_owned());
            tcp.write_all(answer.as_bytes()).await.unwrap();
        }
        asked
    });
    (address, asked)
}

fn answer(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

fn redirect(to: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
}

fn developing() -> Arc<Egress> {
    Egress::new(EgressRules { loopback: true, ..EgressRules::default() }, Vec::new())
}

async fn get(egress: &Egress, url: String, limits: FetchLimits) -> Result<String, EgressError> {
    let fetched = egress.fetch(&url.parse().unwrap(), WhoChose::Owner, limits).await?;
    Ok(String::from_utf8_lossy(fetched.body()).into_owned())
}

#[tokio::test]
async fn a_document_is_fetched_from_where_it_may_be() {
    let (address, asked) = server(vec![answer("{}")]).await;
    let got = get(&developing(), format!("http://{address}/keys?x=1"), FetchLimits::DOCUMENT).await;
    assert_eq!(got.unwrap(), "{}");
    let asked = asked.await.unwrap().remove(0);
    assert!(asked.starts_with("GET /keys?x=1 HTTP/1.1\r\n"), "{asked}");
    assert!(asked.contains(&format!("host: {address}\r\n")), "{asked}");
}

#[tokio::test]
async fn loopback_and_homeport_itself_are_closed() {
    let (address, _asked) = server(vec![answer("{}")]).await;
    let closed = Egress::new(EgressRules::default(), Vec::new());
    let url = format!("http://localhost:{}/", address.port());
    let refused = get(&closed, url.clone(), FetchLimits::DOCUMENT).await;
    assert!(matches!(refused, Err(EgressError::NotAllowed(NotAllowed::Private(_)))), "{refused:?}");
    let open = developing();
    open.never(address);
    let refused = get(&open, url, FetchLimits::DOCUMENT).await;
    assert!(matches!(refused, Err(EgressError::NotAllowed(NotAllowed::Own(_)))), "{refused:?}");
}

#[tokio::test]
async fn a_redirect_is_followed_only_as_often_and_as_far_as_it_may_be() {
    let (address, _asked) = server(vec![redirect("/other")]).await;
    let refused = get(&developing(), format!("http://{address}/"), FetchLimits::DOCUMENT).await;
    assert!(matches!(refused, Err(EgressError::Redirected)), "{refused:?}");

    // The owner chose the first address; the second is the server's choice, and this machine is closed to that.
    let (address, _asked) = server(vec![redirect("/other"), answer("inside")]).await;
    let limits = FetchLimits { redirects: 3, ..FetchLimits::DOCUMENT };
    let refused = get(&developing(), format!("http://{address}/"), limits).await;
    assert!(matches!(refused, Err(EgressError::NotAllowed(_))), "{refused:?}");
}

#[tokio::test]
async fn an_answer_has_bounds_in_size_and_time() {
    let (address, _asked) = server(vec![answer(&"x".repeat(100))]).await;
    let limits = FetchLimits { bytes: 99, ..FetchLimits::DOCUMENT };
    let refused = get(&developing(), format!("http://{address}/"), limits).await;
    assert!(matches!(refused, Err(EgressError::Answer(_))), "{refused:?}");

    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let limits = FetchLimits { time: Duration::from_millis(50), ..FetchLimits::DOCUMENT };
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let refused = get(&developing(), url, limits).await;
    assert!(matches!(refused, Err(EgressError::TimedOut)), "{refused:?}");
}

#[test]
fn a_redirect_stays_on_tls() {
    let from: Uri = "https://a.example/x".parse().unwrap();
    let to = |location: &str| redirected(&from, Some(&HeaderValue::from_str(location).unwrap()));
    assert_eq!(to("/y").unwrap(), "https://a.example/y");
    assert_eq!(to("https://b.example/y").unwrap(), "https://b.example/y");
    assert!(matches!(to("http://a.example/y"), Err(EgressError::Redirected)));
    assert!(to("y").is_err());
}

#[test]
fn only_plain_urls_are_targets() {
    for url in ["ftp://a/", "/a", "http://user@a/", "a:80"] {
        assert!(Target::of(&url.parse().unwrap()).is_err(), "{url}");
    }
    let target = Target::of(&"https://[::1]:8443/x".parse().unwrap()).unwrap();
    assert_eq!((target.host.as_str(), target.port, target.tls), ("::1", 8443, true));
}
