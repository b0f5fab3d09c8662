//! The console: pages for the administrator on a listener, and so an origin, of their own (security decision 21).
//!
//! It opens by a one-time link whose token is in the fragment, which no server and no log sees. The page exchanges it for
//! a cookie that scripts can't read and a token for a header, and both are asked for from then on.

mod links;
mod sessions;

use std::net::SocketAddr;
use std::sync::Arc;

use homeport_core::{SharedClock, SharedRandomness};
use homeport_service::{Body, collect, full};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use serde::Deserialize;

use crate::front_desk::{self, FrontDesk};
use crate::outbox::{Asked, Outbox};

pub(crate) use links::Links;
use sessions::Sessions;

/// The header that carries a session's second half.
const TOKEN_HEADER: &str = "x-homeport-token";
/// The longest body a page sends, in bytes.
const MOST_BYTES: usize = 4 * 1024;
/// How many messages the outbox page shows.
const SHOWN: usize = 100;
/// How many cookies of the session's name are tried: a page of another port may have planted some beside it.
const MOST_COOKIES: usize = 16;

const PAGE: &str = include_str!("console/page.html");
const SCRIPT: &str = include_str!("console/page.js");
const STYLE: &str = include_str!("console/page.css");

const SECURITY: [(HeaderName, &str); 7] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// The console's listener's requests, and commands' questions.
pub(crate) struct Console {
    address: SocketAddr,
    /// Pages are there only where the console isn't off.
    pages: Option<Pages>,
    desk: Arc<FrontDesk>,
}

struct Pages {
    /// Browsers don't tell ports apart where cookies are concerned: each server's has a name of its own.
    cookie: String,
    links: Arc<Links>,
    sessions: Sessions,
    outbox: Arc<Outbox>,
}

#[derive(Deserialize)]
struct Exchange {
    link: String,
}

impl Console {
    pub(crate) fn new(
        address: SocketAddr,
        links: Option<Arc<Links>>,
        outbox: Arc<Outbox>,
        desk: Arc<FrontDesk>,
        clock: SharedClock,
        randomness: SharedRandomness,
    ) -> Arc<Self> {
        let pages = links.map(|links| Pages {
            cookie: format!("homeport-{}", address.port()),
            links,
            sessions: Sessions::new(clock, randomness),
            outbox,
        });
        Arc::new(Self { address, pages, desk })
    }

    /// Answers a request of the console's listener.
    pub(crate) async fn handle(&self, head: Parts, body: Body) -> Response<Body> {
        let mut response = self.respond(head, body).await;
        response.headers_mut().extend(SECURITY.map(|(name, value)| (name, HeaderValue::from_static(value))));
        response
    }

    async fn respond(&self, head: Parts, body: Body) -> Response<Body> {
        if !self.is_own_host(&head.headers) {
            return answer(StatusCode::MISDIRECTED_REQUEST, "text/plain", String::new());
        }
        if head.uri.path() == front_desk::PATH {
            return self.desk.handle(&head, body).await;
        }
        match &self.pages {
            Some(pages) => pages.handle(&head, body, &self.own_origins()).await,
            None => answer(StatusCode::NOT_FOUND, "text/plain", String::new()),
        }
    }

    /// A name of somebody's that was pointed here is none of ours: its pages must not read these.
    fn is_own_host(&self, headers: &HeaderMap) -> bool {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        host.is_some_and(|host| {
            host == self.address.to_string() || host == format!("localhost:{}", self.address.port())
        })
    }

    fn own_origins(&self) -> [String; 2] {
        [format!("http://{}", self.address), format!("http://localhost:{}", self.address.port())]
    }
}

impl Pages {
    async fn handle(&self, head: &Parts, body: Body, origins: &[String]) -> Response<Body> {
        match (&head.method, head.uri.path()) {
            (&Method::GET, "/" | "/outbox") => {
                answer(StatusCode::OK, "text/html; charset=utf-8", PAGE.to_owned())
            }
            (&Method::GET, "/page.js") => {
                answer(StatusCode::OK, "text/javascript; charset=utf-8", SCRIPT.to_owned())
            }
            (&Method::GET, "/page.css") => {
                answer(StatusCode::OK, "text/css; charset=utf-8", STYLE.to_owned())
            }
            (&Method::POST, "/session") if is_from(&head.headers, origins) => self.open(body).await,
            (&Method::GET, "/api/outbox") if !is_from_elsewhere(&head.headers, origins) => {
                self.outbox(&head.headers).await
            }
            (&Method::POST, "/session") | (&Method::GET, "/api/outbox") => {
                answer(StatusCode::FORBIDDEN, "text/plain", String::new())
            }
            _ => answer(StatusCode::NOT_FOUND, "text/plain", String::new()),
        }
    }

    /// Exchanges a link's token for a session.
    async fn open(&self, body: Body) -> Response<Body> {
        let body = collect(body, MOST_BYTES).await.ok();
        let exchange = body.and_then(|body| serde_json::from_slice::<Exchange>(&body).ok());
        if !exchange.is_some_and(|exchange| self.links.redeem(&exchange.link)) {
            return answer(
                StatusCode::FORBIDDEN,
                "application/json",
                r#"{"error":"the link is used up"}"#.to_owned(),
            );
        }
        let session = self.sessions.open();
        let mut response = answer(
            StatusCode::OK,
            "application/json",
            serde_json::json!({ "token": session.token }).to_string(),
        );
        // Below this path alone, so that what else listens on this host isn't sent it.
        let cookie = format!("{}={}; HttpOnly; SameSite=Strict; Path=/api/", self.cookie, session.cookie);
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            response.headers_mut().insert(header::SET_COOKIE, cookie);
        }
        response
    }

    async fn outbox(&self, headers: &HeaderMap) -> Response<Body> {
        let token = headers.get(TOKEN_HEADER).and_then(|token| token.to_str().ok()).unwrap_or_default();
        let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|line| line.to_str().ok());
        let mut own = cookies
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().strip_prefix(&self.cookie)?.strip_prefix('='))
            .take(MOST_COOKIES);
        if !own.any(|cookie| self.sessions.holds(cookie, token)) {
            return answer(StatusCode::FORBIDDEN, "application/json", r#"{"error":"no session"}"#.to_owned());
        }
        let asked = Asked { most: SHOWN, ..Asked::default() };
        match self.outbox.read(&asked).await {
            Ok(messages) => {
                let messages = serde_json::to_string(&messages).unwrap_or_default();
                answer(StatusCode::OK, "application/json", messages)
            }
            Err(error) => {
                tracing::error!(%error, "the outbox can't be read");
                answer(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "application/json",
                    r#"{"error":"see the log"}"#.to_owned(),
                )
            }
        }
    }
}

/// Whether another origin's page asks. A page of one's own asks without `Origin` where it only reads.
fn is_from_elsewhere(headers: &HeaderMap, origins: &[String]) -> bool {
    headers.contains_key(header::ORIGIN) && !is_from(headers, origins)
}

fn is_from(headers: &HeaderMap, origins: &[String]) -> bool {
    let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
    origin.is_some_and(|origin| origins.iter().any(|own| own == origin))
}

fn answer(status: StatusCode, content_type: &'static str, body: String) -> Response<Body> {
    let mut response = Response::new(full(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
