use super::{SigV4, declared_payload, signature};
use crate::credential::Credential;
use crate::date::AmzDate;
use crate::query::Query;
use crate::signed_headers::SignedHeaders;
use crate::text::{cut, parts};
use crate::{Head, Refusal};

/// The parameters, in the order in which AWS misses them.
const NAMES: [&str; 3] = ["Credential", "Signature", "SignedHeaders"];

/// Reads `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`; the three in any order, each once.
pub(super) fn read(head: &Head<'_>, authorization: &str, query: Query) -> Result<SigV4, Refusal> {
    let (algorithm, rest) = cut(authorization, b' ').unwrap_or((authorization, ""));
    if !algorithm.starts_with("AWS4-") {
        return Err(Refusal::OtherScheme);
    }
    let dated = head.headers.contains_key("x-amz-date") || head.headers.contains_key("date");
    let [credential, signed, presented] = parameters(rest, dated)?;
    if algorithm != "AWS4-HMAC-SHA256" {
        return Err(Refusal::UnsupportedAlgorithm);
    }
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

fn parameters(text: &str, dated: bool) -> Result<[&str; 3], Refusal> {
    let mut found = [None; 3];
    for part in parts(text, b',').map(str::trim).filter(|part| !part.is_empty()) {
        let (name, value) = cut(part, b'=').unwrap_or((part, ""));
        let index = NAMES.iter().position(|known| *known == name).ok_or_else(|| {
            Refusal::incomplete("Authorization header must hold Credential, SignedHeaders and Signature.")
        })?;
        if found[index].replace(value).is_some() {
            return Err(Refusal::Duplicate { name: name.to_owned() });
        }
    }
    match found {
        [Some(credential), Some(signature), Some(signed)] => Ok([credential, signed, signature]),
        _ => Err(missing(&found, dated)),
    }
}

/// All that is missing at once, in AWS's order.
fn missing(found: &[Option<&str>; 3], dated: bool) -> Refusal {
    let absent = NAMES.iter().zip(found).filter(|(_, value)| value.is_none());
    let mut said: Vec<String> =
        absent.map(|(name, _)| format!("Authorization header requires '{name}' parameter.")).collect();
    if !dated {
        let date = "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.";
        said.push(date.to_owned());
    }
    Refusal::incomplete(said.join(" "))
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
        let read = |text| parameters(text, true);
        assert_eq!(read("Signature=s,Credential=c, SignedHeaders=h").unwrap(), ["c", "h", "s"]);
        assert!(matches!(read("Credential=c, Credential=d"), Err(Refusal::Duplicate { .. })));
        assert!(matches!(read("Credential=c, Other=d"), Err(Refusal::IncompleteSignature(_))));
    }

    #[test]
    fn all_that_is_missing_is_told_at_once() {
        let said = |text, dated| parameters(text, dated).unwrap_err().to_string();
        assert_eq!(
            said("Credential=c, SignedHeaders=h", true),
            "Authorization header requires 'Signature' parameter."
        );
        assert_eq!(
            said("", false),
            "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' \
             parameter. Authorization header requires 'SignedHeaders' parameter. Authorization header requires \
             existence of either a 'X-Amz-Date' or a 'Date' header."
        );
    }
}
