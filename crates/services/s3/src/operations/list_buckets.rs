use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use homeport_store::KeyParts;
use serde::{Deserialize, Serialize};

use crate::error::S3Error;
use crate::records::BUCKETS;
use crate::{S3, bucket_name};

/// `ListBuckets` (S3 API reference): the account's buckets by name.
pub(crate) struct ListBuckets;

/// As many as are answered where the call names no number.
const MOST: usize = 10_000;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    max_buckets: Option<usize>,
    prefix: Option<String>,
    continuation_token: Option<String>,
    bucket_region: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    owner: Owner,
    buckets: Vec<Listed>,
    continuation_token: Option<String>,
    prefix: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Owner {
    #[serde(rename = "ID")]
    id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Listed {
    name: String,
    creation_date: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    bucket_region: Option<String>,
    bucket_arn: String,
}

impl Operation for ListBuckets {
    type Service = S3;
    type Input = Input;
    type Output = Output;
    type Error = S3Error;

    const NAME: &'static str = "ListBuckets";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(_: &Asked<'_, S3>, _: &Input) -> Permissions {
        Permissions::one("s3:ListAllMyBuckets", "arn:aws:s3:::*")
    }

    async fn run(cx: Cx<S3>, input: Input) -> Result<Output, S3Error> {
        let most = input.max_buckets.unwrap_or(MOST).clamp(1, MOST);
        let (mut buckets, account) = (Vec::new(), cx.account().to_string());
        let last = input.continuation_token.as_deref().map(last_name).transpose()?;
        let mut from = last.map(|name| behind(&account, &name));
        loop {
            let (account, after) = (&account, &from);
            let page = cx
                .read(|tx| async move {
                    Ok::<_, S3Error>(BUCKETS.page_by(&tx, "account", account, after.as_deref(), 1_000).await?)
                })
                .await?;
            let wanted = page.records.into_iter().filter(|bucket| input.wants(&bucket.name, &bucket.region));
            buckets.extend(wanted);
            from = page.cursor.map(|cursor| cursor.to_vec());
            if from.is_none() || buckets.len() > most {
                break;
            }
        }
        let more = buckets.len() > most;
        buckets.truncate(most);
        let last = buckets.last().filter(|_| more);
        let continuation_token = last.map(|bucket| URL_SAFE_NO_PAD.encode(&bucket.name));
        let named = input.prefix.is_some() || input.bucket_region.is_some() || input.max_buckets.is_some();
        let listed = buckets.into_iter().map(|bucket| Listed {
            bucket_arn: crate::request::bucket_arn(&bucket.name),
            name: bucket.name,
            creation_date: bucket.created.seconds_f64().floor(),
            bucket_region: named.then_some(bucket.region),
        });
        let owner = Owner { id: super::canonical_id(cx.account()) };
        Ok(Output { owner, buckets: listed.collect(), continuation_token, prefix: input.prefix })
    }
}

impl Input {
    fn wants(&self, name: &str, region: &str) -> bool {
        self.prefix.as_deref().is_none_or(|prefix| name.starts_with(prefix))
            && self.bucket_region.as_deref().is_none_or(|wanted| region == wanted)
    }
}

/// The name that the page before ended with.
fn last_name(token: &str) -> Result<String, S3Error> {
    let name = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    name.filter(|name| bucket_name::is_valid(name)).ok_or_else(|| {
        S3Error::argument("continuation-token", token, "The continuation token provided is incorrect")
    })
}

/// The place behind a bucket in the account's index, whose entries end with the bucket's own key.
fn behind(account: &str, name: &str) -> Vec<u8> {
    KeyParts::from((account, name, name)).as_bytes().to_vec()
}
