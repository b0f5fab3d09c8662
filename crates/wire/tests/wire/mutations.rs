//! A seeded walk over damaged requests: whatever comes in, an answer or a fault comes out, and no panic.

use homeport_core::{Randomness, SeededRandomness};
use homeport_wire::{Models, Protocol, encode, encode_fault};

use crate::requests::Request;

const TURNS: usize = 20_000;

const SEEDS: [(&str, &str, &str, &str, &str); 7] = [
    (
        "dynamodb",
        "CreateTable",
        "POST",
        "/",
        r#"{"TableName":"notes","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}],"AttributeDefinitions":[]}"#,
    ),
    (
        "cognito-idp",
        "SignUp",
        "POST",
        "/",
        r#"{"ClientId":"c","Username":"ann","Password":"x","UserAttributes":[{"Name":"email","Value":"a"}]}"#,
    ),
    (
        "iam",
        "CreateRole",
        "POST",
        "/",
        "Action=CreateRole&RoleName=a&AssumeRolePolicyDocument=%7B%7D&Tags.member.1.Key=a&Tags.member.1.Value=b",
    ),
    ("sns", "CreateTopic", "POST", "/?a=b", "Name=t&Attributes.entry.1.key=A&Attributes.entry.1.value=1"),
    ("lambda", "Invoke", "POST", "/2015-03-31/functions/a%20b/invocations?Qualifier=x", "{}"),
    (
        "apigateway",
        "UpdateStage",
        "PATCH",
        "/restapis/a/stages/b",
        r#"{"patchOperations":[{"op":"replace","path":"/*/*/throttling/rateLimit","value":"1"}]}"#,
    ),
    (
        "s3",
        "PutBucketCors",
        "PUT",
        "/b?cors",
        "<C><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>&#42;</AllowedOrigin><MaxAgeSeconds>5</MaxAgeSeconds></CORSRule></C>",
    ),
];

#[test]
fn damaged_requests_are_answered() {
    let random = SeededRandomness::new(20_261_121);
    let draw = |below: usize| {
        let mut bytes = [0_u8; 8];
        random.fill(&mut bytes);
        usize::try_from(u64::from_le_bytes(bytes) >> 1).unwrap() % below.max(1)
    };
    let mut decoded = 0;
    for turn in 0..TURNS {
        let (service, operation, method, target, body) = SEEDS[turn % SEEDS.len()];
        let mut request = Request::new(method, target, &[], "");
        request.body = damaged(body.as_bytes(), &draw);
        if turn % 3 == 0 {
            request.path = String::from_utf8_lossy(&damaged(request.path.as_bytes(), &draw)).into_owned();
            request.query = String::from_utf8_lossy(&damaged(request.query.as_bytes(), &draw)).into_owned();
        }
        let model = Models::service(service).unwrap();
        let _ = model.route(&request.head());
        match request.decode(service, operation) {
            Ok(value) => {
                decoded += 1;
                let _ = encode(model.operation(operation).unwrap(), model.protocol, &value, "r");
            }
            Err(fault) => {
                let answer = encode_fault(model, model.protocol, &fault, "r");
                assert!((400..600).contains(&answer.status));
                if matches!(model.protocol, Protocol::Json | Protocol::RestJson) {
                    serde_json::from_slice::<serde_json::Value>(&answer.body).unwrap();
                }
            }
        }
    }
    assert!(decoded > TURNS / 50, "the damage leaves some requests whole: {decoded}");
}

fn damaged(bytes: &[u8], draw: &dyn Fn(usize) -> usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..draw(4) {
        let at = draw(bytes.len());
        match draw(5) {
            0 if !bytes.is_empty() => bytes[at] = u8::try_from(draw(256)).unwrap(),
            1 if !bytes.is_empty() => drop(bytes.remove(at)),
            2 => bytes.insert(at, b"{}[]\"\\<>&%=.0-\xff"[draw(15)]),
            3 => bytes.truncate(at),
            _ => {
                let piece = bytes[at..].to_vec();
                bytes.extend(piece.into_iter().take(64));
            }
        }
    }
    bytes
}
