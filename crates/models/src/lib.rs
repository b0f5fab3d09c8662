//! The tool that keeps the AWS models: it trims botocore's service models to one text file per service
//! (`models/SERVICE.txt`, read by people and by `git diff`) and packs those into `models/models.bin`, which
//! `homeport-wire` carries in the program.
//!
//! Start with [`trim`] (JSON to [`Record`]s), [`text`] (records to lines and back) and [`pack`] (records to bytes).

pub mod botocore;
mod error;
pub mod pack;
mod record;
pub mod text;
pub mod trim;

pub use error::ModelError;
pub use record::Record;

/// The version of botocore that `models/*.txt` are taken from.
pub const BOTOCORE_VERSION: &str = "1.44.5";

/// The services whose models are kept, by botocore's names.
pub const SERVICES: [&str; 24] = [
    "apigateway",
    "apigatewayv2",
    "cloudformation",
    "cloudtrail",
    "cloudwatch",
    "cognito-identity",
    "cognito-idp",
    "cognito-sync",
    "dynamodb",
    "dynamodbstreams",
    "events",
    "iam",
    "kms",
    "lambda",
    "logs",
    "pinpoint",
    "s3",
    "secretsmanager",
    "sesv2",
    "sns",
    "ssm",
    "sts",
    "wafv2",
    "xray",
];
