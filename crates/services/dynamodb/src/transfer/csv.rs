//! CSV as RFC 4180 has it, with another delimiter where one is asked for.

/// Why a record is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum CsvError {
    /// A quote that is neither around a value nor doubled within one.
    #[error("Double quotes in a CSV value must be escaped")]
    Quote,
}

/// The values of one record, whose line end was taken off.
pub(super) fn values(record: &str, delimiter: char) -> Result<Vec<String>, CsvError> {
    let mut values = Vec::new();
    let mut rest = record;
    loop {
        let (value, behind) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_value(quoted)?,
            None => {
                let end = rest.find(delimiter).unwrap_or(rest.len());
                let (value, behind) = rest.split_at(end);
                if value.contains('"') {
                    return Err(CsvError::Quote);
                }
                (value.to_owned(), behind)
            }
        };
        values.push(value);
        rest = match behind.strip_prefix(delimiter) {
            Some(next) => next,
            None if behind.is_empty() => return Ok(values),
            None => return Err(CsvError::Quote),
        };
    }
}

/// A value up to its closing quote, and what stands behind that.
fn quoted_value(mut rest: &str) -> Result<(String, &str), CsvError> {
    let mut value = String::new();
    loop {
        let (part, behind) = rest.split_once('"').ok_or(CsvError::Quote)?;
        value.push_str(part);
        match behind.strip_prefix('"') {
            Some(goes_on) => {
                value.push('"');
                rest = goes_on;
            }
            None => return Ok((value, behind)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_are_read_as_the_rfc_has_them() {
        let read = |record: &str| values(record, ',');
        let texts = |texts: &[&str]| Ok(texts.iter().map(|text| (*text).to_owned()).collect());
        assert_eq!(read("a,b c,"), texts(&["a", "b c", ""]));
        assert_eq!(read(""), texts(&[""]));
        assert_eq!(read("\"a,b\",\"say \"\"hi\"\"\",\"x\ny\""), texts(&["a,b", "say \"hi\"", "x\ny"]));
        assert_eq!(read("\"\"\"123\"\"\",Women's"), texts(&["\"123\"", "Women's"]));
        for wrong in ["a\"b", "\"a\"b", "\"a", "value \"123\",x"] {
            assert_eq!(read(wrong), Err(CsvError::Quote), "{wrong}");
        }
        assert_eq!(values("a;b,c", ';'), texts(&["a", "b,c"]));
    }

    proptest! {
        #[test]
        fn quoted_values_read_back(given in prop::collection::vec(any::<String>(), 1..5)) {
            let quoted: Vec<_> = given.iter().map(|value| format!("\"{}\"", value.replace('"', "\"\""))).collect();
            prop_assert_eq!(values(&quoted.join("|"), '|'), Ok(given));
        }
    }
}
