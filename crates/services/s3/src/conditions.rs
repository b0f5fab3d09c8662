use homeport_core::Timestamp;
use http::HeaderMap;

use crate::error::S3Error;
use crate::records::Object;

/// What a conditional request of an object says (RFC 9110, part 13), by its four headers or those of a copy's source.
#[derive(Clone, Debug, Default)]
pub(crate) struct Conditions {
    pub(crate) if_match: Option<String>,
    pub(crate) if_none_match: Option<String>,
    pub(crate) if_modified_since: Option<Timestamp>,
    pub(crate) if_unmodified_since: Option<Timestamp>,
}

/// How a conditional read ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// As if there were no conditions.
    Proceed,
    /// 304.
    NotModified,
    /// 412, for this header.
    Failed(&'static str),
}

impl Conditions {
    pub(crate) fn read(headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let date = |name: &str| text(name).and_then(|text| parse_date(&text));
        Self {
            if_match: text("if-match"),
            if_none_match: text("if-none-match"),
            if_modified_since: date("if-modified-since"),
            if_unmodified_since: date("if-unmodified-since"),
        }
    }

    /// For a read. A date counts only where the ETag of its kind was not asked for.
    pub(crate) fn judge(&self, object: &Object) -> Verdict {
        match &self.if_match {
            Some(etags) if !matches(etags, object) => return Verdict::Failed("If-Match"),
            None if self.if_unmodified_since.is_some_and(|since| object.last_modified > since) => {
                return Verdict::Failed("If-Unmodified-Since");
            }
            _ => {}
        }
        match &self.if_none_match {
            Some(etags) if matches(etags, object) => Verdict::NotModified,
            None if self.if_modified_since.is_some_and(|since| object.last_modified <= since) => {
                Verdict::NotModified
            }
            _ => Verdict::Proceed,
        }
    }

    /// For a write over `before`: `If-None-Match: *` and `If-Match` with an ETag.
    pub(crate) fn judge_write(&self, before: Option<&Object>, key: &str) -> Result<(), S3Error> {
        if let Some(etags) = &self.if_none_match {
            if etags != "*" {
                return Err(S3Error::NotImplemented { header: "If-None-Match".to_owned() });
            }
            if before.is_some() {
                return Err(S3Error::PreconditionFailed { condition: "If-None-Match" });
            }
        }
        match (&self.if_match, before) {
            (Some(_), None) => Err(S3Error::NoSuchKey { key: key.to_owned() }),
            (Some(etags), Some(before)) if !matches(etags, before) => {
                Err(S3Error::PreconditionFailed { condition: "If-Match" })
            }
            _ => Ok(()),
        }
    }
}

/// Reads an HTTP date; none when it is none, so that the condition does not count.
pub(crate) fn parse_date(text: &str) -> Option<Timestamp> {
    let since = httpdate::parse_http_date(text).ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(Timestamp::from_seconds(i64::try_from(since.as_secs()).ok()?))
}

fn matches(etags: &str, object: &Object) -> bool {
    etags.split(',').map(str::trim).any(|etag| {
        let bare = etag.strip_prefix("W/").unwrap_or(etag).trim_matches('"');
        etag == "*" || bare == object.etag
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::Algorithm;
    use crate::records::Checksum;

    fn object() -> Object {
        Object {
            generation: "g".into(),
            key: "k".into(),
            stored: crate::records::Stored::Blob(String::new()),
            size: 1,
            etag: "abc".into(),
            last_modified: Timestamp::from_seconds(1_000),
            content: Default::default(),
            metadata: Default::default(),
            checksum: Checksum { algorithm: Algorithm::Crc32, value: String::new(), composite: false },
            storage_class: None,
            sse: false,
        }
    }

    fn asked(
        if_match: Option<&str>,
        if_none_match: Option<&str>,
        modified: Option<i64>,
        unmodified: Option<i64>,
    ) -> Verdict {
        let conditions = Conditions {
            if_match: if_match.map(str::to_owned),
            if_none_match: if_none_match.map(str::to_owned),
            if_modified_since: modified.map(Timestamp::from_seconds),
            if_unmodified_since: unmodified.map(Timestamp::from_seconds),
        };
        conditions.judge(&object())
    }

    #[test]
    fn etags_count_before_dates() {
        assert_eq!(asked(None, None, None, None), Verdict::Proceed);
        assert_eq!(asked(Some("\"abc\""), None, None, Some(1)), Verdict::Proceed);
        assert_eq!(asked(Some("\"x\", W/\"abc\""), None, None, None), Verdict::Proceed);
        assert_eq!(asked(Some("\"x\""), None, None, None), Verdict::Failed("If-Match"));
        assert_eq!(asked(None, None, None, Some(999)), Verdict::Failed("If-Unmodified-Since"));
        assert_eq!(asked(None, Some("*"), None, None), Verdict::NotModified);
        assert_eq!(asked(None, Some("abc"), Some(1), None), Verdict::NotModified);
        assert_eq!(asked(None, Some("\"x\""), Some(2_000), None), Verdict::Proceed);
        assert_eq!(asked(None, None, Some(1_000), None), Verdict::NotModified);
        assert_eq!(asked(None, None, Some(999), None), Verdict::Proceed);
    }
}
