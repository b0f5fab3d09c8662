use homeport_blobs::BlobError;
use homeport_core::Fault;
use homeport_service::{Answer, Asked, Body, ByHand, Call, Cx, Effect, Operation, Permission, Permissions};
use http::{HeaderMap, Response};

use crate::S3;
use crate::conditions::Conditions;
use crate::error::S3Error;
use crate::records::{self, BUCKETS, OBJECTS, Object, Part, object_key};
use crate::request::{self, Target, bucket_arn};
use crate::serve;

/// `GetObject` (S3 API reference): an object's bytes, or a part of them, as they are read.
pub(crate) struct GetObject;

/// How often an object that was replaced between finding and opening it is looked for again.
const ATTEMPTS: usize = 8;

pub(crate) struct Input {
    pub(crate) target: Target,
    pub(crate) headers: HeaderMap,
}

impl Operation for GetObject {
    type Service = S3;
    type Input = Input;
    type Output = Response<Body>;
    type Error = S3Error;

    const NAME: &'static str = "GetObject";
    const EFFECT: Effect = Effect::ReadsData;

    fn permissions(_: &Asked<'_, S3>, input: &Input) -> Permissions {
        permissions(input)
    }

    async fn run(cx: Cx<S3>, input: Input) -> Result<Response<Body>, S3Error> {
        let conditions = Conditions::read(&input.headers);
        for _ in 0..ATTEMPTS {
            let (object, parts) = find(&cx, &input.target).await?;
            if let Some(ended) = serve::ended_by(conditions.judge(&object), &object, &input.target)? {
                return Ok(ended);
            }
            let part = serve::part(&object, &parts, &input.target, &input.headers)?;
            let head = serve::head(&object, &input.target, &input.headers, part.as_ref(), parts.len())?;
            match cx.service.open(&object, &parts, part).await {
                Ok(reader) => return Ok(head.map(|()| serve::streamed(reader))),
                // Replaced or deleted since it was found, and its blob with it.
                Err(BlobError::NotFound) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(S3Error::Blob(BlobError::NotFound))
    }
}

impl ByHand for GetObject {
    fn decode(call: Call) -> Result<Input, Fault> {
        decode(&call)
    }

    fn encode(output: Response<Body>) -> Result<Answer, Fault> {
        Ok(Answer::Response(output))
    }
}

pub(crate) fn decode(call: &Call) -> Result<Input, Fault> {
    let target = Target::of(call)?;
    let headers = request::headers(call, &target);
    Ok(Input { target, headers })
}

/// To read the object; and where there is none, to list the bucket as well: who may not list does not learn that.
pub(crate) fn permissions(input: &Input) -> Permissions {
    let target = input.target.clone();
    Permissions::lookup(move |tx| {
        let target = target.clone();
        async move {
            let found = match BUCKETS.get(&tx, &target.bucket).await? {
                Some(bucket) => OBJECTS.get(&tx, object_key(&bucket.generation, &target.key)).await?,
                None => None,
            };
            let mut needed = vec![target.permission("s3:GetObject")];
            if found.is_none() {
                needed.push(Permission::new("s3:ListBucket", bucket_arn(&target.bucket)));
            }
            Ok(needed)
        }
    })
}

pub(crate) async fn find(cx: &Cx<S3>, target: &Target) -> Result<(Object, Vec<Part>), S3Error> {
    let region = target.signed_for(cx);
    cx.read(|tx| async move {
        let bucket = records::bucket(&tx, &target.bucket, region).await?;
        let found = OBJECTS.get(&tx, object_key(&bucket.generation, &target.key)).await?;
        let object = found.ok_or_else(|| S3Error::NoSuchKey { key: target.key.clone() })?;
        let parts = object.parts(&tx).await?;
        Ok((object, parts))
    })
    .await
}
