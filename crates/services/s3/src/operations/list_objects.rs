use homeport_service::{Asked, Cx, Effect, Operation, Permission, Permissions};
use percent_encoding::utf8_percent_encode;
use serde::{Deserialize, Serialize};

use crate::S3;
use crate::error::S3Error;
use crate::listing::{self, After, Listed, MAX_ENTRIES, URL_KEPT};
use crate::records::{self, Checksum, Object};
use crate::request::{MAX_KEY, bucket_arn, signed_for};

/// `ListObjects` (S3 API reference): the first form of ListObjectsV2, which pages by marker.
pub(crate) struct ListObjects;

/// What both forms of listing ask.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Listing {
    pub(crate) bucket: String,
    pub(crate) prefix: Option<String>,
    pub(crate) delimiter: Option<String>,
    pub(crate) max_keys: Option<i64>,
    pub(crate) encoding_type: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    #[serde(flatten)]
    listing: Listing,
    marker: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    name: String,
    prefix: String,
    marker: String,
    next_marker: Option<String>,
    delimiter: Option<String>,
    max_keys: usize,
    encoding_type: Option<String>,
    is_truncated: bool,
    contents: Vec<Content>,
    common_prefixes: Vec<Folded>,
}

/// One object of a listing.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Content {
    key: String,
    last_modified: f64,
    #[serde(rename = "ETag")]
    etag: String,
    size: u64,
    storage_class: String,
    checksum_algorithm: [&'static str; 1],
    checksum_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<Owner>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Owner {
    #[serde(rename = "ID")]
    id: String,
}

/// A folded prefix of a listing.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Folded {
    prefix: String,
}

impl Operation for ListObjects {
    type Service = S3;
    type Input = Input;
    type Output = Output;
    type Error = S3Error;

    const NAME: &'static str = "ListObjects";
    const EFFECT: Effect = Effect::ReadsData;

    fn permissions(_: &Asked<'_, S3>, input: &Input) -> Permissions {
        Permissions::All(vec![input.listing.permission()])
    }

    async fn run(cx: Cx<S3>, input: Input) -> Result<Output, S3Error> {
        let listing = &input.listing;
        let mut asked = listing.asked()?;
        let marker = input.marker.unwrap_or_default();
        asked.after = (!marker.is_empty()).then(|| asked.behind_marker(&marker));
        let listed = list(&cx, listing, &asked).await?;
        // Without a delimiter the last key is the marker, and S3 does not say it again.
        let next = listed.next.as_ref().filter(|_| !asked.delimiter.is_empty());
        let next_marker = next.map(|(After::Key(text) | After::Prefix(text))| listing.encoded(text));
        let owner = super::canonical_id(cx.account());
        Ok(Output {
            name: listing.bucket.clone(),
            prefix: listing.encoded(&asked.prefix),
            marker: listing.encoded(&marker),
            next_marker,
            delimiter: listing.delimiter.as_deref().map(|text| listing.encoded(text)),
            max_keys: asked.most,
            encoding_type: listing.encoding_type.clone(),
            is_truncated: listed.next.is_some(),
            contents: listing.contents(&listed, Some(&owner)),
            common_prefixes: listing.folded(&listed),
        })
    }
}

impl Listing {
    /// To list the bucket, with the keys that policies ask of a listing.
    pub(crate) fn permission(&self) -> Permission {
        Permission::new("s3:ListBucket", bucket_arn(&self.bucket))
            .with("s3:prefix", self.prefix.clone())
            .with("s3:delimiter", self.delimiter.clone())
            .with("s3:max-keys", self.max_keys.map(|most| most.to_string()))
    }

    pub(crate) fn asked(&self) -> Result<listing::Asked, S3Error> {
        let most = self.max_keys.unwrap_or(MAX_ENTRIES as i64);
        let most = usize::try_from(most).map_err(|_| {
            S3Error::argument(
                "maxKeys",
                most.to_string(),
                "Argument maxKeys must be an integer between 0 and 2147483647",
            )
        })?;
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let (prefix, delimiter) = (text(&self.prefix), text(&self.delimiter));
        if prefix.len() > MAX_KEY || delimiter.len() > MAX_KEY {
            return Err(S3Error::KeyTooLong);
        }
        Ok(listing::Asked { prefix, delimiter, after: None, most: most.min(MAX_ENTRIES) })
    }

    /// A key or a part of one as the answer has it.
    pub(crate) fn encoded(&self, text: &str) -> String {
        match self.encoding_type.as_deref() {
            Some("url") => utf8_percent_encode(text, URL_KEPT).to_string(),
            _ => text.to_owned(),
        }
    }

    pub(crate) fn contents(&self, listed: &Listed, owner: Option<&str>) -> Vec<Content> {
        let content = |object: &Object| Content {
            key: self.encoded(&object.key),
            last_modified: object.last_modified.seconds_f64(),
            etag: object.quoted_etag(),
            size: object.size,
            storage_class: object.storage_class.clone().unwrap_or_else(|| "STANDARD".to_owned()),
            checksum_algorithm: [object.checksum.algorithm.name()],
            checksum_type: Checksum::kind(object.checksum.composite),
            owner: owner.map(|id| Owner { id: id.to_owned() }),
        };
        listed.objects.iter().map(content).collect()
    }

    pub(crate) fn folded(&self, listed: &Listed) -> Vec<Folded> {
        listed.prefixes.iter().map(|prefix| Folded { prefix: self.encoded(prefix) }).collect()
    }
}

/// Lists the bucket as one snapshot has it.
pub(crate) async fn list(cx: &Cx<S3>, listing: &Listing, asked: &listing::Asked) -> Result<Listed, S3Error> {
    let region = signed_for(cx);
    let after = match &asked.after {
        Some(After::Key(text) | After::Prefix(text)) => text.len(),
        None => 0,
    };
    if after > MAX_KEY {
        return Err(S3Error::KeyTooLong);
    }
    cx.read(|tx| async move {
        let bucket = records::bucket(&tx, &listing.bucket, region).await?;
        Ok(listing::list(&tx, &bucket.generation, asked).await?)
    })
    .await
}
