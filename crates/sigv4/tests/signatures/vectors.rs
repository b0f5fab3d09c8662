use std::path::Path;

use homeport_core::Timestamp;
use homeport_sigv4::{
    BodyForm, Credentials, Head, Presented, Refusal, Rules, SignedPayload, Signer, SigningKeys, verify,
};
use http::HeaderMap;
use serde::Deserialize;

use crate::given::{headers, sha256};

#[derive(Deserialize)]
struct Context {
    credentials: ContextCredentials,
    normalize: bool,
    region: String,
    service: String,
    timestamp: String,
    expiration_in_seconds: u32,
    #[serde(default)]
    omit_session_token: bool,
}

#[derive(Deserialize)]
struct ContextCredentials {
    secret_access_key: String,
    access_key_id: String,
    token: Option<String>,
}

struct Request {
    method: String,
    target: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Request {
    fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap().replace("\r\n", "\n");
        let (head, body) = text.split_once("\n\n").unwrap_or((&text, ""));
        let head = head.replace("\n ", " ");
        let (first, rest) = head.split_once('\n').unwrap();
        let (method, target) = first.split_once(' ').unwrap();
        let pairs: Vec<_> = rest.lines().filter_map(|line| line.split_once(':')).collect();
        Self {
            method: method.to_owned(),
            target: target.strip_suffix(" HTTP/1.1").unwrap_or(target).to_owned(),
            headers: headers(&pairs.iter().map(|(n, v)| (n.trim(), v.trim())).collect::<Vec<_>>()),
            body: body.as_bytes().to_vec(),
        }
    }

    fn verify(&self, context: &Context) -> Result<BodyForm, Refusal> {
        let head = Head { method: &self.method, target: &self.target, headers: &self.headers };
        let at = Timestamp::parse_rfc3339(&context.timestamp).unwrap();
        let body_sha256 = &sha256(&self.body);
        let rules = Rules::Standard { service: &context.service, body_sha256 };
        let presented = Presented::read(&head)?;
        let secret = context.credentials.secret_access_key.as_bytes();
        verify(&presented, secret, &SigningKeys::new(2), &head, at, &rules)
    }
}

fn cases() -> Vec<(String, std::path::PathBuf)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let folders = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path());
    let mut cases: Vec<_> = folders
        .filter(|path| path.is_dir())
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), path))
        .collect();
    cases.sort();
    cases
}

fn context(folder: &Path) -> Context {
    match std::fs::read_to_string(folder.join("context.json")) {
        Ok(text) => serde_json::from_str(&text).unwrap(),
        Err(_) => Context {
            credentials: ContextCredentials {
                secret_access_key: crate::given::SECRET.to_owned(),
                access_key_id: "AKIDEXAMPLE".to_owned(),
                token: None,
            },
            normalize: true,
            region: "us-east-2".to_owned(),
            service: "lambda".to_owned(),
            timestamp: "2021-05-11T15:40:45Z".to_owned(),
            expiration_in_seconds: 3_600,
            omit_session_token: false,
        },
    }
}

/// The suite's cases that do not normalize are signed for a service with standard rules and one encoding of the
/// path, which no service has; that half of S3's rules is proved by the S3 examples and by botocore.
fn with_standard_path(context: &Context, request: &Request) -> bool {
    let path = request.target.split('?').next().unwrap();
    let plain = !path.contains("//") && !path.split('/').any(|part| part == "." || part == "..");
    context.normalize || plain
}

#[test]
fn the_published_vectors_verify() {
    let (mut by_header, mut by_query) = (0, 0);
    for (name, folder) in cases() {
        let context = context(&folder);
        for (form, counted) in [("header", &mut by_header), ("query", &mut by_query)] {
            let file = folder.join(format!("{form}-signed-request.txt"));
            if !file.exists() {
                continue;
            }
            let request = Request::read(&file);
            if !with_standard_path(&context, &request) {
                continue;
            }
            let answer = request.verify(&context);
            if context.omit_session_token {
                assert!(answer.is_err(), "{name} by {form}: a token that is not signed was accepted");
            } else {
                assert!(matches!(answer, Ok(BodyForm::Verified)), "{name} by {form}: {answer:?}");
            }
            *counted += 1;
        }
    }
    assert!(by_header >= 32 && by_query >= 31, "{by_header} by header, {by_query} by query");
}

#[test]
fn the_signer_makes_the_published_signatures() {
    let mut made = 0;
    for (name, folder) in cases() {
        let context = context(&folder);
        let request = Request::read(&folder.join("request.txt"));
        if context.omit_session_token || !with_standard_path(&context, &request) {
            continue;
        }
        let signed = Request::read(&folder.join("header-signed-request.txt"));
        let signer = Signer {
            credentials: Credentials {
                access_key_id: &context.credentials.access_key_id,
                secret_access_key: &context.credentials.secret_access_key,
                session_token: context.credentials.token.as_deref(),
            },
            region: &context.region,
            service: &context.service,
            at: Timestamp::parse_rfc3339(&context.timestamp).unwrap(),
        };
        let mut headers = request.headers.clone();
        headers.remove("content-length");
        let body = SignedPayload::Bytes(&request.body);
        // The suite's own request for one case is encoded already; the signed one is what was signed.
        signer.sign(&request.method, &signed.target, &mut headers, body).unwrap();
        if !request.headers.contains_key("content-length") {
            assert_eq!(headers["authorization"], signed.headers["authorization"], "{name}");
            made += 1;
        }
        let mut headers = request.headers.clone();
        headers.remove("x-amz-date");
        let target =
            signer.presign(&request.method, &signed.target, &headers, context.expiration_in_seconds).unwrap();
        if request.body.is_empty() {
            let presigned = Request { target, headers, ..request };
            assert!(presigned.verify(&context).is_ok(), "{name}");
        }
    }
    assert!(made >= 28, "{made}");
}
