/// The `Credential` of a signature: `ACCESS-KEY-ID/YYYYMMDD/REGION/SERVICE/aws4_request`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    text: String,
    /// Where the four slashes stand.
    slashes: [usize; 4],
}

/// What is wrong with a `Credential`, in AWS's words.
pub(crate) const NOT_FIVE_PARTS: &str =
    "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term";

impl Credential {
    /// Access key ids have at most 128 characters; region and service at most 64.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let mut slashes = [0; 4];
        let mut found = text.bytes().enumerate().filter(|(_, byte)| *byte == b'/').map(|(at, _)| at);
        for slash in &mut slashes {
            *slash = found.next().ok_or(NOT_FIVE_PARTS)?;
        }
        if found.next().is_some() {
            return Err(NOT_FIVE_PARTS);
        }
        let credential = Self { text: text.to_owned(), slashes };
        let word = |part: &str, most: usize, more: &[u8]| {
            let formed = |b: u8| b.is_ascii_alphanumeric() || more.contains(&b);
            (1..=most).contains(&part.len()) && part.bytes().all(formed)
        };
        if credential.text.get(slashes[3] + 1..) != Some("aws4_request") {
            return Err("Credential should be scoped with a valid terminator: 'aws4_request'.");
        }
        if credential.date().len() != 8 || !credential.date().bytes().all(|b| b.is_ascii_digit()) {
            return Err("Date in Credential scope must be in ISO-8601 'basic format' (yyyyMMdd).");
        }
        let well_formed = word(credential.access_key_id(), 128, b"_")
            && word(credential.region(), 64, b"-")
            && word(credential.service(), 64, b"-");
        if well_formed { Ok(credential) } else { Err(NOT_FIVE_PARTS) }
    }

    pub(crate) fn new(access_key_id: &str, day: &str, region: &str, service: &str) -> Self {
        let text = format!("{access_key_id}/{day}/{region}/{service}/aws4_request");
        let first = access_key_id.len();
        let second = first + 1 + day.len();
        let third = second + 1 + region.len();
        Self { text, slashes: [first, second, third, third + 1 + service.len()] }
    }

    fn part(&self, index: usize) -> &str {
        self.text.get(self.slashes[index - 1] + 1..self.slashes[index]).unwrap_or_default()
    }

    /// The access key id that claims to have signed.
    pub fn access_key_id(&self) -> &str {
        self.text.get(..self.slashes[0]).unwrap_or_default()
    }

    /// The day of the signing key, `YYYYMMDD`.
    pub fn date(&self) -> &str {
        self.part(1)
    }

    /// The region of the scope.
    pub fn region(&self) -> &str {
        self.part(2)
    }

    /// The service of the scope, by its signing name.
    pub fn service(&self) -> &str {
        self.part(3)
    }

    /// `YYYYMMDD/REGION/SERVICE/aws4_request`.
    pub fn scope(&self) -> &str {
        self.text.get(self.slashes[0] + 1..).unwrap_or_default()
    }

    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_has_five_parts() {
        let credential = Credential::parse("AKIDEXAMPLE/20150830/us-east-1/service/aws4_request").unwrap();
        assert_eq!(credential, Credential::new("AKIDEXAMPLE", "20150830", "us-east-1", "service"));
        assert_eq!((credential.access_key_id(), credential.date()), ("AKIDEXAMPLE", "20150830"));
        assert_eq!((credential.region(), credential.service()), ("us-east-1", "service"));
        assert_eq!(credential.scope(), "20150830/us-east-1/service/aws4_request");
    }

    #[test]
    fn other_forms_are_refused() {
        for bad in [
            "",
            "AKID/20150830/us-east-1/service",
            "AKID/20150830/us-east-1/service/aws4_request/more",
            "/20150830/us-east-1/service/aws4_request",
            "AKID/2015083/us-east-1/service/aws4_request",
            "AKID/20150830//service/aws4_request",
            "AKID/20150830/us-east-1/service/aws5_request",
            "AK ID/20150830/us-east-1/service/aws4_request",
        ] {
            assert!(Credential::parse(bad).is_err(), "{bad}");
        }
    }
}
