use http::HeaderMap;

use crate::Refusal;
use crate::text::parts;

/// At most so many headers can be signed; SDKs sign fewer than twenty.
const MOST: usize = 128;

/// The names of the headers that a signature binds: in lower case, sorted, each once, with `;` between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SignedHeaders(String);

impl SignedHeaders {
    /// Reads the list as a request presents it.
    pub(crate) fn parse(text: &str) -> Result<Self, Refusal> {
        let mut before: &[u8] = b"";
        let mut count = 0;
        for name in text.as_bytes().split(|byte| *byte == b';') {
            count += 1;
            let formed = name.iter().all(|b| b.is_ascii_graphic() && !b.is_ascii_uppercase());
            // What comes first is greater than nothing, so an empty name is refused here too.
            if count > MOST || name <= before || !formed {
                return Err(Refusal::incomplete(
                    "SignedHeaders must be lower-case names, sorted, each once.",
                ));
            }
            before = name;
        }
        Ok(Self(text.to_owned()))
    }

    /// All of these headers but `never`.
    pub(crate) fn of(headers: &HeaderMap, never: &[&str]) -> Self {
        let names = headers.keys().map(http::HeaderName::as_str);
        let mut names: Vec<&str> = names.filter(|name| !never.contains(name)).collect();
        names.sort_unstable();
        Self(names.join(";"))
    }

    /// The names, in order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        parts(&self.0, b';')
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.names().any(|signed| signed == name)
    }

    /// As it is presented and signed.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_each_once_and_in_lower_case() {
        let signed = SignedHeaders::parse("host;x-amz-date").unwrap();
        assert!(signed.contains("host") && signed.contains("x-amz-date") && !signed.contains("amz"));
        for bad in ["", ";", "host;", "x-amz-date;host", "host;host", "Host", "host;x amz"] {
            assert!(SignedHeaders::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn more_names_than_anybody_signs_are_refused() {
        let list = |count: usize| (0..count).map(|n| format!("h{n:04}")).collect::<Vec<_>>().join(";");
        assert!(SignedHeaders::parse(&list(MOST)).is_ok());
        assert!(SignedHeaders::parse(&list(MOST + 1)).is_err());
    }
}
