use homeport_core::Fault;
use homeport_service::{Answer, Asked, Body, ByHand, Call, Cx, Effect, Operation, Permissions, empty};
use http::{HeaderMap, Response, StatusCode};

use crate::S3;
use crate::conditions::Conditions;
use crate::error::S3Error;
use crate::records::{self, OBJECTS, object_key};
use crate::request::{self, Target};

/// `DeleteObject` (S3 API reference): the object is gone; one that never was is, too.
pub(crate) struct DeleteObject;

pub(crate) struct Input {
    target: Target,
    headers: HeaderMap,
}

impl Operation for DeleteObject {
    type Service = S3;
    type Input = Input;
    type Output = Response<Body>;
    type Error = S3Error;

    const NAME: &'static str = "DeleteObject";
    const EFFECT: Effect = Effect::WritesData;

    fn permissions(_: &Asked<'_, S3>, input: &Input) -> Permissions {
        Permissions::All(vec![input.target.permission("s3:DeleteObject")])
    }

    async fn run(cx: Cx<S3>, input: Input) -> Result<Response<Body>, S3Error> {
        let (target, region) = (&input.target, input.target.signed_for(&cx));
        let conditions = &Conditions { if_none_match: None, ..Conditions::read(&input.headers) };
        let blobs = cx
            .write(|tx| async move {
                let bucket = records::bucket(&tx, &target.bucket, region).await?;
                if conditions.if_match.is_some() {
                    let before = OBJECTS.get(&tx, object_key(&bucket.generation, &target.key)).await?;
                    conditions.judge_write(before.as_ref(), &target.key)?;
                }
                Ok::<_, S3Error>(records::delete_object(&tx, &bucket.generation, &target.key).await?)
            })
            .await?;
        cx.service.discard(blobs).await;
        let mut response = Response::new(empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        Ok(response)
    }
}

impl ByHand for DeleteObject {
    fn decode(call: Call) -> Result<Input, Fault> {
        let target = Target::of(&call)?;
        let headers = request::headers(&call, &target);
        Ok(Input { target, headers })
    }

    fn encode(output: Response<Body>) -> Result<Answer, Fault> {
        Ok(Answer::Response(output))
    }
}
