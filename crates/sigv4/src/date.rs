use std::time::UNIX_EPOCH;

use homeport_core::Timestamp;

/// When a request was signed: the text that the string to sign holds (`20150830T123600Z`), and its moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AmzDate {
    pub(crate) text: String,
    pub(crate) at: Timestamp,
}

impl AmzDate {
    pub(crate) fn of(at: Timestamp) -> Self {
        Self { text: at.basic_iso8601(), at: Timestamp::from_seconds(at.seconds()) }
    }

    /// Reads `YYYYMMDDTHHMMSSZ`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Some(Self { at: Timestamp::parse_basic_iso8601(text)?, text: text.to_owned() })
    }

    /// Reads the `Date` header, which stands in for an absent `X-Amz-Date`: an HTTP date or the form above.
    pub(crate) fn parse_date_header(text: &str) -> Option<Self> {
        if let Some(date) = Self::parse(text) {
            return Some(date);
        }
        let since = httpdate::parse_http_date(text).ok()?.duration_since(UNIX_EPOCH).ok()?;
        Some(Self::of(Timestamp::from_seconds(i64::try_from(since.as_secs()).ok()?)))
    }

    /// `YYYYMMDD`.
    pub(crate) fn day(&self) -> &str {
        self.text.get(..8).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_a_date_are_read() {
        let date = AmzDate::parse("20150830T123600Z").unwrap();
        assert_eq!((date.day(), date.at.seconds()), ("20150830", 1_440_938_160));
        assert_eq!(AmzDate::parse_date_header("Sun, 30 Aug 2015 12:36:00 GMT"), Some(date));
        for bad in ["", "20150830T123600", "20150830 123600Z", "20151330T123600Z", "2015083éT12360Z"] {
            assert_eq!(AmzDate::parse(bad), None, "{bad}");
        }
    }
}
