/// AWS's own domain: clients that only a hosts entry can point send its names.
pub(crate) const AWS: &str = "amazonaws.com";

/// Where names that have no region lie.
const GLOBAL_REGION: &str = "us-east-1";

/// Names of services in hosts where they are signed for by another name. (A test holds them against the models.)
const SIGNED_OTHERWISE: [(&str, &str); 4] =
    [("email", "ses"), ("pinpoint", "mobiletargeting"), ("ddb", "dynamodb"), ("queue", "sqs")];

/// What a host of AWS's says of the call: `SERVICE.REGION.amazonaws.com` and its kin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AwsHost<'h> {
    /// The service, by the name that is signed for.
    pub(crate) service: &'h str,
    /// The region that calls to it are signed for; none for S3's global name, which answers for the buckets of all.
    pub(crate) region: Option<&'h str>,
}

impl<'h> AwsHost<'h> {
    /// Reads a host in lower case, without its port; none for hosts that aren't AWS's, and for the bare domain.
    pub(crate) fn read(host: &'h str) -> Option<Self> {
        let before = host.strip_suffix(AWS)?.strip_suffix('.')?;
        if let Some(s3) = S3Host::read(before) {
            return Some(Self { service: "s3", region: s3.region });
        }
        let (named, region) = match before.rsplit_once('.') {
            Some((named, last)) if is_region(last) => (named, last),
            _ => (before, GLOBAL_REGION),
        };
        let label = named.rsplit_once('.').map_or(named, |(_, label)| label);
        let label = label.strip_suffix("-fips").unwrap_or(label);
        let otherwise = SIGNED_OTHERWISE.iter().find(|(name, _)| *name == label);
        Some(Self { service: otherwise.map_or(label, |(_, signed)| signed), region: Some(region) })
    }
}

/// A host of S3's, read from what stands before the domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct S3Host<'h> {
    /// Empty where the path names it.
    pub(crate) bucket: &'h str,
    pub(crate) region: Option<&'h str>,
}

impl<'h> S3Host<'h> {
    /// `s3`, `s3.REGION`, `s3-REGION` (an old form), each with `dualstack`, or the bucket's name before it. What
    /// stands before the last label that can be the service's is the bucket, whatever it is called.
    pub(crate) fn read(before: &'h str) -> Option<Self> {
        let starts = before.match_indices('.').map(|(dot, _)| dot + 1).rev().chain([0]);
        starts.filter_map(|start| Self::at(before, start)).next()
    }

    fn at(before: &'h str, start: usize) -> Option<Self> {
        let (label, rest) = match before[start..].split_once('.') {
            Some((label, rest)) => (label, Some(rest)),
            None => (&before[start..], None),
        };
        let rest = rest.map(|rest| rest.strip_prefix("dualstack.").unwrap_or(rest));
        let region = match (label, rest) {
            ("s3" | "s3-fips" | "s3-accelerate", None) => None,
            ("s3-accelerate", Some("dualstack")) => None,
            ("s3" | "s3-fips", Some(region)) if is_region(region) => Some(region),
            ("s3-external-1", None) => Some(GLOBAL_REGION),
            (old, None) => Some(old.strip_prefix("s3-").filter(|region| is_region(region))?),
            _ => return None,
        };
        Some(Self { bucket: before[..start].trim_end_matches('.'), region })
    }
}

/// Whether a label has a region's form: `eu-west-1`, `us-gov-east-1`.
fn is_region(label: &str) -> bool {
    let parts: Vec<&str> = label.split('-').collect();
    let [area, names @ .., number] = parts.as_slice() else { return false };
    let letters = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
    area.len() == 2
        && letters(area)
        && !names.is_empty()
        && names.iter().all(letters)
        && !number.is_empty()
        && number.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(host: &str) -> Option<(&str, Option<&str>)> {
        AwsHost::read(host).map(|host| (host.service, host.region))
    }

    #[test]
    fn a_host_of_awss_names_service_and_region() {
        let cases = [
            ("dynamodb.eu-west-1.amazonaws.com", "dynamodb", Some("eu-west-1")),
            ("streams.dynamodb.eu-west-1.amazonaws.com", "dynamodb", Some("eu-west-1")),
            ("123456789012.ddb.eu-west-1.amazonaws.com", "dynamodb", Some("eu-west-1")),
            ("email.eu-west-1.amazonaws.com", "ses", Some("eu-west-1")),
            ("monitoring.us-gov-west-1.amazonaws.com", "monitoring", Some("us-gov-west-1")),
            ("lambda-fips.us-east-2.amazonaws.com", "lambda", Some("us-east-2")),
            ("abc123.execute-api.us-east-1.amazonaws.com", "execute-api", Some("us-east-1")),
            ("iam.amazonaws.com", "iam", Some("us-east-1")),
            ("sts.amazonaws.com", "sts", Some("us-east-1")),
            ("sts.ap-southeast-3.amazonaws.com", "sts", Some("ap-southeast-3")),
            ("sqs.us-east-1.amazonaws.com", "sqs", Some("us-east-1")),
            ("s3.amazonaws.com", "s3", None),
            ("photos.s3.amazonaws.com", "s3", None),
            ("photos.s3-accelerate.amazonaws.com", "s3", None),
            ("photos.s3-accelerate.dualstack.amazonaws.com", "s3", None),
            ("s3-external-1.amazonaws.com", "s3", Some("us-east-1")),
            ("s3.eu-west-1.amazonaws.com", "s3", Some("eu-west-1")),
            ("s3.dualstack.eu-west-1.amazonaws.com", "s3", Some("eu-west-1")),
            ("s3-us-west-2.amazonaws.com", "s3", Some("us-west-2")),
            ("photos.s3-us-west-2.amazonaws.com", "s3", Some("us-west-2")),
            ("lambda.s3.eu-west-1.amazonaws.com", "s3", Some("eu-west-1")),
            ("lambda.s3-eu-west-1.amazonaws.com", "s3", Some("eu-west-1")),
            ("s3-control.us-east-1.amazonaws.com", "s3-control", Some("us-east-1")),
            ("s3-website-us-east-1.amazonaws.com", "s3-website-us-east-1", Some("us-east-1")),
        ];
        for (host, service, region) in cases {
            assert_eq!(read(host), Some((service, region)), "{host}");
        }
        for host in ["amazonaws.com", "localhost", "dynamodb.localhost", "s3.localhost.localstack.cloud"] {
            assert_eq!(read(host), None, "{host}");
        }
    }

    #[test]
    fn every_model_is_signed_for_as_its_host_says() {
        for name in homeport_wire::Models::names() {
            let model = homeport_wire::Models::service(name).unwrap();
            let host = format!("{}.eu-west-1.amazonaws.com", model.endpoint_prefix);
            assert_eq!(read(&host), Some((model.signing_name, Some("eu-west-1"))), "{name}");
        }
    }
}
