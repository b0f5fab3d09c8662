use serde_json::{Value, json};

use crate::program::{Answer, Place, Server, ask, get};

/// The token in the fragment of a link.
fn link(place: &Place, server: &Server) -> String {
    let url = place.prints(&["outbox", "--link"]);
    let expected = format!("{}/outbox#", server.file["console"].as_str().unwrap());
    url.trim().strip_prefix(&expected).unwrap_or_else(|| panic!("{url}")).to_owned()
}

fn open(server: &Server, link: &str, origin: Option<&str>) -> Answer {
    let own = format!("http://{}", server.console());
    let headers: Vec<_> =
        origin.into_iter().map(|origin| ("origin", if origin == "own" { &own } else { origin })).collect();
    ask(server.console(), "POST /session", &headers, &json!({ "link": link }).to_string())
}

#[test]
fn the_outbox_opens_by_a_link_once() {
    let place = Place::new();
    let server = place.serve();
    let token = link(&place, &server);
    let opened = open(&server, &token, Some("own"));
    assert_eq!(opened.status, 200, "{}", opened.body);
    let cookie = opened.head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    let header: Value = serde_json::from_str(&opened.body).unwrap();
    let (cookie, header) = (cookie.split(';').next().unwrap(), header["token"].as_str().unwrap());
    let both = get(server.console(), "/api/outbox", &[("cookie", cookie), ("x-homeport-token", header)]);
    assert_eq!((both.status, both.body.as_str()), (200, "[]"));
    for headers in [&[][..], &[("cookie", cookie)], &[("x-homeport-token", header)]] {
        assert_eq!(get(server.console(), "/api/outbox", headers).status, 403, "{headers:?}");
    }
    assert_eq!(open(&server, &token, Some("own")).status, 403, "a link opens once");
}

#[test]
fn other_sites_cannot_open_it() {
    let place = Place::new();
    let server = place.serve();
    let token = link(&place, &server);
    for origin in [None, Some("null"), Some("https://evil.example"), Some(server.endpoint())] {
        assert_eq!(open(&server, &token, origin).status, 403, "{origin:?}");
    }
    assert_eq!(open(&server, "0", Some("own")).status, 403);
    assert_eq!(open(&server, &token, Some("own")).status, 200, "refused tries leave the link alone");
    let rebound = get(server.console(), "/outbox", &[("host", "console.evil.example")]);
    assert_eq!(rebound.status, 421);
}

#[test]
fn pages_carry_no_cors_and_run_their_own_script_alone() {
    let place = Place::new();
    let server = place.serve();
    for path in ["/", "/outbox", "/page.js", "/page.css"] {
        let page = get(server.console(), path, &[("origin", "https://evil.example")]);
        assert_eq!(page.status, 200, "{path}");
        assert!(!page.head.contains("access-control-"), "{}", page.head);
        for header in [
            "content-security-policy: default-src 'none'; script-src 'self'",
            "nosniff",
            "frame-options: DENY",
        ] {
            assert!(page.head.contains(header), "{header} is missing in {}", page.head);
        }
    }
    assert_eq!(get(server.console(), "/nowhere", &[]).status, 404);
}

#[test]
fn a_console_that_is_off_has_no_pages() {
    let place = Place::new();
    let server = place.serve_with(&["--console", "off"], |_| {});
    assert!(server.file["console"].is_null());
    assert_eq!(get(server.console(), "/outbox", &[]).status, 404);
    place.credentials();
    assert!(place.fails(&["outbox", "--link"]).contains("console"));
}
