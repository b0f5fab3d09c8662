//! Lists in pages: `Marker`, `MaxItems`, `IsTruncated`.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use homeport_store::{Collection, KeyParts, Record, StoreError, Tx};
use serde::{Deserialize, Serialize};

use crate::error::IamError;
use crate::limits::PAGE_DEFAULT;

/// The members that every list takes.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Paging {
    marker: Option<String>,
    max_items: Option<usize>,
}

/// The members that every list answers beside its items.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Truncation {
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

impl Truncation {
    /// The list goes on behind this key; none at its end.
    fn behind(key: Option<&[u8]>) -> Self {
        Self { is_truncated: key.is_some(), marker: key.map(|key| URL_SAFE_NO_PAD.encode(key)) }
    }
}

impl Paging {
    fn limit(&self) -> usize {
        self.max_items.unwrap_or(PAGE_DEFAULT)
    }

    /// The key that the page before ended with.
    fn position(&self) -> Result<Option<Vec<u8>>, IamError> {
        let decode = |marker: &String| {
            URL_SAFE_NO_PAD.decode(marker).map_err(|_| IamError::ValidationError("Invalid Marker."))
        };
        self.marker.as_ref().map(decode).transpose()
    }

    /// A page of a collection's records under `prefix`, of those that `keep` admits.
    pub(crate) async fn of_records<R: Record>(
        &self,
        tx: &Tx,
        collection: Collection<R>,
        prefix: KeyParts,
        keep: impl Fn(&R) -> bool,
    ) -> Result<(Vec<R>, Truncation), IamError> {
        self.walk(tx, &Source { collection, index: None, prefix }, keep).await
    }

    /// A page of the records that an index has under `prefix`, of those that `keep` admits.
    pub(crate) async fn of_index<R: Record>(
        &self,
        tx: &Tx,
        collection: Collection<R>,
        index: &'static str,
        prefix: KeyParts,
        keep: impl Fn(&R) -> bool,
    ) -> Result<(Vec<R>, Truncation), IamError> {
        self.walk(tx, &Source { collection, index: Some(index), prefix }, keep).await
    }

    /// A page of a list that is short by its quotas, ordered by key.
    pub(crate) fn of_few<T>(
        &self,
        mut items: Vec<T>,
        key: impl Fn(&T) -> String,
    ) -> Result<(Vec<T>, Truncation), IamError> {
        items.sort_by_key(|item| key(item));
        let after = self.position()?;
        let mut rest: Vec<T> = items
            .into_iter()
            .filter(|item| after.as_ref().is_none_or(|after| key(item).as_bytes() > after.as_slice()))
            .collect();
        let more = rest.len() > self.limit();
        rest.truncate(self.limit());
        let last = rest.last().filter(|_| more).map(|item| key(item).into_bytes());
        Ok((rest, Truncation::behind(last.as_deref())))
    }

    async fn walk<R: Record>(
        &self,
        tx: &Tx,
        source: &Source<R>,
        keep: impl Fn(&R) -> bool,
    ) -> Result<(Vec<R>, Truncation), IamError> {
        let (limit, mut after) = (self.limit(), self.position()?);
        let mut kept: Vec<R> = Vec::new();
        loop {
            let page = source.page(tx, after.as_deref(), limit + 1).await.map_err(marker_is_not_ours)?;
            let Some(last) = page.last() else { return Ok((kept, Truncation::behind(None))) };
            after = Some(last.key().as_bytes().to_vec());
            kept.extend(page.into_iter().filter(&keep));
            if kept.len() > limit {
                kept.truncate(limit);
                let last = kept.last().map(|record| record.key().as_bytes().to_vec());
                return Ok((kept, Truncation::behind(last.as_deref())));
            }
        }
    }
}

fn marker_is_not_ours(error: StoreError) -> IamError {
    match error {
        StoreError::BadCursor => IamError::ValidationError("Invalid Marker."),
        other => IamError::Store(other),
    }
}

/// Records in the order of their keys or of an index. Positions are primary keys in both, so that
/// markers stay short.
struct Source<R> {
    collection: Collection<R>,
    index: Option<&'static str>,
    prefix: KeyParts,
}

impl<R: Record> Source<R> {
    async fn page(&self, tx: &Tx, after: Option<&[u8]>, limit: usize) -> Result<Vec<R>, StoreError> {
        let page = match self.index {
            None => self.collection.page(tx, &self.prefix, after, limit).await?,
            Some(index) => {
                let after = after.map(|key| [self.prefix.as_bytes(), key].concat());
                self.collection.page_by(tx, index, &self.prefix, after.as_deref(), limit).await?
            }
        };
        Ok(page.records)
    }
}
