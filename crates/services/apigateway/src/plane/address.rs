//! Which API, stage and path a call is for.

use http::request::Parts;

/// Where a deployed API is found on a host that it shares with everything else.
const SHARED: &str = "/_aws/execute-api/";

/// A call's address, cut out of its host and path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Address<'a> {
    /// The API's id.
    pub(super) api: &'a str,
    /// The stage; empty if the path ends before.
    pub(super) stage: &'a str,
    /// The path behind the stage, still percent-encoded, with its slash.
    pub(super) path: &'a str,
    /// Whether the host is shared with other content (security decision 21).
    pub(super) shared_host: bool,
}

/// Whether a call is for a deployed API: `/_aws/execute-api/API/STAGE/…`, or a host `API.execute-api.…`.
pub(super) fn claims(head: &Parts, host: &str) -> bool {
    head.uri.path().starts_with(SHARED) || api_of_host(host).is_some()
}

fn api_of_host(host: &str) -> Option<&str> {
    let (api, rest) = host.split_once('.')?;
    (rest.starts_with("execute-api.") && !api.is_empty()).then_some(api)
}

/// Reads the address. The path form wins, as it stands in the signed path.
pub(super) fn address<'a>(path: &'a str, host: &'a str) -> Option<Address<'a>> {
    let (api, rest, shared_host) = match path.strip_prefix(SHARED) {
        Some(rest) => {
            let (api, rest) = rest.split_once('/').unwrap_or((rest, ""));
            (api, rest, true)
        }
        None => (api_of_host(host)?, path.strip_prefix('/').unwrap_or(path), false),
    };
    let end = rest.find('/').unwrap_or(rest.len());
    let (stage, path) = rest.split_at(end);
    Some(Address { api, stage, path: if path.is_empty() { "/" } else { path }, shared_host })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_name_the_same_place() {
        let by_path = address("/_aws/execute-api/a1b2c3d4e5/prod/notes/1", "127.0.0.1").unwrap();
        assert_eq!((by_path.api, by_path.stage, by_path.path), ("a1b2c3d4e5", "prod", "/notes/1"));
        let by_host = address("/prod/notes/1", "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com").unwrap();
        assert_eq!(Address { shared_host: true, ..by_host }, by_path);
        assert!(!by_host.shared_host);
    }

    #[test]
    fn a_path_may_end_early() {
        let ends =
            |path| address(path, "x").map(|a| (a.api.to_owned(), a.stage.to_owned(), a.path.to_owned()));
        let expected = |api: &str, stage: &str| Some((api.to_owned(), stage.to_owned(), "/".to_owned()));
        assert_eq!(ends("/_aws/execute-api/a/prod"), expected("a", "prod"));
        assert_eq!(ends("/_aws/execute-api/a"), expected("a", ""));
        assert_eq!(ends("/prod"), None);
    }
}
