use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};
use bytes::Bytes;
use futures_util::stream::{self, Stream};
use homeport_blobs::BlobId;
use homeport_store::Row;
use tokio::io::{AsyncRead, AsyncReadExt, BufReader};

use super::super::MovingError;
use super::super::blobs::BlobTally;
use super::super::frames::{self, FORMAT, HEAD_BYTES, ID_BYTES, Kind, MAGIC, MOST_BYTES, Manifest, Trailer};
use super::super::rows::{Sum, goes_along, is_installation};
use super::failed;

const BUFFER: usize = 1 << 20;
const CHUNK: u64 = 256 << 10;

/// A backup that is being read.
pub(in super::super) struct Reader<F> {
    file: F,
    path: PathBuf,
    /// What it is of.
    pub(in super::super) manifest: Manifest,
    /// How many bytes were read.
    pub(in super::super) read: u64,
    bytes: Context,
    /// Of the rows so far, the installation's own left out.
    pub(in super::super) sum: Sum,
    blobs: BlobTally,
    /// Bytes of a blob that was begun and not read yet.
    left: u64,
    installation: Option<Row>,
}

/// The next of what a backup holds.
pub(in super::super) enum Piece {
    /// Rows, behind those before.
    Rows(Vec<Row>),
    /// A blob; [`Reader::contents`] gives its bytes.
    Blob { owner: String, id: BlobId, size: u64 },
    /// Everything was there, and is what was written: the installation's own row.
    End(Row),
}

impl Reader<BufReader<tokio::fs::File>> {
    /// Opens a file and reads what it is of.
    pub(in super::super) async fn open(path: &Path) -> Result<Self, MovingError> {
        let file = tokio::fs::File::open(path).await.map_err(failed(path))?;
        Self::begin(BufReader::with_capacity(BUFFER, file), path).await
    }
}

impl<F: AsyncRead + Unpin + Send> Reader<F> {
    /// The same for what is not a file yet.
    pub(in super::super) async fn begin(mut file: F, path: &Path) -> Result<Self, MovingError> {
        let mut magic = [0; MAGIC.len()];
        let read = file.read_exact(&mut magic).await;
        if read.is_err() || magic != MAGIC {
            return Err(MovingError::NoBackup(path.to_owned()));
        }
        let mut bytes = Context::new(&SHA256);
        bytes.update(MAGIC);
        let (sum, blobs) = (Sum::new(), BlobTally::default());
        let (path, manifest) = (path.to_owned(), Manifest::default());
        let mut reader =
            Self { file, path, manifest, read: 0, bytes, sum, blobs, left: 0, installation: None };
        reader.manifest = reader.read_manifest().await?;
        Ok(reader)
    }

    async fn read_manifest(&mut self) -> Result<Manifest, MovingError> {
        let Some((Kind::Manifest, length)) = self.head().await? else {
            return Err(self.damaged("it doesn't begin with a manifest"));
        };
        let manifest = self.content(length).await?;
        let unreadable = |_| self.damaged("its manifest can't be read");
        let Format { format } = serde_json::from_slice(&manifest).map_err(unreadable)?;
        if format != FORMAT {
            return Err(MovingError::OtherFormat { path: self.path.clone(), found: format });
        }
        let manifest: Manifest = serde_json::from_slice(&manifest).map_err(unreadable)?;
        if version(&manifest.program) > version(env!("CARGO_PKG_VERSION")) {
            // It may keep records and indexes that this program would not.
            return Err(MovingError::NewerProgram { path: self.path.clone(), found: manifest.program });
        }
        Ok(manifest)
    }

    /// The next piece; what is left of a blob before it is passed over.
    pub(in super::super) async fn next(&mut self) -> Result<Piece, MovingError> {
        while self.chunk().await?.is_some() {}
        loop {
            // The trailer's sum is of what comes before its head.
            let before = self.bytes.clone();
            let Some((kind, length)) = self.head().await? else {
                return Err(self.damaged("one of its parts is of no known kind"));
            };
            match (kind, &self.installation) {
                (Kind::Rows, None) => return self.rows(length).await.map(Piece::Rows),
                (Kind::Blob, None) => return self.blob(length).await,
                (Kind::Installation, None) => {
                    let content = self.content(length).await?;
                    self.installation = Some(self.installation_of(content)?);
                }
                (Kind::Trailer, Some(installation)) => {
                    let installation = installation.clone();
                    self.end(length, before).await?;
                    return Ok(Piece::End(installation));
                }
                _ => return Err(self.damaged("its parts are in a wrong order")),
            }
        }
    }

    /// The bytes of the blob that was the last piece.
    pub(in super::super) fn contents(&mut self) -> impl Stream<Item = Result<Bytes, MovingError>> + Send {
        stream::try_unfold(
            self,
            |reader| async move { Ok(reader.chunk().await?.map(|chunk| (chunk, reader))) },
        )
    }

    async fn chunk(&mut self) -> Result<Option<Bytes>, MovingError> {
        if self.left == 0 {
            return Ok(None);
        }
        let chunk = self.content(self.left.min(CHUNK)).await?;
        self.left -= chunk.len() as u64;
        Ok(Some(chunk))
    }

    async fn rows(&mut self, length: u64) -> Result<Vec<Row>, MovingError> {
        let rows = frames::unpacked(self.content(length).await?);
        let rows = rows.filter(|rows| rows.iter().all(goes_along));
        let rows = rows.ok_or_else(|| self.damaged("rows in it can't be read"))?;
        rows.iter().for_each(|row| self.sum.take(row));
        Ok(rows)
    }

    fn installation_of(&self, content: Bytes) -> Result<Row, MovingError> {
        match frames::unpacked(content).as_deref() {
            Some([row]) if is_installation(row) => Ok(row.clone()),
            _ => Err(self.damaged("its installation can't be read")),
        }
    }

    async fn blob(&mut self, length: u64) -> Result<Piece, MovingError> {
        let owner = self.content(1).await?.first().copied().unwrap_or_default();
        let before = 1 + usize::from(owner) + ID_BYTES;
        let wrong = || MovingError::Damaged { path: self.path.clone(), what: "a blob in it has no name" };
        let size = length.checked_sub(before as u64).ok_or_else(wrong)?;
        let owner = String::from_utf8(self.content(u64::from(owner)).await?.into());
        let id = String::from_utf8(self.content(ID_BYTES as u64).await?.into()).ok();
        let wrong = || self.damaged("a blob in it has no name");
        let owner = owner.map_err(|_| wrong())?;
        let id = id.as_deref().and_then(BlobId::parse).ok_or_else(wrong)?;
        self.left = size;
        self.blobs.add(size);
        Ok(Piece::Blob { owner, id, size })
    }

    /// Whether what was read is what was written.
    async fn end(&mut self, length: u64, before: Context) -> Result<(), MovingError> {
        let content = self.content(length).await?;
        let trailer: Option<Trailer> = serde_json::from_slice(&content).ok();
        let read = Trailer {
            rows: self.sum.rows + 1,
            blobs: self.blobs.blobs,
            blob_bytes: self.blobs.bytes,
            sha256: hex::encode(before.finish()),
        };
        let mut behind = [0];
        let ends = self.file.read(&mut behind).await.map_err(failed(&self.path))? == 0;
        if ends && trailer.as_ref() == Some(&read) {
            Ok(())
        } else {
            Err(self.damaged("its checksum is wrong"))
        }
    }

    async fn head(&mut self) -> Result<Option<(Kind, u64)>, MovingError> {
        let head = self.content(HEAD_BYTES as u64).await?;
        Ok(head.as_ref().try_into().ok().and_then(frames::read_head))
    }

    /// So many bytes: memory is taken as they come, whatever a damaged length says.
    async fn content(&mut self, length: u64) -> Result<Bytes, MovingError> {
        if length > MOST_BYTES {
            return Err(self.damaged("one of its parts is too long"));
        }
        let mut content = Vec::new();
        let read = (&mut self.file).take(length).read_to_end(&mut content).await;
        if read.map_err(failed(&self.path))? as u64 != length {
            return Err(self.damaged("it ends too soon"));
        }
        self.bytes.update(&content);
        self.read += length;
        Ok(Bytes::from(content))
    }

    fn damaged(&self, what: &'static str) -> MovingError {
        MovingError::Damaged { path: self.path.clone(), what }
    }
}

/// Numbers of a version, which sort as versions do.
fn version(text: &str) -> Vec<u64> {
    text.split(['.', '-', '+']).map_while(|part| part.parse().ok()).collect()
}

/// What every manifest has.
#[derive(serde::Deserialize)]
struct Format {
    format: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_sort_by_their_numbers() {
        assert!(version("0.10.0") > version("0.9.12"));
        assert!(version("1.0.0") > version("0.10.0"));
        assert_eq!(version("0.1.0-dev"), version("0.1.0"));
    }
}
