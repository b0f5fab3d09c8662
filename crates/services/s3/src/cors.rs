//! Which web pages may read a bucket's answers, by the bucket's own rules.

use homeport_core::BoxFuture;
use homeport_service::needs::{BucketCors, CorsAnswer, CorsQuestion};
use homeport_store::StoreError;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

use crate::S3;
use crate::error::S3Error;
use crate::records::BUCKETS;

/// A configuration has at most so many rules.
const MAX_RULES: usize = 100;

/// One `CORSRule` ("Elements of a CORS configuration", S3 user guide).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CorsRule {
    #[serde(rename = "ID", default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    allowed_methods: Vec<String>,
    allowed_origins: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    allowed_headers: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    expose_headers: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_age_seconds: Option<u32>,
}

/// Whether these rules can be a bucket's.
pub(crate) fn check(rules: &[CorsRule]) -> Result<(), S3Error> {
    if rules.is_empty() || rules.len() > MAX_RULES {
        return Err(S3Error::MalformedXml);
    }
    let invalid = |message: String| Err(S3Error::InvalidRequest(message));
    let wild = |text: &String| text.matches('*').count() > 1;
    for rule in rules {
        if rule.allowed_methods.is_empty() || rule.allowed_origins.is_empty() {
            return Err(S3Error::MalformedXml);
        }
        let known = |method: &&String| !matches!(method.as_str(), "GET" | "PUT" | "HEAD" | "POST" | "DELETE");
        if let Some(method) = rule.allowed_methods.iter().find(known) {
            return invalid(format!(
                "Found unsupported HTTP method in CORS config. Unsupported method is {method}"
            ));
        }
        if let Some(origin) = rule.allowed_origins.iter().find(|origin| wild(origin)) {
            return invalid(format!("AllowedOrigin \"{origin}\" can not have more than one wildcard."));
        }
        if let Some(header) = rule.allowed_headers.iter().find(|header| wild(header)) {
            return invalid(format!("AllowedHeader \"{header}\" can not have more than one wildcard."));
        }
        if let Some(header) =
            rule.expose_headers.iter().find(|header| HeaderName::try_from(header.as_str()).is_err())
        {
            return invalid(format!("ExposeHeader \"{header}\" contains invalid character."));
        }
    }
    Ok(())
}

impl CorsRule {
    fn admits(&self, asked: &CorsQuestion<'_>) -> bool {
        let header =
            |header: &&str| self.allowed_headers.iter().any(|allowed| is_like(allowed, header, true));
        self.allowed_methods.iter().any(|method| method == asked.method)
            && self.allowed_origins.iter().any(|allowed| is_like(allowed, asked.origin, false))
            && asked.headers.iter().all(header)
    }

    fn answer(&self, asked: &CorsQuestion<'_>) -> HeaderMap {
        let mut answer = HeaderMap::new();
        let mut set = |name: HeaderName, value: String| {
            if let Ok(value) = HeaderValue::try_from(value) {
                answer.insert(name, value);
            }
        };
        if self.allowed_origins.iter().any(|origin| origin == "*") {
            set(http::header::ACCESS_CONTROL_ALLOW_ORIGIN, "*".to_owned());
        } else {
            set(http::header::ACCESS_CONTROL_ALLOW_ORIGIN, asked.origin.to_owned());
            set(http::header::ACCESS_CONTROL_ALLOW_CREDENTIALS, "true".to_owned());
        }
        set(http::header::ACCESS_CONTROL_ALLOW_METHODS, self.allowed_methods.join(", "));
        if !self.expose_headers.is_empty() {
            set(http::header::ACCESS_CONTROL_EXPOSE_HEADERS, self.expose_headers.join(", "));
        }
        if asked.preflight {
            if !asked.headers.is_empty() {
                set(
                    http::header::ACCESS_CONTROL_ALLOW_HEADERS,
                    asked.headers.join(", ").to_ascii_lowercase(),
                );
            }
            if let Some(seconds) = self.max_age_seconds {
                set(http::header::ACCESS_CONTROL_MAX_AGE, seconds.to_string());
            }
        }
        let vary = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method";
        set(http::header::VARY, vary.to_owned());
        answer
    }
}

/// A pattern with at most one `*`.
fn is_like(pattern: &str, text: &str, ignore_case: bool) -> bool {
    let fold = |text: &str| if ignore_case { text.to_ascii_lowercase() } else { text.to_owned() };
    let (pattern, text) = (fold(pattern), fold(text));
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, behind)) => {
            text.len() >= before.len() + behind.len() && text.starts_with(before) && text.ends_with(behind)
        }
    }
}

/// What the first rule that admits a question answers.
fn by_rules(rules: &[CorsRule], asked: &CorsQuestion<'_>) -> CorsAnswer {
    let rule = rules.iter().find(|rule| rule.admits(asked));
    rule.map_or(CorsAnswer::Refused, |rule| CorsAnswer::Admitted(rule.answer(asked)))
}

impl BucketCors for S3 {
    fn bucket_cors<'a>(&'a self, asked: CorsQuestion<'a>) -> BoxFuture<'a, Result<CorsAnswer, StoreError>> {
        Box::pin(async move {
            let name = asked.bucket;
            let bucket = self.store.read(|tx| async move { BUCKETS.get(&tx, name).await }).await?;
            Ok(bucket.map_or(CorsAnswer::NoSuchBucket, |bucket| by_rules(&bucket.cors, &asked)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(json: serde_json::Value) -> CorsRule {
        serde_json::from_value(json).unwrap()
    }

    fn asked<'a>(origin: &'a str, method: &'a str, headers: &[&'a str]) -> CorsQuestion<'a> {
        CorsQuestion { bucket: "b", origin, method, headers: headers.to_vec(), preflight: true }
    }

    #[test]
    fn the_first_rule_that_admits_answers() {
        let rules = [
            rule(
                serde_json::json!({"AllowedMethods": ["PUT", "GET"], "AllowedOrigins": ["https://*.example.com"],
                "AllowedHeaders": ["x-amz-*", "Content-Type"], "ExposeHeaders": ["ETag"], "MaxAgeSeconds": 60}),
            ),
            rule(serde_json::json!({"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]})),
        ];
        let CorsAnswer::Admitted(answer) =
            by_rules(&rules, &asked("https://app.example.com", "PUT", &["X-Amz-Date", "content-type"]))
        else {
            panic!("refused");
        };
        assert_eq!(answer["access-control-allow-origin"], "https://app.example.com");
        assert_eq!(answer["access-control-allow-headers"], "x-amz-date, content-type");
        assert_eq!(answer["access-control-expose-headers"], "ETag");
        assert_eq!(answer["access-control-max-age"], "60");
        let CorsAnswer::Admitted(answer) = by_rules(&rules, &asked("https://other.example", "GET", &[]))
        else {
            panic!("refused");
        };
        assert_eq!(answer["access-control-allow-origin"], "*");
        assert!(!answer.contains_key("access-control-allow-credentials"));
        for refused in [
            asked("https://other.example", "PUT", &[]),
            asked("https://example.com", "PUT", &[]),
            asked("https://app.example.com.evil", "PUT", &[]),
            asked("https://app.example.com", "DELETE", &[]),
            asked("https://other.example", "GET", &["x-custom"]),
        ] {
            assert!(
                matches!(by_rules(&rules, &refused), CorsAnswer::Refused),
                "{} {}",
                refused.origin,
                refused.method
            );
        }
    }

    #[test]
    fn rules_that_say_too_much_are_refused() {
        let bad = [
            serde_json::json!({"AllowedMethods": ["PATCH"], "AllowedOrigins": ["*"]}),
            serde_json::json!({"AllowedMethods": ["GET"], "AllowedOrigins": ["https://*.*"]}),
            serde_json::json!({"AllowedMethods": ["GET"], "AllowedOrigins": []}),
            serde_json::json!({"AllowedMethods": ["GET"], "AllowedOrigins": ["*"], "AllowedHeaders": ["**"]}),
            serde_json::json!({"AllowedMethods": ["GET"], "AllowedOrigins": ["*"], "ExposeHeaders": ["a b"]}),
        ];
        for rules in bad {
            assert!(check(&[rule(rules.clone())]).is_err(), "{rules}");
        }
        assert!(check(&[]).is_err());
    }
}
