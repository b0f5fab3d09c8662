use std::fmt;

use time::format_description::well_known::Rfc3339;
use time::{Date, Month, OffsetDateTime};

/// A moment in UTC, in milliseconds since 1970.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment so many milliseconds after 1970 began.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// The moment so many seconds after 1970 began.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000))
    }

    /// Milliseconds since 1970.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// Seconds with their fraction, as AWS JSON writes times.
    pub fn seconds_f64(self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of any real date fit a double exactly")]
        let millis = self.0 as f64;
        millis / 1_000.0
    }

    /// This moment and so many seconds (negative: before it).
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000)))
    }

    /// Seconds from `earlier` to this moment.
    pub const fn seconds_since(self, earlier: Self) -> i64 {
        (self.0 - earlier.0).div_euclid(1_000)
    }

    /// The moment as a calendar date and time; moments outside the years 0 to 9999 are held at 1970.
    pub fn date_time(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    /// `2026-11-21T01:02:03.004Z`, or without the fraction where it is zero.
    pub fn rfc3339(self) -> String {
        self.date_time().format(&Rfc3339).unwrap_or_default()
    }

    /// `2026-11-21T01:02:03Z`: whole seconds, as most AWS XML answers write it.
    pub fn rfc3339_seconds(self) -> String {
        Self::from_seconds(self.seconds()).rfc3339()
    }

    /// `20261121T010203Z`, as SigV4 writes it.
    pub fn basic_iso8601(self) -> String {
        let at = self.date_time();
        format!(
            "{:04}{:02}{:02}T{:02}{:02}{:02}Z",
            at.year(),
            u8::from(at.month()),
            at.day(),
            at.hour(),
            at.minute(),
            at.second()
        )
    }

    /// Reads `20261121T010203Z`, as SigV4 writes it.
    pub fn parse_basic_iso8601(text: &str) -> Option<Self> {
        let (day, time) = text.strip_suffix('Z')?.split_once('T')?;
        if day.len() != 8 || time.len() != 6 {
            return None;
        }
        let number = |part: Option<&str>| {
            let part = part.filter(|part| part.bytes().all(|b| b.is_ascii_digit()))?;
            part.parse::<u16>().ok()
        };
        let two = |text: &str, from: usize| u8::try_from(number(text.get(from..from + 2))?).ok();
        let month = Month::try_from(two(day, 4)?).ok()?;
        let date = Date::from_calendar_date(number(day.get(..4))?.into(), month, two(day, 6)?).ok()?;
        let at = date.with_hms(two(time, 0)?, two(time, 2)?, two(time, 4)?).ok()?;
        Some(Self::from_seconds(at.assume_utc().unix_timestamp()))
    }

    /// Reads RFC 3339.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let nanos = OffsetDateTime::parse(text, &Rfc3339).ok()?.unix_timestamp_nanos();
        i64::try_from(nanos.div_euclid(1_000_000)).ok().map(Self)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_in_every_form() {
        let at = Timestamp::from_seconds(1_440_938_160);
        assert_eq!(at.basic_iso8601(), "20150830T123600Z");
        assert_eq!(at.rfc3339(), "2015-08-30T12:36:00Z");
        assert_eq!(Timestamp::parse_rfc3339("2015-08-30T14:36:00+02:00"), Some(at));
        assert_eq!(Timestamp::parse_basic_iso8601("20150830T123600Z"), Some(at));
    }
}
