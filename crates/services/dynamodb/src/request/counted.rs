//! Lists that are longer than they may be.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// A list of which the first `KEPT` elements are kept, and the others read, counted and dropped: an element may take
/// hundreds of times the memory of its JSON.
#[derive(Debug)]
pub(crate) struct Counted<T, const KEPT: usize> {
    kept: Vec<T>,
    count: usize,
}

impl<T, const KEPT: usize> Counted<T, KEPT> {
    /// The first elements: all, where there aren't too many.
    pub(crate) fn kept(&self) -> &[T] {
        &self.kept
    }

    /// As [`Self::kept`].
    pub(crate) fn into_kept(self) -> Vec<T> {
        self.kept
    }

    /// How many elements the list has.
    pub(crate) fn count(&self) -> usize {
        self.count
    }
}

impl<T, const KEPT: usize> Default for Counted<T, KEPT> {
    fn default() -> Self {
        Self { kept: Vec::new(), count: 0 }
    }
}

impl<'de, T: Deserialize<'de>, const KEPT: usize> Deserialize<'de> for Counted<T, KEPT> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Elements(PhantomData))
    }
}

struct Elements<T, const KEPT: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const KEPT: usize> Visitor<'de> for Elements<T, KEPT> {
    type Value = Counted<T, KEPT>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut list = Counted::default();
        // Those that are dropped are read as what they should be, for what is none is told before there are too many.
        while let Some(element) = seq.next_element()? {
            if list.kept.len() < KEPT {
                list.kept.push(element);
            }
            list.count += 1;
        }
        Ok(list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_keeps_its_first_elements_and_counts_all() {
        let read = |json: &str| serde_json::from_str::<Counted<u8, 3>>(json).unwrap();
        for (json, kept, count) in
            [("[]", &[][..], 0), ("[1,2,3]", &[1, 2, 3], 3), ("[1,2,3,4,5]", &[1, 2, 3], 5)]
        {
            assert_eq!((read(json).kept(), read(json).count()), (kept, count), "{json}");
        }
        assert_eq!(read("[1,2,3,4]").into_kept(), [1, 2, 3]);
    }

    #[test]
    fn an_element_of_the_wrong_shape_is_found_wherever_it_stands() {
        for json in ["[1,-2]", "[1,2,3,4,-5]", "{}", "null"] {
            assert!(serde_json::from_str::<Counted<u8, 3>>(json).is_err(), "{json}");
        }
    }
}
