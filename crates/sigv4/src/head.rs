use http::{HeaderMap, HeaderValue};

use crate::encode::MalformedTarget;
use crate::query::Query;
use crate::refusal::Refusal;
use crate::text::cut;

/// The head of a request, as it was received and before any prefix was cut.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    /// The method, in upper case.
    pub method: &'a str,
    /// The origin form of the target: the path and, behind `?`, the query; still percent-encoded.
    pub target: &'a str,
    /// The headers; with HTTP/2 the caller puts `:authority` in as `Host`.
    pub headers: &'a HeaderMap,
}

/// The values of a header, in order. A request has some ten headers: looking at each costs less than the map's hash
/// of a name that is first read as one.
pub(crate) fn values<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a HeaderValue> {
    headers.iter().filter(move |(header, _)| header.as_str() == name).map(|(_, value)| value)
}

impl<'a> Head<'a> {
    /// The target's path, still encoded; `/` when it is empty.
    pub fn raw_path(&self) -> &'a str {
        let path = cut(self.target, b'?').map_or(self.target, |(path, _)| path);
        if path.is_empty() { "/" } else { path }
    }

    /// The target's query, decoded.
    pub fn query(&self) -> Result<Query, MalformedTarget> {
        Query::parse(cut(self.target, b'?').map_or("", |(_, query)| query))
    }

    /// Refuses a header of these names that stands twice or is not text.
    pub(crate) fn each_once<const N: usize>(&self, names: &[&'static str; N]) -> Result<(), Refusal> {
        let mut seen = [false; N];
        for (header, value) in self.headers {
            let Some(at) = names.iter().position(|name| *name == header.as_str()) else {
                continue;
            };
            let name = names[at];
            if std::mem::replace(&mut seen[at], true) {
                return Err(Refusal::Duplicate { name: name.to_owned() });
            }
            value.to_str().map_err(|_| Refusal::MalformedHeader { name })?;
        }
        Ok(())
    }

    /// The value of a header that may stand once; absent: `None`.
    pub(crate) fn single(&self, name: &'static str) -> Result<Option<&'a str>, Refusal> {
        let mut values = values(self.headers, name);
        let Some(value) = values.next() else {
            return Ok(None);
        };
        if values.next().is_some() {
            return Err(Refusal::Duplicate { name: name.to_owned() });
        }
        value.to_str().map(Some).map_err(|_| Refusal::MalformedHeader { name })
    }
}
