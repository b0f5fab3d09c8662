use homeport_core::{Fault, Region};
use homeport_sigv4::{Dialect, Presented, Refusal};

use crate::aws_host::AwsHost;
use crate::encode;
use crate::route::Routed;

/// Whether signature, host and operation agree on service and region (security decision 6). A host of AWS's says
/// both; all others say neither, and the signature's scope alone decides. That the scope is for the operation's
/// service is for the verification to find.
pub(crate) fn check(routed: &Routed, presented: Option<&Presented>, host: &str) -> Result<(), Fault> {
    let host = AwsHost::read(host);
    let Some(presented) = presented else {
        return match host.filter(|host| host.service != routed.model.signing_name) {
            Some(_) => Err(routed.unknown()),
            None => Ok(()),
        };
    };
    let dialect = encode::dialect(routed);
    if let Some(host) = host.filter(|host| host.service != presented.service()) {
        return Err(Refusal::WrongService { expected: host.service.to_owned() }.fault(dialect));
    }
    // A signature of version 2 is for no region.
    let Some(region) = presented.region() else { return Ok(()) };
    let expected = host.and_then(|host| host.region);
    let wrong = expected.is_some_and(|expected| expected != region);
    if !wrong && Region::parse(region).is_some() {
        return Ok(());
    }
    Err(match dialect {
        Dialect::S3 => wrong_s3_region(presented, region, expected),
        other => wrong_region(other, region, wrong),
    })
}

fn wrong_region(dialect: Dialect, region: &str, elsewhere: bool) -> Fault {
    let (code, status) = match dialect {
        Dialect::Query | Dialect::S3 => ("SignatureDoesNotMatch", 403),
        Dialect::RestJson => ("InvalidSignatureException", 403),
        Dialect::Json => ("InvalidSignatureException", 400),
    };
    let message = match elsewhere {
        true => format!("Credential should be scoped to a valid region, not '{region}'."),
        false => "Credential should be scoped to a valid region.".to_owned(),
    };
    Fault::with_status(code, status, message)
}

fn wrong_s3_region(presented: &Presented, region: &str, expected: Option<&str>) -> Fault {
    let default = Region::default_region();
    let expected = expected.unwrap_or(default.as_str());
    let in_query = matches!(presented, Presented::V4(v4) if v4.is_presigned());
    let (code, what) = match in_query {
        true => ("AuthorizationQueryParametersError", "Error parsing the X-Amz-Credential parameter"),
        false => ("AuthorizationHeaderMalformed", "The authorization header is malformed"),
    };
    let message = format!("{what}; the region '{region}' is wrong; expecting '{expected}'");
    Fault::sender(code, message).with_member("Region", format!("\"{expected}\""))
}

#[cfg(test)]
mod tests {
    use homeport_sigv4::Head;
    use http::Request;
    use http::request::Parts;

    use super::*;
    use crate::host::Hosts;
    use crate::route::Routes;

    /// A call to a host, signed for `REGION/SERVICE` or not at all.
    struct Sent {
        host: &'static str,
        scope: Option<&'static str>,
        head: Parts,
    }

    fn sent(host: &'static str, scope: Option<&'static str>, method: &str, target: &str) -> Sent {
        let mut request = Request::builder().method(method).uri(target).header("host", host);
        if let Some(scope) = scope {
            let authorization = format!(
                "AWS4-HMAC-SHA256 Credential=AKID/20261121/{scope}/aws4_request, SignedHeaders=host;x-amz-date, Signature={:064}",
                0
            );
            request = request.header("authorization", authorization).header("x-amz-date", "20261121T000000Z");
        }
        Sent { host, scope, head: request.body(()).unwrap().into_parts().0 }
    }

    fn json(host: &'static str, scope: Option<&'static str>, target: &'static str) -> Sent {
        let mut sent = sent(host, scope, "POST", "/");
        sent.head.headers.insert("x-amz-target", http::HeaderValue::from_static(target));
        sent
    }

    impl Sent {
        fn routed(&self) -> (Routed, Option<Presented>) {
            let routes = Routes::new(Vec::new(), Hosts::default());
            let target = self.head.uri.path_and_query().unwrap().as_str();
            let head = Head { method: self.head.method.as_str(), target, headers: &self.head.headers };
            let presented = Presented::read(&head).ok();
            assert_eq!(
                presented.is_some(),
                self.scope.is_some() || target.contains("X-Amz-"),
                "{}",
                self.host
            );
            (routes.route(&self.head, self.host, presented.as_ref(), b"").unwrap(), presented)
        }

        fn checked(&self) -> Result<Region, Fault> {
            let (routed, presented) = self.routed();
            check(&routed, presented.as_ref(), self.host).map(|()| routed.region)
        }
    }

    const PUT_ITEM: &str = "DynamoDB_20120810.PutItem";
    const QUERY: &str = "/?Action=GetCallerIdentity&Version=2011-06-15";
    const LIST_USERS: &str = "/?Action=ListUsers&Version=2010-05-08";

    #[test]
    fn what_agrees_passes_in_the_region_that_is_signed_for() {
        let cases = [
            (json("127.0.0.1", Some("eu-west-1/dynamodb"), PUT_ITEM), "eu-west-1"),
            (json("localhost", Some("eu-west-1/dynamodb"), PUT_ITEM), "eu-west-1"),
            (json("s3.us-east-1.localhost", Some("eu-west-1/dynamodb"), PUT_ITEM), "eu-west-1"),
            (json("dynamodb.us-east-1.localhost", Some("eu-west-1/dynamodb"), PUT_ITEM), "eu-west-1"),
            (json("amazonaws.com", Some("eu-west-1/dynamodb"), PUT_ITEM), "eu-west-1"),
            (json("dynamodb.eu-west-1.amazonaws.com", Some("eu-west-1/dynamodb"), PUT_ITEM), "eu-west-1"),
            (json("1234.ddb.eu-west-1.amazonaws.com", Some("eu-west-1/dynamodb"), PUT_ITEM), "eu-west-1"),
            (
                json("cognito-idp.eu-west-1.amazonaws.com", None, "AWSCognitoIdentityProviderService.SignUp"),
                "eu-west-1",
            ),
            (sent("sts.amazonaws.com", Some("us-east-1/sts"), "POST", QUERY), "us-east-1"),
            (sent("sts.eu-west-1.amazonaws.com", Some("eu-west-1/sts"), "POST", QUERY), "eu-west-1"),
            (sent("iam.amazonaws.com", Some("us-east-1/iam"), "POST", LIST_USERS), "us-east-1"),
            (
                sent("email.eu-west-1.amazonaws.com", Some("eu-west-1/ses"), "GET", "/v2/email/account"),
                "eu-west-1",
            ),
            (sent("s3.amazonaws.com", Some("eu-west-1/s3"), "GET", "/photos/a"), "eu-west-1"),
            (sent("photos.s3.amazonaws.com", Some("eu-west-1/s3"), "GET", "/a"), "eu-west-1"),
            (sent("s3-us-west-2.amazonaws.com", Some("us-west-2/s3"), "GET", "/photos/a"), "us-west-2"),
            (sent("photos.s3-us-west-2.amazonaws.com", None, "GET", "/a"), "us-west-2"),
            (sent("lambda.s3.eu-west-1.amazonaws.com", None, "GET", "/a"), "eu-west-1"),
            (sent("127.0.0.1", None, "GET", "/photos/a"), "us-east-1"),
        ];
        for (sent, region) in cases {
            let found = sent.checked().map(|region| region.to_string());
            assert_eq!(found, Ok(region.to_owned()), "{} {:?}", sent.host, sent.scope);
        }
    }

    #[test]
    fn what_disagrees_is_refused_in_awss_words() {
        let invalid = "Credential should be scoped to a valid region.";
        let elsewhere = "Credential should be scoped to a valid region, not 'us-east-1'.";
        let cases = [
            (json("127.0.0.1", Some("bogus/dynamodb"), PUT_ITEM), "InvalidSignatureException", invalid),
            (
                json("dynamodb.eu-west-1.amazonaws.com", Some("us-east-1/dynamodb"), PUT_ITEM),
                "InvalidSignatureException",
                elsewhere,
            ),
            (
                json("sqs.us-east-1.amazonaws.com", Some("us-east-1/dynamodb"), PUT_ITEM),
                "InvalidSignatureException",
                "Credential should be scoped to correct service: 'sqs'.",
            ),
            (sent("localhost", Some("Us-East-1/sts"), "POST", QUERY), "SignatureDoesNotMatch", invalid),
            (
                sent("iam.amazonaws.com", Some("eu-west-1/iam"), "POST", LIST_USERS),
                "SignatureDoesNotMatch",
                "Credential should be scoped to a valid region, not 'eu-west-1'.",
            ),
            (
                sent("iam.amazonaws.com", Some("us-east-1/sts"), "POST", QUERY),
                "SignatureDoesNotMatch",
                "Credential should be scoped to correct service: 'iam'.",
            ),
            (
                sent(
                    "lambda.eu-west-1.amazonaws.com",
                    Some("us-east-1/lambda"),
                    "GET",
                    "/2015-03-31/functions",
                ),
                "InvalidSignatureException",
                elsewhere,
            ),
            (
                sent("127.0.0.1", Some("bogus/s3"), "GET", "/photos/a"),
                "AuthorizationHeaderMalformed",
                "The authorization header is malformed; the region 'bogus' is wrong; expecting 'us-east-1'",
            ),
            (
                sent("photos.s3-us-west-2.amazonaws.com", Some("us-east-1/s3"), "GET", "/a"),
                "AuthorizationHeaderMalformed",
                "The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'us-west-2'",
            ),
            (
                sent("dynamodb.us-east-1.amazonaws.com", Some("us-east-1/s3"), "GET", "/photos/a"),
                "AuthorizationHeaderMalformed",
                "Credential should be scoped to correct service: 'dynamodb'.",
            ),
            (
                sent(
                    "photos.s3.eu-west-1.amazonaws.com",
                    None,
                    "GET",
                    "/a?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKID%2F20261121%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20261121T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=0000000000000000000000000000000000000000000000000000000000000000",
                ),
                "AuthorizationQueryParametersError",
                "Error parsing the X-Amz-Credential parameter; the region 'us-east-1' is wrong; expecting 'eu-west-1'",
            ),
        ];
        for (sent, code, message) in cases {
            let refused = sent.checked().unwrap_err();
            assert_eq!(
                (&*refused.code, &*refused.message),
                (code, message),
                "{} {:?}",
                sent.host,
                sent.scope
            );
        }
    }

    #[test]
    fn an_unsigned_call_to_another_services_host_is_no_operation_of_it() {
        let sign_up = "AWSCognitoIdentityProviderService.SignUp";
        let refused = json("cognito-identity.us-east-1.amazonaws.com", None, sign_up).checked().unwrap_err();
        assert_eq!(refused.code, "UnknownOperationException");
    }

    #[test]
    fn a_bucket_may_be_called_as_a_service_is() {
        for host in ["lambda.s3.eu-west-1.amazonaws.com", "lambda.s3-eu-west-1.amazonaws.com"] {
            let (routed, _) = sent(host, None, "GET", "/2015-03-31/functions").routed();
            assert_eq!(
                (routed.model.name, routed.virtual_bucket.as_deref()),
                ("s3", Some("lambda")),
                "{host}"
            );
        }
        let host = "lambda.eu-west-1.amazonaws.com";
        let (routed, _) = sent(host, None, "GET", "/2015-03-31/functions").routed();
        assert_eq!((routed.model.name, routed.virtual_bucket), ("lambda", None));
    }
}
