//! URI templates of REST operations, such as `/restapis/{restapi_id}/resources` or `/{Bucket}/{Key+}?tagging`.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// A template: segments of a path, and what the query string must hold.
#[derive(Debug)]
pub struct UriTemplate {
    text: &'static str,
    pub(crate) segments: Box<[Segment]>,
    pub(crate) query: Box<[(&'static str, Option<&'static str>)]>,
}

/// A part of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Segment {
    Literal(&'static str),
    Label(&'static str),
    /// The rest of the path, at least one character: `{Key+}`.
    Greedy(&'static str),
}

impl UriTemplate {
    pub(crate) fn parse(template: &'static str) -> Self {
        let (path, query) = template.split_once('?').unwrap_or((template, ""));
        let segment = |text: &'static str| match text.strip_prefix('{').and_then(|t| t.strip_suffix('}')) {
            None => Segment::Literal(text),
            Some(label) => label.strip_suffix('+').map_or(Segment::Label(label), Segment::Greedy),
        };
        let literal = |text: &'static str| text.split_once('=').map_or((text, None), |(k, v)| (k, Some(v)));
        Self {
            text: template,
            segments: path.split('/').filter(|s| !s.is_empty()).map(segment).collect(),
            query: query.split('&').filter(|s| !s.is_empty()).map(literal).collect(),
        }
    }

    /// As the model writes it, such as `/{Bucket}/{Key+}?tagging`.
    pub fn as_str(&self) -> &'static str {
        self.text
    }

    /// A target that fits, its labels written as `x`.
    pub fn example(&self) -> String {
        let segment = |segment: &Segment| match segment {
            Segment::Literal(literal) => format!("/{literal}"),
            Segment::Label(_) | Segment::Greedy(_) => "/x".to_owned(),
        };
        let query = |(name, value): &(&str, Option<&str>)| match value {
            Some(value) => format!("{name}={value}"),
            None => (*name).to_owned(),
        };
        let path: String = self.segments.iter().map(segment).collect();
        let query = self.query.iter().map(query).collect::<Vec<_>>().join("&");
        format!(
            "{}{}{query}",
            if path.is_empty() { "/" } else { &path },
            if query.is_empty() { "" } else { "?" }
        )
    }

    /// The labels of a path that fits: (the label's name, its value decoded). A label that is no UTF-8 fits nothing.
    pub(crate) fn labels<'p>(&self, path: &'p str) -> Option<Vec<(&'static str, Cow<'p, str>)>> {
        let mut rest = path.strip_prefix('/').unwrap_or(path);
        let mut labels = Vec::new();
        for segment in &self.segments {
            if let Segment::Greedy(name) = segment {
                labels.push((*name, decoded(rest)?));
                return (!rest.is_empty()).then_some(labels);
            }
            let (head, tail) = rest.split_once('/').unwrap_or((rest, ""));
            rest = tail;
            match segment {
                Segment::Literal(literal) => (decoded(head)? == *literal).then_some(())?,
                Segment::Label(name) if !head.is_empty() => labels.push((*name, decoded(head)?)),
                _ => return None,
            }
        }
        rest.is_empty().then_some(labels)
    }
}

/// Undoes percent-encoding; none if what comes out is no UTF-8.
pub(crate) fn decoded(text: &str) -> Option<Cow<'_, str>> {
    percent_decode_str(text).decode_utf8().ok()
}

/// The parameters of a query string, in order: names and values with `+` and percent-encoding undone, a parameter
/// without `=` as empty. Parameters that are no UTF-8 are given as none.
pub(crate) fn parameters(query: &str) -> impl Iterator<Item = Option<(Cow<'_, str>, Cow<'_, str>)>> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Some((form_decoded(name)?, form_decoded(value)?))
    })
}

fn form_decoded(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('+') {
        return decoded(text);
    }
    Some(Cow::Owned(decoded(&text.replace('+', " "))?.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_found_and_decoded() {
        let template = UriTemplate::parse("/2015-03-31/functions/{FunctionName}/invocations");
        let labels = template.labels("/2015-03-31/functions/arn%3Aaws%3Alambda/invocations").unwrap();
        assert_eq!(labels, [("FunctionName", "arn:aws:lambda".into())]);
        assert!(template.labels("/2015-03-31/functions//invocations").is_none());
        assert!(template.labels("/2015-03-31/functions/a/invocations/more").is_none());
    }

    #[test]
    fn a_greedy_label_takes_the_rest() {
        let template = UriTemplate::parse("/{Bucket}/{Key+}");
        let labels = template.labels("/photos/a/b%2Fc//d/").unwrap();
        assert_eq!(labels, [("Bucket", "photos".into()), ("Key", "a/b/c//d/".into())]);
        assert!(template.labels("/photos/").is_none());
    }

    #[test]
    fn a_trailing_slash_changes_nothing_without_a_greedy_label() {
        let template = UriTemplate::parse("/2015-03-31/functions/");
        assert!(template.labels("/2015-03-31/functions").is_some());
        assert!(template.labels("/2015-03-31/functions/").is_some());
    }
}
