//! botocore as an oracle: what it writes is what we read, and what we write is what it reads, for every operation.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use homeport_wire::{Models, Protocol, Service, encode, parse};
use serde_json::{Value, json};

use crate::requests::{Request, find};

/// The version that `models/*.txt` are taken from.
const BOTOCORE_VERSION: &str = "1.44.5";

/// A Python with the stated botocore: `HOMEPORT_PYTHON`, or that of a virtual environment made here.
#[expect(clippy::disallowed_methods, reason = "where botocore lies is a matter of the test machine")]
fn python() -> Result<PathBuf, String> {
    if let Some(python) = std::env::var_os("HOMEPORT_PYTHON") {
        return Ok(python.into());
    }
    let venv = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("wire-botocore-{BOTOCORE_VERSION}"));
    let python = venv.join("bin/python");
    let run = |command: &mut Command| match command.output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Err(error) => Err(error.to_string()),
    };
    if !python.exists() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
    }
    let wanted = format!("botocore=={BOTOCORE_VERSION}");
    run(Command::new(&python).args(["-m", "pip", "install", "--quiet", &wanted]))?;
    Ok(python)
}

fn script(python: &Path, mode: &str, input: Option<String>) -> Vec<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wire/oracle.py");
    let mut command = Command::new(python);
    command.arg(script).arg(mode).stdin(Stdio::piped()).stdout(Stdio::piped());
    if input.is_none() {
        command.args(Models::names());
    }
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(input.unwrap_or_default().as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "oracle.py {mode} failed");
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn protocol(service: &Service) -> Protocol {
    if service.protocol == Protocol::RpcV2Cbor { Protocol::Json } else { service.protocol }
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap()
}

/// As the canonical form: a float that is whole is a number like others.
fn normal(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            Value::Object(map.iter().map(|(key, item)| (key.clone(), normal(item))).collect())
        }
        Value::Array(items) => items.iter().map(normal).collect(),
        Value::Number(number) => json!(number.as_f64()),
        other => other.clone(),
    }
}

#[test]
fn botocore_and_we_understand_each_other() {
    let python = match python() {
        Ok(python) => python,
        Err(reason) => {
            eprintln!("SKIPPED: botocore {BOTOCORE_VERSION} cannot be installed: {reason}");
            return;
        }
    };
    requests_are_read_as_they_were_meant(&python);
    answers_are_read_as_they_were_meant(&python);
}

fn requests_are_read_as_they_were_meant(python: &Path) {
    let cases = script(python, "requests", None);
    assert!(cases.len() > 1_800);
    let mut wrong = Vec::new();
    for case in &cases {
        let (service, operation) = find(text(case, "service"), text(case, "operation"));
        let header =
            |pair: &Value| (pair[0].as_str().unwrap().to_owned(), pair[1].as_str().unwrap().to_owned());
        let headers: Vec<_> = case["headers"].as_array().unwrap().iter().map(header).collect();
        let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let mut request = Request::new(text(case, "method"), text(case, "target"), &headers, "");
        request.body = BASE64.decode(text(case, "body")).unwrap();
        let protocol = protocol(service);
        if matches!(protocol, Protocol::RestJson | Protocol::RestXml) {
            let routed = service.route(&request.head()).map(|operation| operation.name);
            if routed != Some(operation.name) && !crate::rest::REPLACED.contains(&operation.name) {
                wrong.push(format!("{} {}: routed to {routed:?}", service.name, operation.name));
            }
        }
        let read = parse(operation, protocol, &request.head(), &request.body);
        if read.as_ref().map(normal).ok() != Some(without_streams(operation, normal(&case["params"]))) {
            wrong.push(format!("{} {}\n  {}\n  {read:?}", service.name, operation.name, case));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} requests\n{}",
        wrong.len(),
        cases.len(),
        wrong[..wrong.len().min(12)].join("\n")
    );
}

/// Headers that botocore sends by itself are read into members that the sample may not have set.
fn without_streams(operation: &homeport_wire::Operation, mut params: Value) -> Value {
    if let (Some(body), Some(map)) = (operation.streaming_input(), params.as_object_mut()) {
        map.remove(body);
    }
    params
}

fn answers_are_read_as_they_were_meant(python: &Path) {
    let samples = script(python, "outputs", None);
    assert!(samples.len() > 1_800);
    let mut answers = String::new();
    for sample in &samples {
        let (service, operation) = find(text(sample, "service"), text(sample, "operation"));
        let answer = encode(operation, protocol(service), &sample["output"], "request-1");
        let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            json!([name.as_str(), String::from_utf8_lossy(value.as_bytes())])
        };
        let line = json!({"service": service.name, "operation": operation.name, "status": answer.status,
            "headers": answer.headers.iter().map(header).collect::<Vec<_>>(), "body": BASE64.encode(&answer.body)});
        answers += &format!("{line}\n");
    }
    let read = script(python, "answers", Some(answers));
    assert_eq!(read.len(), samples.len());
    let mut wrong = Vec::new();
    for (sample, read) in samples.iter().zip(&read) {
        if normal(&sample["output"]) != normal(&read["output"]) || read["request_id"] != "request-1" {
            wrong.push(format!(
                "{} {}\n  {}\n  {read}",
                sample["service"], sample["operation"], sample["output"]
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} answers\n{}",
        wrong.len(),
        samples.len(),
        wrong[..wrong.len().min(12)].join("\n")
    );
}
