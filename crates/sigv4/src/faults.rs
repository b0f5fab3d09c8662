use homeport_core::Fault;

use crate::Refusal;

/// How a protocol names the refusal of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// AWS JSON 1.0 and 1.1: codes end in `Exception`, status 400.
    Json,
    /// REST-JSON, such as Lambda and API Gateway: codes end in `Exception`, status 403.
    RestJson,
    /// Query: the bare codes, status 403.
    Query,
    /// S3, which has codes of its own.
    S3,
}

impl Refusal {
    /// The refusal as a client of this protocol reads it. An access key nobody has and a token that does not open
    /// are refused by whoever looks them up, not here.
    pub fn fault(&self, dialect: Dialect) -> Fault {
        match dialect {
            Dialect::S3 => self.s3_fault(),
            Dialect::Query => Fault::with_status(self.code(), self.query_status(), self.message()),
            Dialect::RestJson => Fault::with_status(self.exception(), 403, self.message()),
            Dialect::Json => Fault::with_status(self.exception(), 400, self.message()),
        }
    }

    /// AWS's message everywhere but in S3.
    fn message(&self) -> String {
        match self {
            Self::OtherScheme => Self::MissingAuthenticationToken.to_string(),
            Self::TwoMechanisms => {
                let found = "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.";
                found.to_owned()
            }
            _ => self.to_string(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::MissingAuthenticationToken | Self::OtherScheme => "MissingAuthenticationToken",
            Self::IncompleteSignature(_)
            | Self::UnsupportedAlgorithm
            | Self::SigV2NotAccepted
            | Self::Duplicate { .. }
            | Self::MalformedHeader { .. }
            | Self::MalformedTarget(_)
            | Self::MissingDate
            | Self::ExpiresOutOfRange
            | Self::MissingContentSha256
            | Self::InvalidContentSha256
            | Self::MissingContentLength => "IncompleteSignature",
            Self::TwoMechanisms
            | Self::HeaderNotSigned { .. }
            | Self::WrongDay { .. }
            | Self::WrongService { .. }
            | Self::SignatureExpired { .. }
            | Self::SignatureNotYetCurrent { .. }
            | Self::RequestExpired
            | Self::SignatureDoesNotMatch => "SignatureDoesNotMatch",
        }
    }

    fn exception(&self) -> &'static str {
        match self.code() {
            "MissingAuthenticationToken" => "MissingAuthenticationTokenException",
            "IncompleteSignature" => "IncompleteSignatureException",
            _ => "InvalidSignatureException",
        }
    }

    fn query_status(&self) -> u16 {
        if self.code() == "IncompleteSignature" { 400 } else { 403 }
    }

    fn s3_fault(&self) -> Fault {
        let (code, status) = match self {
            Self::MissingAuthenticationToken => {
                return Fault::with_status("AccessDenied", 403, "Access Denied");
            }
            Self::IncompleteSignature(_) | Self::WrongService { .. } | Self::WrongDay { .. } => {
                ("AuthorizationHeaderMalformed", 400)
            }
            Self::ExpiresOutOfRange => ("AuthorizationQueryParametersError", 400),
            Self::UnsupportedAlgorithm | Self::SigV2NotAccepted | Self::MissingContentSha256 => {
                ("InvalidRequest", 400)
            }
            Self::OtherScheme
            | Self::TwoMechanisms
            | Self::Duplicate { .. }
            | Self::MalformedHeader { .. }
            | Self::InvalidContentSha256 => ("InvalidArgument", 400),
            Self::MalformedTarget(_) => ("InvalidURI", 400),
            Self::MissingContentLength => ("MissingContentLength", 411),
            Self::HeaderNotSigned { .. } | Self::MissingDate | Self::RequestExpired => ("AccessDenied", 403),
            Self::SignatureExpired { .. } | Self::SignatureNotYetCurrent { .. } => {
                let message = "The difference between the request time and the current time is too large.";
                return Fault::with_status("RequestTimeTooSkewed", 403, message).because(self);
            }
            Self::SignatureDoesNotMatch => {
                let message = "The request signature we calculated does not match the signature you provided. Check your key and signing method.";
                return Fault::with_status("SignatureDoesNotMatch", 403, message);
            }
        };
        Fault::with_status(code, status, self.to_string())
    }
}
