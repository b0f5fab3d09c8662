//! The faults that the codecs raise by themselves, in each service's code.

use homeport_core::Fault;

use crate::model::{Protocol, Service};

/// The code and status of a constraint violation.
pub(crate) fn validation(service: &Service, message: String) -> Fault {
    let (code, status) = match service.name {
        "cognito-idp" | "logs" => ("InvalidParameterException", 400),
        "apigateway" | "apigatewayv2" | "pinpoint" | "sesv2" => ("BadRequestException", 400),
        "cognito-sync" | "sns" => ("InvalidParameter", 400),
        "xray" => ("InvalidRequestException", 400),
        "s3" => ("InvalidArgument", 400),
        _ if service.protocol == Protocol::Query => ("ValidationError", 400),
        _ => ("ValidationException", 400),
    };
    Fault::with_status(code, status, message)
}

/// The body or a parameter is not of the model's types.
pub(crate) fn serialization(service: &Service, message: impl Into<String>) -> Fault {
    match service.protocol {
        Protocol::Query => Fault::with_status("MalformedInput", 400, message),
        Protocol::RestXml => Fault::with_status(
            "MalformedXML",
            400,
            "The XML you provided was not well-formed or did not validate against our published schema",
        )
        .because(message.into()),
        _ => Fault::with_status("SerializationException", 400, message),
    }
}

/// An operation that AWS has not, or that is not built here: AWS's own unknown-operation error.
pub fn unknown_operation(service: &Service, operation: &str) -> Fault {
    match service.protocol {
        Protocol::Query => {
            let message = format!("Could not find operation {operation} for version {}", service.api_version);
            Fault::with_status("InvalidAction", 400, message)
        }
        Protocol::RestXml => Fault::with_status(
            "NotImplemented",
            501,
            "A header you provided implies functionality that is not implemented",
        ),
        Protocol::RestJson => Fault::with_status("UnknownOperationException", 404, ""),
        _ => Fault::with_status("UnknownOperationException", 400, ""),
    }
}
