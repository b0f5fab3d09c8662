use homeport_core::Fault;
use homeport_service::{Answer, Asked, Body, ByHand, Call, Cx, Effect, Operation, Permissions, empty};
use http::Response;

use super::get_object::{self, Input};
use crate::S3;
use crate::conditions::Conditions;
use crate::error::S3Error;
use crate::serve;

/// `HeadObject` (S3 API reference): what GetObject would answer, without the body.
pub(crate) struct HeadObject;

impl Operation for HeadObject {
    type Service = S3;
    type Input = Input;
    type Output = Response<Body>;
    type Error = S3Error;

    const NAME: &'static str = "HeadObject";
    const EFFECT: Effect = Effect::ReadsData;

    fn permissions(_: &Asked<'_, S3>, input: &Input) -> Permissions {
        get_object::permissions(input)
    }

    async fn run(cx: Cx<S3>, input: Input) -> Result<Response<Body>, S3Error> {
        let (object, parts) = get_object::find(&cx, &input.target).await?;
        let verdict = Conditions::read(&input.headers).judge(&object);
        if let Some(ended) = serve::ended_by(verdict, &object, &input.target)? {
            return Ok(ended);
        }
        let part = serve::part(&object, &parts, &input.target, &input.headers)?;
        let head = serve::head(&object, &input.target, &input.headers, part.as_ref(), parts.len())?;
        Ok(head.map(|()| empty()))
    }
}

impl ByHand for HeadObject {
    fn decode(call: Call) -> Result<Input, Fault> {
        get_object::decode(&call)
    }

    fn encode(output: Response<Body>) -> Result<Answer, Fault> {
        Ok(Answer::Response(output))
    }
}
