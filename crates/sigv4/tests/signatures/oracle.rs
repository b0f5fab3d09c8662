use std::io::Write;
use std::process::{Command, Stdio};

use homeport_core::{Randomness, SeededRandomness};
use homeport_sigv4::{Rules, decode_path};
use serde::{Deserialize, Serialize};

use crate::given::{AT, S3, check, headers, sha256};

const CASES: usize = 4_000;

/// Where Python with botocore may be; the first that can import it is asked.
const PYTHONS: [&str; 4] = [
    "../../.tools/python/bin/python3",
    "../../.tools/venv/bin/python3",
    "../../.venv/bin/python3",
    "python3",
];

#[derive(Serialize)]
struct Case {
    service: &'static str,
    method: &'static str,
    path: String,
    /// Whether the path is sent as it is, not percent-encoded, where that can be.
    raw_path: bool,
    query: Vec<(String, String)>,
    /// Whether spaces in the query go as `+`.
    form_query: bool,
    headers: Vec<(String, String)>,
    body: String,
    presigned: bool,
    token: Option<String>,
}

#[derive(Deserialize)]
struct Answer {
    target: String,
    headers: Vec<(String, String)>,
    body: String,
}

struct Draw(SeededRandomness);

impl Draw {
    fn below(&self, most: usize) -> usize {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        u32::from_le_bytes(bytes) as usize % most
    }

    fn one<T: Copy>(&self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    fn text(&self, pieces: &[&str], most: usize) -> String {
        (0..self.below(most + 1)).map(|_| self.one(pieces)).collect()
    }

    fn case(&self) -> Case {
        const PATH: [&str; 24] = [
            "/", "//", "/./", "/../", ".", "..", "a", "B9", "é", "日本", "🦀", "%2F", "%", "+", " ", "~",
            "*", "'", "(", "@:", "=&", "$,;", "!", "-_",
        ];
        const NAME: [&str; 12] = ["a", "A", "b", "é", " ", "+", "~", "*", "%", "-", "prefix", "a[]"];
        const VALUE: [&str; 14] = ["", "a", "Z", "日", "/", "//", "+", " ", "~", "*", "=", "&", "%2F", "?#"];
        const HEADER: [&str; 8] = ["a", " ", "  ", ",", "\"x  y\"", ";", "=", "Z"];
        let service = self.one(&["s3", "execute-api", "dynamodb"]);
        let presigned = self.below(4) == 0;
        let mut query: Vec<_> = (0..self.below(5))
            .map(|n| (format!("{}{n}", self.text(&NAME, 3)), self.text(&VALUE, 4)))
            .collect();
        if !presigned && query.len() > 1 && self.below(3) == 0 {
            query[0].0 = query[1].0.clone();
        }
        let headers =
            (0..self.below(3)).map(|n| (format!("x-amz-meta-{n}"), format!("v{}", self.text(&HEADER, 6))));
        Case {
            service,
            method: self.one(&["GET", "PUT", "POST", "DELETE"]),
            path: format!("/{}", self.text(&PATH, 8)),
            raw_path: service != "s3" && self.below(3) == 0,
            query,
            form_query: !presigned && self.below(3) == 0,
            headers: if presigned { Vec::new() } else { headers.collect() },
            body: if presigned { String::new() } else { self.text(&VALUE, 5) },
            presigned,
            token: (self.below(4) == 0).then(|| "FwoG/+=".to_owned()),
        }
    }
}

fn python() -> Option<&'static str> {
    let imports = |python: &&&str| {
        let mut command = Command::new(python);
        command.args(["-c", "import botocore.auth"]).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    PYTHONS.iter().find(imports).copied()
}

fn ask(python: &str, cases: &[Case]) -> Vec<Answer> {
    let mut child = Command::new(python)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/signatures/oracle.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let question = serde_json::to_vec(cases).unwrap();
    child.stdin.take().unwrap().write_all(&question).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn botocore_agrees_on_odd_paths_and_queries() {
    let Some(python) = python() else {
        println!("SKIPPED: no Python with botocore; `pip install botocore` in .venv brings it");
        return;
    };
    let draw = Draw(SeededRandomness::new(4_566));
    let cases: Vec<Case> = (0..CASES).map(|_| draw.case()).collect();
    let answers = ask(python, &cases);
    assert_eq!(answers.len(), CASES);
    for (case, answer) in cases.iter().zip(answers) {
        let pairs: Vec<_> = answer.headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let headers = headers(&pairs);
        let body_sha256 = &sha256(answer.body.as_bytes());
        let standard = Rules::Standard { service: case.service, body_sha256 };
        let rules = if case.service == "s3" { S3 } else { standard };
        let verified = check(case.method, &answer.target, &headers, AT, &rules);
        let told = serde_json::to_string(case).unwrap();
        assert!(verified.is_ok(), "{verified:?}: {told}\n{} {pairs:?}", answer.target);
        let path = answer.target.split('?').next().unwrap();
        assert!(case.raw_path || decode_path(path).unwrap() == case.path, "{told}");
    }
}
