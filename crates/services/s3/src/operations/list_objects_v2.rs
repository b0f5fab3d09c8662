use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::{Deserialize, Serialize};

use super::list_objects::{self, Content, Folded, Listing};
use crate::S3;
use crate::error::S3Error;
use crate::listing::{self, After};

/// `ListObjectsV2` (S3 API reference): keys in the order of their bytes, folded at a delimiter.
pub(crate) struct ListObjectsV2;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    #[serde(flatten)]
    listing: Listing,
    continuation_token: Option<String>,
    start_after: Option<String>,
    fetch_owner: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    name: String,
    prefix: String,
    delimiter: Option<String>,
    max_keys: usize,
    encoding_type: Option<String>,
    key_count: usize,
    is_truncated: bool,
    continuation_token: Option<String>,
    next_continuation_token: Option<String>,
    start_after: Option<String>,
    contents: Vec<Content>,
    common_prefixes: Vec<Folded>,
}

impl Operation for ListObjectsV2 {
    type Service = S3;
    type Input = Input;
    type Output = Output;
    type Error = S3Error;

    const NAME: &'static str = "ListObjectsV2";
    const EFFECT: Effect = Effect::ReadsData;

    fn permissions(_: &Asked<'_, S3>, input: &Input) -> Permissions {
        Permissions::All(vec![input.listing.permission()])
    }

    async fn run(cx: Cx<S3>, input: Input) -> Result<Output, S3Error> {
        let listing = &input.listing;
        let mut asked = listing.asked()?;
        asked.after = match (&input.continuation_token, &input.start_after) {
            (Some(token), _) => Some(read_token(token)?),
            (None, Some(key)) => Some(After::Key(key.clone())),
            (None, None) => None,
        };
        let listed = list_objects::list(&cx, listing, &asked).await?;
        let owner = input.fetch_owner.unwrap_or_default().then(|| super::canonical_id(cx.account()));
        Ok(Output {
            name: listing.bucket.clone(),
            prefix: listing.encoded(&asked.prefix),
            delimiter: listing.delimiter.as_deref().map(|text| listing.encoded(text)),
            max_keys: asked.most,
            encoding_type: listing.encoding_type.clone(),
            key_count: listed.objects.len() + listed.prefixes.len(),
            is_truncated: listed.next.is_some(),
            next_continuation_token: listed.next.as_ref().map(write_token),
            start_after: input.start_after.as_deref().map(|text| listing.encoded(text)),
            contents: listing.contents(&listed, owner.as_deref()),
            common_prefixes: listing.folded(&listed),
            continuation_token: input.continuation_token,
        })
    }
}

/// A token names a place, and gives nothing that naming it in `start-after` would not.
fn write_token(next: &listing::After) -> String {
    let text = match next {
        After::Key(key) => format!("k{key}"),
        After::Prefix(prefix) => format!("p{prefix}"),
    };
    URL_SAFE_NO_PAD.encode(text)
}

fn read_token(token: &str) -> Result<After, S3Error> {
    let text = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let invalid =
        || S3Error::argument("continuation-token", token, "The continuation token provided is incorrect");
    let text = text.filter(|text| text.len() <= crate::request::MAX_KEY + 1).ok_or_else(invalid)?;
    let place = (text.strip_prefix('k').map(str::to_owned), text.strip_prefix('p').map(str::to_owned));
    match place {
        (Some(key), _) => Ok(After::Key(key)),
        (_, Some(prefix)) => Ok(After::Prefix(prefix)),
        _ => Err(invalid()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_back_and_others_are_refused() {
        for place in [After::Key("é/a".into()), After::Prefix("p/".into()), After::Key(String::new())] {
            assert_eq!(read_token(&write_token(&place)).ok(), Some(place));
        }
        for bad in ["", "!", "eA", &URL_SAFE_NO_PAD.encode("k".repeat(2_000))] {
            assert!(read_token(bad).is_err(), "{bad}");
        }
    }
}
