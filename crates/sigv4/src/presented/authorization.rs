use super::{SigV4, declared_payload, signature};
use crate::credential::Credential;
use crate::date::AmzDate;
use crate::query::Query;
use crate::signed_headers::SignedHeaders;
use crate::text::{cut, parts};
use crate::{Head, Refusal};

/// Reads `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`; the three in any order, each once.
pub(super) fn read(head: &Head<'_>, authorization: &str, query: Query) -> Result<SigV4, Refusal> {
    let (algorithm, rest) = cut(authorization, b' ').unwrap_or((authorization, ""));
    if algorithm != "AWS4-HMAC-SHA256" {
        return Err(Refusal::UnsupportedAlgorithm);
    }
    let [credential, signed, presented] = parameters(rest)?;
    let credential = Credential::parse(credential).map_err(Refusal::incomplete)?;
    Ok(SigV4 {
        credential,
        signed_headers: SignedHeaders::parse(signed)?,
        signature: signature(presented)?,
        date: date(head)?,
        expires: None,
        security_token: head.single("x-amz-security-token")?.map(str::to_owned),
        payload: declared_payload(head.single("x-amz-content-sha256")?)?,
        query,
    })
}

fn parameters(text: &str) -> Result<[&str; 3], Refusal> {
    const NAMES: [&str; 3] = ["Credential", "SignedHeaders", "Signature"];
    let mut found = [None; 3];
    for part in parts(text, b',').map(str::trim) {
        let (name, value) = cut(part, b'=').unwrap_or((part, ""));
        let index = NAMES.iter().position(|known| *known == name).ok_or_else(|| {
            Refusal::incomplete("Authorization header must hold Credential, SignedHeaders and Signature.")
        })?;
        if found[index].replace(value).is_some() {
            return Err(Refusal::Duplicate { name: name.to_owned() });
        }
    }
    let missing =
        |name: &str| Refusal::incomplete(format!("Authorization header requires '{name}' parameter."));
    Ok([
        found[0].ok_or_else(|| missing(NAMES[0]))?,
        found[1].ok_or_else(|| missing(NAMES[1]))?,
        found[2].ok_or_else(|| missing(NAMES[2]))?,
    ])
}

fn date(head: &Head<'_>) -> Result<AmzDate, Refusal> {
    let read = match head.single("x-amz-date")? {
        Some(text) => AmzDate::parse(text),
        None => head.single("date")?.and_then(AmzDate::parse_date_header),
    };
    read.ok_or(Refusal::MissingDate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parameters_stand_in_any_order_and_once() {
        assert_eq!(parameters("Signature=s,Credential=c, SignedHeaders=h").unwrap(), ["c", "h", "s"]);
        assert!(matches!(parameters("Credential=c, SignedHeaders=h"), Err(Refusal::IncompleteSignature(_))));
        assert!(matches!(parameters("Credential=c, Credential=d"), Err(Refusal::Duplicate { .. })));
        assert!(matches!(parameters("Credential=c, Other=d"), Err(Refusal::IncompleteSignature(_))));
        assert!(matches!(parameters(""), Err(Refusal::IncompleteSignature(_))));
    }
}
