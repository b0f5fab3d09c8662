//! Mapping expressions: what a parameter takes its value from.

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expression {
    /// `'text'`
    Text(String),
    /// `method.request.header.NAME`
    Header(String),
    /// `method.request.querystring.NAME`
    Query(String),
    /// `method.request.path.NAME`
    Path(String),
    /// `stageVariables.NAME`
    StageVariable(String),
    /// `context.NAME`
    Context(String),
}

impl Expression {
    /// Reads an expression; none if it is none that is known.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if let Some(literal) = text.strip_prefix('\'') {
            return literal.strip_suffix('\'').map(|literal| Self::Text(literal.to_owned()));
        }
        let named =
            |prefix: &str| text.strip_prefix(prefix).filter(|name| !name.is_empty()).map(str::to_owned);
        named("method.request.header.")
            .or_else(|| named("method.request.multivalueheader."))
            .map(Self::Header)
            .or_else(|| named("method.request.querystring.").map(Self::Query))
            .or_else(|| named("method.request.multivaluequerystring.").map(Self::Query))
            .or_else(|| named("method.request.path.").map(Self::Path))
            .or_else(|| named("stageVariables.").map(Self::StageVariable))
            .or_else(|| named("context.").map(Self::Context))
    }
}

/// Puts stage variables into a text: `${stageVariables.NAME}`; none if one is missing or ends nowhere.
pub(crate) fn with_stage_variables(
    text: &str,
    variables: &std::collections::BTreeMap<String, String>,
) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${stageVariables.") {
        let (name, after) = after.split_once('}')?;
        out.push_str(before);
        out.push_str(variables.get(name)?);
        rest = after;
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_read() {
        assert_eq!(Expression::parse("'*'"), Some(Expression::Text("*".to_owned())));
        assert_eq!(
            Expression::parse("method.request.path.proxy"),
            Some(Expression::Path("proxy".to_owned()))
        );
        for text in ["", "'open", "method.request.path.", "integration.response.body", "method.request.body"]
        {
            assert_eq!(Expression::parse(text), None, "{text}");
        }
    }

    #[test]
    fn stage_variables_are_put_in() {
        let variables = [("fn".to_owned(), "notes".to_owned())].into();
        assert_eq!(with_stage_variables("a:${stageVariables.fn}/b", &variables).unwrap(), "a:notes/b");
        assert_eq!(with_stage_variables("${stageVariables.other}", &variables), None);
        assert_eq!(with_stage_variables("${stageVariables.fn", &variables), None);
    }
}
