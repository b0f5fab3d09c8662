//! What the gateway itself answers when a call does not get through: API Gateway's default gateway responses.

use http::{HeaderValue, Response, StatusCode, header};

use homeport_service::{Body, full};

/// A gateway response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The HTTP status.
    pub(super) status: u16,
    /// The response's type, such as `UNAUTHORIZED`: `$context.error.responseType`.
    pub(super) kind: &'static str,
    /// `x-amzn-errortype`.
    pub(super) error_type: &'static str,
    /// None: `{"message":null}`.
    pub(super) message: Option<String>,
    /// For access logs: what went wrong inside.
    pub(super) cause: Option<String>,
}

impl Refusal {
    fn new(status: u16, kind: &'static str, error_type: &'static str, message: impl Into<String>) -> Self {
        Self { status, kind, error_type, message: Some(message.into()), cause: None }
    }

    pub(super) fn because(mut self, cause: impl std::fmt::Display) -> Self {
        self.cause = Some(cause.to_string());
        self
    }

    pub(super) fn forbidden() -> Self {
        Self::new(403, "INVALID_API_KEY", "ForbiddenException", "Forbidden")
    }

    pub(super) fn missing_authentication_token() -> Self {
        let error_type = "MissingAuthenticationTokenException";
        Self::new(403, "MISSING_AUTHENTICATION_TOKEN", error_type, "Missing Authentication Token")
    }

    pub(super) fn unauthorized() -> Self {
        Self::new(401, "UNAUTHORIZED", "UnauthorizedException", "Unauthorized")
    }

    pub(super) fn expired() -> Self {
        Self::new(401, "UNAUTHORIZED", "UnauthorizedException", "The incoming token has expired")
    }

    pub(super) fn denied(message: impl Into<String>) -> Self {
        Self::new(403, "ACCESS_DENIED", "AccessDeniedException", message)
    }

    pub(super) fn throttled() -> Self {
        Self::new(429, "THROTTLED", "TooManyRequestsException", "Too Many Requests")
    }

    pub(super) fn too_large() -> Self {
        let message = "HTTP content length exceeded 10485760 bytes.";
        Self::new(413, "REQUEST_TOO_LARGE", "RequestTooLargeException", message)
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BAD_REQUEST_PARAMETERS", "BadRequestException", message)
    }

    pub(super) fn unsupported_media_type() -> Self {
        Self::new(415, "UNSUPPORTED_MEDIA_TYPE", "UnsupportedMediaTypeException", "Unsupported Media Type")
    }

    /// An authorizer that could not be asked, or answered nothing that can be used.
    pub(super) fn authorizer(cause: impl std::fmt::Display) -> Self {
        let mut refusal =
            Self::new(500, "AUTHORIZER_CONFIGURATION_ERROR", "AuthorizerConfigurationException", "");
        refusal.message = None;
        refusal.because(cause)
    }

    pub(super) fn configuration(cause: impl std::fmt::Display) -> Self {
        Self::new(500, "API_CONFIGURATION_ERROR", "InternalServerErrorException", "Internal server error")
            .because(cause)
    }

    /// The function answered what is no answer.
    pub(super) fn bad_gateway(cause: impl std::fmt::Display) -> Self {
        Self::new(502, "DEFAULT_5XX", "InternalServerErrorException", "Internal server error").because(cause)
    }

    pub(super) fn integration_failed(cause: impl std::fmt::Display) -> Self {
        Self::new(504, "INTEGRATION_FAILURE", "InternalServerErrorException", "Internal server error")
            .because(cause)
    }

    pub(super) fn timed_out() -> Self {
        Self::new(504, "INTEGRATION_TIMEOUT", "InternalServerErrorException", "Endpoint request timed out")
    }

    pub(super) fn unavailable(cause: impl std::fmt::Display) -> Self {
        Self::new(503, "DEFAULT_5XX", "ServiceUnavailableException", "Service Unavailable").because(cause)
    }

    /// A refusal of IAM's: code, message and status are AWS's.
    pub(super) fn of_signature(fault: homeport_core::Fault) -> Self {
        let (kind, error_type) = match fault.code.as_ref() {
            code if code.starts_with("MissingAuthenticationToken") => {
                return Self::missing_authentication_token();
            }
            code if code.starts_with("ExpiredToken") => ("EXPIRED_TOKEN", "ExpiredTokenException"),
            code if code.starts_with("InvalidSignature") || code.starts_with("SignatureDoesNotMatch") => {
                ("INVALID_SIGNATURE", "InvalidSignatureException")
            }
            code if code.starts_with("UnrecognizedClient") => {
                ("INVALID_SIGNATURE", "UnrecognizedClientException")
            }
            code if code.starts_with("IncompleteSignature") => {
                ("INVALID_SIGNATURE", "IncompleteSignatureException")
            }
            _ => ("ACCESS_DENIED", "AccessDeniedException"),
        };
        let status = if fault.status >= 500 { fault.status } else { 403 };
        Self { cause: fault.cause, ..Self::new(status, kind, error_type, fault.message) }
    }

    /// `"Unauthorized"` with its quotes, or `null`: `$context.error.messageString`.
    pub(super) fn message_string(&self) -> String {
        serde_json::Value::from(self.message.clone()).to_string()
    }

    /// The answer.
    pub(super) fn response(&self) -> Response<Body> {
        let mut response = Response::new(full(format!("{{\"message\":{}}}", self.message_string())));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert("x-amzn-errortype", HeaderValue::from_static(self.error_type));
        response
    }
}
