//! Listing a bucket's keys, folded at a delimiter.

use homeport_store::{StoreError, Tx};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};

use crate::records::{OBJECTS, Object, before_keys_from, behind_keys_with};

/// The most entries in one answer.
pub(crate) const MAX_ENTRIES: usize = 1_000;

/// What keys keep of their characters in a URL.
pub(crate) const URL_KEPT: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/').remove(b'*');

/// What is asked of a listing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    pub(crate) prefix: String,
    /// Empty: nothing is folded.
    pub(crate) delimiter: String,
    /// List only what comes behind this key, or behind all keys of this folded prefix.
    pub(crate) after: Option<After>,
    /// At most [`MAX_ENTRIES`].
    pub(crate) most: usize,
}

/// Where a listing goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum After {
    /// Behind this key.
    Key(String),
    /// Behind every key that begins with this.
    Prefix(String),
}

/// What a listing found: keys and folded prefixes, each in order.
#[derive(Debug, Default)]
pub(crate) struct Listed {
    pub(crate) objects: Vec<Object>,
    pub(crate) prefixes: Vec<String>,
    /// Where the next page goes on, if there is one.
    pub(crate) next: Option<After>,
}

impl Asked {
    /// The part of a key up to and with the first delimiter behind the prefix.
    fn folded<'k>(&self, key: &'k str) -> Option<&'k str> {
        if self.delimiter.is_empty() {
            return None;
        }
        let behind = key.get(self.prefix.len()..)?;
        let at = behind.find(&self.delimiter)?;
        key.get(..self.prefix.len() + at + self.delimiter.len())
    }

    /// What a page that ended with this marker goes on behind: a marker that is a folded prefix stands for its keys.
    pub(crate) fn behind_marker(&self, marker: &str) -> After {
        let folded = marker.starts_with(&self.prefix) && self.folded(marker) == Some(marker);
        if folded { After::Prefix(marker.to_owned()) } else { After::Key(marker.to_owned()) }
    }

    fn begin(&self, generation: &str) -> Vec<u8> {
        let from_prefix = before_keys_from(generation, &self.prefix);
        let from_after = match &self.after {
            None => return from_prefix,
            Some(After::Key(key)) => crate::records::object_key(generation, key).as_bytes().to_vec(),
            Some(After::Prefix(prefix)) => behind_keys_with(generation, prefix),
        };
        from_prefix.max(from_after)
    }
}

/// Lists. Folded keys are stepped over, so the work is bounded by what is answered, not by what is folded.
pub(crate) async fn list(tx: &Tx, generation: &str, asked: &Asked) -> Result<Listed, StoreError> {
    let mut listed = Listed::default();
    if asked.most == 0 {
        return Ok(listed);
    }
    let mut last = None;
    let mut from = asked.begin(generation);
    loop {
        let still = asked.most - listed.objects.len() - listed.prefixes.len();
        let page = OBJECTS.page(tx, generation, Some(&from), (still + 1).min(MAX_ENTRIES)).await?;
        let mut stepped_over: Option<String> = None;
        for object in page.records {
            if stepped_over.as_ref().is_some_and(|prefix| object.key.starts_with(prefix.as_str())) {
                continue;
            }
            if !object.key.starts_with(&asked.prefix) {
                return Ok(listed);
            }
            if listed.objects.len() + listed.prefixes.len() == asked.most {
                listed.next = last;
                return Ok(listed);
            }
            match asked.folded(&object.key).map(str::to_owned) {
                Some(prefix) => {
                    last = Some(After::Prefix(prefix.clone()));
                    listed.prefixes.push(prefix.clone());
                    stepped_over = Some(prefix);
                }
                None => {
                    last = Some(After::Key(object.key.clone()));
                    listed.objects.push(object);
                }
            }
        }
        from = match (page.cursor, &stepped_over) {
            (None, _) => return Ok(listed),
            (Some(cursor), Some(prefix)) => cursor.to_vec().max(behind_keys_with(generation, prefix)),
            (Some(cursor), None) => cursor.to_vec(),
        };
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use homeport_core::Timestamp;
    use homeport_store::Store;
    use proptest::prelude::*;

    use super::*;
    use crate::checksum::Algorithm;
    use crate::records::Checksum;

    fn object(key: &str) -> Object {
        Object {
            generation: "g".into(),
            key: key.into(),
            stored: crate::records::Stored::Blob(String::new()),
            size: 0,
            etag: String::new(),
            last_modified: Timestamp::default(),
            content: Default::default(),
            metadata: Default::default(),
            checksum: Checksum { algorithm: Algorithm::Crc32, value: String::new(), composite: false },
            storage_class: None,
            sse: false,
        }
    }

    /// Keys and folded prefixes, page by page.
    async fn all(keys: &BTreeSet<String>, asked: Asked) -> (Vec<String>, Vec<String>) {
        let store = Store::testkit(1);
        store
            .write(|tx| async move {
                OBJECTS.put(&tx, &Object { generation: "f".into(), ..object("a/b") }).await?;
                OBJECTS.put(&tx, &Object { generation: "h".into(), ..object("a/b") }).await?;
                for key in keys {
                    OBJECTS.put(&tx, &object(key)).await?;
                }
                Ok::<_, StoreError>(())
            })
            .await
            .unwrap();
        let (mut found, mut prefixes, mut asked) = (Vec::new(), Vec::new(), asked);
        loop {
            let page = store.read(|tx| {
                let asked = asked.clone();
                async move { list(&tx, "g", &asked).await }
            });
            let page = page.await.unwrap();
            assert!(page.objects.len() + page.prefixes.len() <= asked.most);
            found.extend(page.objects.into_iter().map(|object| object.key));
            prefixes.extend(page.prefixes);
            match page.next {
                Some(next) => asked.after = Some(next),
                None => return (found, prefixes),
            }
        }
    }

    fn expected(keys: &BTreeSet<String>, asked: &Asked) -> (Vec<String>, Vec<String>) {
        let (mut found, mut prefixes) = (Vec::new(), BTreeSet::new());
        for key in keys.iter().filter(|key| key.starts_with(&asked.prefix)) {
            match asked.folded(key) {
                Some(prefix) => {
                    prefixes.insert(prefix.to_owned());
                }
                None => found.push(key.clone()),
            }
        }
        (found, prefixes.into_iter().collect())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn the_pages_make_up_the_whole(
            keys in prop::collection::btree_set("[ab/\\x00é\u{10ffff}]{1,5}", 0..24),
            prefix in "[ab/é]{0,2}",
            delimiter in prop_oneof![Just(""), Just("/"), Just("a"), Just("é/")],
            most in 1_usize..6,
        ) {
            let asked = Asked { prefix, delimiter: delimiter.to_owned(), after: None, most };
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let listed = runtime.block_on(all(&keys, asked.clone()));
            prop_assert_eq!(listed, expected(&keys, &asked));
        }
    }

    #[test]
    fn a_marker_that_is_a_folded_prefix_stands_for_its_keys() {
        let asked = Asked { prefix: "p/".into(), delimiter: "/".into(), ..Asked::default() };
        assert_eq!(asked.behind_marker("p/a/"), After::Prefix("p/a/".into()));
        assert_eq!(asked.behind_marker("p/a"), After::Key("p/a".into()));
        assert_eq!(asked.behind_marker("q/a/"), After::Key("q/a/".into()));
    }
}
