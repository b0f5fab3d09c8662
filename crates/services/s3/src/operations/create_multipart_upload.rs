use homeport_core::{ALPHANUMERIC, Fault};
use homeport_service::{Answer, Asked, ByHand, Call, Cx, Effect, Operation, Permissions};
use http::HeaderMap;
use serde_json::json;

use crate::S3;
use crate::checksum::Algorithm;
use crate::error::S3Error;
use crate::object_headers::{self, ContentHeaders};
use crate::records::{self, Checksum, UPLOADS, Upload};
use crate::request::{self, Target};

/// `CreateMultipartUpload` (S3 API reference): says what the object will be; its parts follow.
pub(crate) struct CreateMultipartUpload;

pub(crate) struct Input {
    target: Target,
    headers: HeaderMap,
    algorithm: Algorithm,
    composite: bool,
}

pub(crate) struct Output {
    bucket: String,
    upload: Upload,
}

impl Operation for CreateMultipartUpload {
    type Service = S3;
    type Input = Input;
    type Output = Output;
    type Error = S3Error;

    const NAME: &'static str = "CreateMultipartUpload";
    const EFFECT: Effect = Effect::WritesData;

    fn permissions(_: &Asked<'_, S3>, input: &Input) -> Permissions {
        let encryption = object_headers::text(&input.headers, object_headers::ENCRYPTION);
        let permission = input.target.permission("s3:PutObject");
        Permissions::All(vec![permission.with("s3:x-amz-server-side-encryption", encryption)])
    }

    async fn run(cx: Cx<S3>, input: Input) -> Result<Output, S3Error> {
        let (target, region) = (&input.target, input.target.signed_for(&cx));
        let class = object_headers::text(&input.headers, "x-amz-storage-class");
        let encryption = object_headers::text(&input.headers, object_headers::ENCRYPTION);
        let described = &Upload {
            generation: String::new(),
            key: target.key.clone(),
            id: homeport_core::draw(&**cx.randomness(), ALPHANUMERIC, 64),
            initiated: cx.now(),
            content: ContentHeaders::read(&input.headers),
            metadata: object_headers::metadata(&input.headers)?,
            storage_class: object_headers::storage_class(class.as_deref())?,
            sse: object_headers::asks_sse(encryption.as_deref())?,
            algorithm: input.algorithm,
            composite: input.composite,
        };
        let upload = cx
            .write(|tx| async move {
                let bucket = records::bucket(&tx, &target.bucket, region).await?;
                let upload = Upload { generation: bucket.generation, ..described.clone() };
                UPLOADS.put(&tx, &upload).await?;
                Ok::<_, S3Error>(upload)
            })
            .await?;
        Ok(Output { bucket: input.target.bucket, upload })
    }
}

impl ByHand for CreateMultipartUpload {
    fn decode(call: Call) -> Result<Input, Fault> {
        let target = Target::of(&call)?;
        let headers = request::headers(&call, &target);
        object_headers::refuse_unbuilt(&headers)?;
        let (algorithm, composite) = checksums(&headers)?;
        Ok(Input { target, headers, algorithm, composite })
    }

    fn encode(output: Output) -> Result<Answer, Fault> {
        let upload = output.upload;
        let mut answer = json!({
            "Bucket": output.bucket,
            "Key": upload.key,
            "UploadId": upload.id,
            "ChecksumAlgorithm": upload.algorithm.name(),
            "ChecksumType": Checksum::kind(upload.composite),
        });
        if let Some(encryption) = object_headers::encryption(upload.sse) {
            answer["ServerSideEncryption"] = json!(encryption);
        }
        Ok(Answer::Value(answer))
    }
}

/// The algorithm that is asked for and whether it is taken over the parts' checksums; CRC64NVME of the whole where
/// none is.
fn checksums(headers: &HeaderMap) -> Result<(Algorithm, bool), S3Error> {
    let algorithm = match object_headers::text(headers, "x-amz-checksum-algorithm") {
        None => Algorithm::Crc64Nvme,
        Some(name) => Algorithm::by_name(&name)
            .ok_or_else(|| S3Error::NotImplemented { header: "x-amz-checksum-algorithm".to_owned() })?,
    };
    let composite = match object_headers::text(headers, "x-amz-checksum-type").as_deref() {
        Some("COMPOSITE") => true,
        Some("FULL_OBJECT") => false,
        _ => algorithm != Algorithm::Crc64Nvme,
    };
    let possible = if composite { algorithm != Algorithm::Crc64Nvme } else { algorithm.combines() };
    if possible {
        return Ok((algorithm, composite));
    }
    let (kind, name) = (Checksum::kind(composite), algorithm.name().to_ascii_lowercase());
    Err(S3Error::InvalidRequest(format!(
        "The {kind} checksum type cannot be used with the {name} checksum algorithm."
    )))
}
