use std::fmt;

use homeport_core::Randomness;
use object_store::path::Path;

/// A blob's name: 128 random bits as 32 hexadecimal digits. Nothing of an object is in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobId(String);

impl BlobId {
    pub(crate) fn draw(randomness: &dyn Randomness) -> Self {
        let mut bytes = [0; 16];
        randomness.fill(&mut bytes);
        Self(format!("{:032x}", u128::from_be_bytes(bytes)))
    }

    /// Reads an id as a record holds it; none if it is no id.
    pub fn parse(text: &str) -> Option<Self> {
        let digit = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
        (text.len() == 32 && text.bytes().all(digit)).then(|| Self(text.to_owned()))
    }

    /// The id's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `owner/ab/cd/abcd…`: 65,536 folders an owner, so that none grows large.
    pub(crate) fn path(&self, owner: &str) -> Path {
        Path::from_iter([owner, &self.0[..2], &self.0[2..4], &self.0])
    }
}

impl fmt::Display for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use homeport_core::SeededRandomness;

    use super::*;

    #[test]
    fn an_id_reads_back_and_nothing_else_is_one() {
        let id = BlobId::draw(&SeededRandomness::new(1));
        assert_eq!(BlobId::parse(id.as_str()), Some(id.clone()));
        assert_eq!(id.path("s3").as_ref().matches('/').count(), 3);
        for text in ["", "../../../../etc/passwd", &"A".repeat(32), &"a".repeat(31), &"é".repeat(16)] {
            assert_eq!(BlobId::parse(text), None, "{text}");
        }
    }
}
