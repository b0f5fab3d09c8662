//! Filter patterns (CloudWatch Logs User Guide, "Filter pattern syntax"): terms, and JSON selectors with comparisons.
//! Space-delimited patterns and regular expressions are refused, not ignored.

mod json;
mod terms;

use crate::LogsError;
use json::Expression;
use terms::Terms;

/// A pattern, read.
#[derive(Debug)]
pub(crate) enum Pattern {
    /// No pattern: everything matches.
    All,
    Terms(Terms),
    Json(Expression),
}

impl Pattern {
    pub(crate) fn parse(text: &str) -> Result<Self, LogsError> {
        let text = text.trim();
        let read = match text.as_bytes() {
            [] => Some(Self::All),
            [b'{', ..] => json::parse(text).map(Self::Json),
            [b'[', ..] => None,
            _ => terms::parse(text).map(Self::Terms),
        };
        read.ok_or_else(|| LogsError::invalid("Invalid filter pattern"))
    }

    pub(crate) fn matches(&self, message: &str) -> bool {
        match self {
            Self::All => true,
            Self::Terms(terms) => terms.match_text(message),
            Self::Json(expression) => match serde_json::from_str(message) {
                Ok(value) => expression.holds(&value),
                Err(_) => false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, message: &str) -> bool {
        Pattern::parse(pattern).expect(pattern).matches(message)
    }

    #[test]
    fn terms_match_as_the_user_guide_says() {
        let messages = [
            "[ERROR 400] BAD REQUEST",
            "[ERROR 401] UNAUTHORIZED REQUEST",
            "[ERROR 419] MISSING ARGUMENTS",
            "[ERROR 420] INVALID ARGUMENTS",
        ];
        let which =
            |pattern: &str| messages.iter().map(|message| matches(pattern, message)).collect::<Vec<_>>();
        assert_eq!(which(""), [true; 4]);
        assert_eq!(which("ERROR"), [true; 4]);
        assert_eq!(which("error"), [false; 4]);
        assert_eq!(which("ERROR ARGUMENTS"), [false, false, true, true]);
        assert_eq!(which("?400 ?UNAUTHORIZED"), [true, true, false, false]);
        assert_eq!(which("ERROR -ARGUMENTS"), [true, true, false, false]);
        assert_eq!(which("\"BAD REQUEST\""), [true, false, false, false]);
        assert_eq!(which("\"] INVALID\" ERROR"), [false, false, false, true]);
        assert!(matches(r#""a \"quoted\" word""#, r#"it has a "quoted" word"#));
    }

    #[test]
    fn json_is_compared() {
        let message = r#"{"eventType":"UpdateTrail","ip":"123.123.1.2","n":3.5,"ok":true,"none":null,
            "list":[{"x":"a"},{"x":"b"}],"a b":1,"user":{"name":"Mary"}}"#;
        for pattern in [
            r#"{ $.eventType = "UpdateTrail" }"#,
            r#"{ $.eventType = UpdateTrail }"#,
            r#"{ $.ip = 123.123.* }"#,
            r#"{ $.eventType = "*Trail" && $.n > 3 }"#,
            r#"{ ($.n < 3) || ($.user.name != "John") }"#,
            r#"{ $.n >= 3.5 && $.n <= 3.5 && $.n = 3.5 && $.n != 4 }"#,
            r#"{ $.ok IS TRUE }"#,
            r#"{ $.none IS NULL && $.absent NOT EXISTS }"#,
            r#"{ $.list[1].x = "b" }"#,
            r#"{ $.['a b'] = 1 }"#,
        ] {
            assert!(matches(pattern, message), "{pattern}");
        }
        for pattern in [
            r#"{ $.eventType = "Update" }"#,
            r#"{ $.absent = "x" }"#,
            r#"{ $.absent != "x" }"#,
            r#"{ $.n > 3.5 }"#,
            r#"{ $.ok IS FALSE }"#,
            r#"{ $.ok NOT EXISTS }"#,
            r#"{ $.eventType = "UpdateTrail" && $.n = 1 }"#,
            r#"{ $.list[5].x = "b" }"#,
        ] {
            assert!(!matches(pattern, message), "{pattern}");
        }
        assert!(!matches(r#"{ $.n = 1 }"#, "no JSON"));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for pattern in [
            "[ip, user]",
            "{ $.x }",
            "{ $.x = }",
            "{ $.x = 1",
            "{ x = 1 }",
            "\"open",
            "%[0-9]%",
            "{ $.x = %a% }",
            "{}",
        ] {
            assert!(Pattern::parse(pattern).is_err(), "{pattern}");
        }
        let deep = format!("{{ {}$.x = 1{} }}", "(".repeat(400), ")".repeat(400));
        assert!(Pattern::parse(&deep).is_err());
    }
}
