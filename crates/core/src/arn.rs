use std::fmt;

/// An Amazon Resource Name: `arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE`, at most 2,048 characters. Nothing here is of
/// another partition; what is named as if it were would be another text to policies, and the same thing to services.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Arn {
    text: std::sync::Arc<str>,
    /// Ends of the partition, service, region and account within the text.
    ends: [u16; 4],
}

/// The text is not an ARN.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an ARN")]
pub struct NotAnArn;

impl Arn {
    /// An ARN of the partition `aws`. Region and account are empty for services that have none in their ARNs.
    pub fn new(service: &str, region: &str, account: &str, resource: &str) -> Self {
        let text = format!("arn:aws:{service}:{region}:{account}:{resource}");
        Self::parse(&text).unwrap_or_else(|_| Self { text: text.into(), ends: [7, 7, 7, 7] })
    }

    /// Reads an ARN; the resource may hold colons.
    pub fn parse(text: &str) -> Result<Self, NotAnArn> {
        if text.len() > 2_048 || !text.starts_with("arn:aws:") {
            return Err(NotAnArn);
        }
        let mut ends = [0_u16; 4];
        let mut from = 4;
        for end in &mut ends {
            let length = text[from..].find(':').ok_or(NotAnArn)?;
            *end = u16::try_from(from + length).map_err(|_| NotAnArn)?;
            from += length + 1;
        }
        if from == text.len() {
            return Err(NotAnArn);
        }
        Ok(Self { text: text.into(), ends })
    }

    fn part(&self, index: usize) -> &str {
        let from = usize::from(self.ends[index - 1]) + 1;
        self.text.get(from..usize::from(self.ends[index])).unwrap_or("")
    }

    /// The service's name, such as `iam`.
    pub fn service(&self) -> &str {
        self.part(1)
    }

    /// The region; empty where the service has none in its ARNs.
    pub fn region(&self) -> &str {
        self.part(2)
    }

    /// The account; empty where the service has none in its ARNs.
    pub fn account(&self) -> &str {
        self.part(3)
    }

    /// All behind the account, such as `role/app/Reader`.
    pub fn resource(&self) -> &str {
        self.text.get(usize::from(self.ends[3]) + 1..).unwrap_or("")
    }

    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl serde::Serialize for Arn {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> serde::Deserialize<'de> for Arn {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_an_arn_are_found() {
        let arn = Arn::parse("arn:aws:lambda:us-east-1:123456789012:function:notes:live").unwrap();
        assert_eq!((arn.service(), arn.region()), ("lambda", "us-east-1"));
        assert_eq!((arn.account(), arn.resource()), ("123456789012", "function:notes:live"));
        let bucket = Arn::new("s3", "", "", "photos/a:b");
        assert_eq!((bucket.region(), bucket.account(), bucket.resource()), ("", "", "photos/a:b"));
    }

    #[test]
    fn what_is_no_arn_is_refused() {
        for text in
            ["", "arn", "arn:aws:s3", "arn:aws:s3:::", "urn:aws:s3:::a", "arn:aws-cn:s3:::a", "arn::s3:::a"]
        {
            assert_eq!(Arn::parse(text), Err(NotAnArn), "{text}");
        }
    }
}
