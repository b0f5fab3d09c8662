//! Timestamps: a number of seconds in canonical JSON, three forms on the wire.

use std::time::{Duration, UNIX_EPOCH};

use homeport_core::Timestamp;
use serde_json::{Number, Value};

use crate::model::TimeFormat;

/// Seconds as canonical JSON writes them: whole ones without a fraction.
fn canonical(at: Timestamp) -> Value {
    if at.millis() % 1_000 == 0 { Value::from(at.seconds()) } else { Value::from(at.seconds_f64()) }
}

/// Reads any of the three forms.
pub(crate) fn read(text: &str) -> Option<Value> {
    if let Ok(number) = text.parse::<Number>() {
        return Some(Value::Number(number));
    }
    if let Some(at) = Timestamp::parse_rfc3339(text) {
        return Some(canonical(at));
    }
    let at = httpdate::parse_http_date(text).ok()?.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(at.as_secs()).ok().map(Value::from)
}

/// Writes canonical seconds in a form. `with_millis`: ISO 8601 always has three digits of a fraction, as S3 writes it.
pub(crate) fn write(value: &Value, format: TimeFormat, with_millis: bool) -> Option<String> {
    if format == TimeFormat::Unix {
        return value.as_number().map(Number::to_string);
    }
    let seconds = value.as_f64()?;
    #[expect(clippy::cast_possible_truncation, reason = "a float beyond the range is held at its end")]
    let at = Timestamp::from_millis((seconds * 1_000.0).round() as i64);
    match format {
        TimeFormat::Rfc822 => {
            let seconds = u64::try_from(at.seconds()).ok().filter(|s| *s < 253_402_300_800)?;
            Some(httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds)))
        }
        _ if with_millis || at.millis() % 1_000 != 0 => {
            let whole = at.rfc3339_seconds();
            Some(format!("{}.{:03}Z", whole.trim_end_matches('Z'), at.millis().rem_euclid(1_000)))
        }
        _ => Some(at.rfc3339_seconds()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_mean_the_same_moment() {
        for text in ["1440938160", "2015-08-30T12:36:00Z", "Sun, 30 Aug 2015 12:36:00 GMT"] {
            assert_eq!(read(text), Some(Value::from(1_440_938_160)), "{text}");
        }
        assert_eq!(read("2015-08-30T12:36:00.250Z"), Some(Value::from(1_440_938_160.25)));
        assert_eq!(read("yesterday"), None);
    }

    #[test]
    fn a_moment_is_written_in_each_form() {
        let at = Value::from(1_440_938_160);
        assert_eq!(write(&at, TimeFormat::Iso8601, false).unwrap(), "2015-08-30T12:36:00Z");
        assert_eq!(write(&at, TimeFormat::Iso8601, true).unwrap(), "2015-08-30T12:36:00.000Z");
        assert_eq!(write(&at, TimeFormat::Rfc822, false).unwrap(), "Sun, 30 Aug 2015 12:36:00 GMT");
        assert_eq!(write(&Value::from(0.5), TimeFormat::Unix, false).unwrap(), "0.5");
    }
}
