//! A body on its way into a blob.

use bytes::Bytes;
use homeport_blobs::{BlobId, BlobWriter, Blobs};
use homeport_core::{Fault, Randomness};
use homeport_service::{Body, BoxError};
use http::HeaderMap;
use http_body_util::BodyExt;
use md5::{Digest, Md5};

use crate::checksum::{Algorithm, Expected};
use crate::error::S3Error;
use crate::records::Checksum;
use crate::whole_body;

/// The largest object that one PUT makes, in bytes (S3: 5 GiB).
pub(crate) const MAX_UPLOAD: u64 = 5 << 30;

/// What a request says of the body it sends.
#[derive(Clone, Debug)]
pub(crate) struct Announced {
    length: u64,
    md5: Option<[u8; 16]>,
    checksum: Expected,
}

impl Announced {
    /// Reads length, `Content-MD5` and checksum. A chunked body's length is the decoded one.
    pub(crate) fn read(headers: &HeaderMap) -> Result<Self, S3Error> {
        let number =
            |name: &str| headers.get(name).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        let length = match headers.contains_key("x-amz-decoded-content-length") {
            true => number("x-amz-decoded-content-length"),
            false => number("content-length"),
        };
        let length = length.ok_or(S3Error::MissingContentLength)?;
        if length > MAX_UPLOAD {
            return Err(S3Error::EntityTooLarge);
        }
        let md5 = whole_body::content_md5(headers)?;
        Ok(Self { length, md5, checksum: Expected::read(headers)? })
    }

    /// For a part of an upload, whose checksums are all of one algorithm.
    pub(crate) fn of_part(mut self, algorithm: Algorithm) -> Result<Self, S3Error> {
        if self.checksum == Expected::Nothing {
            self.checksum = Expected::Taken(algorithm);
        }
        if self.checksum.algorithm() == algorithm {
            return Ok(self);
        }
        let (asked, given) = (algorithm.name(), self.checksum.algorithm().name());
        Err(S3Error::InvalidRequest(format!(
            "Checksum Type mismatch occurred, expected checksum Type: {asked}, actual checksum Type: {given}"
        )))
    }
}

/// What a body was, now that it is a blob: durable, and named by no record yet.
#[derive(Debug)]
pub(crate) struct Uploaded {
    pub(crate) blob: BlobId,
    pub(crate) size: u64,
    /// The MD5 in hexadecimal: the ETag of an object that was put in one piece.
    pub(crate) md5: String,
    pub(crate) checksum: Checksum,
}

/// Bytes on their way into a blob, measured as they pass.
pub(crate) struct Intake {
    writer: BlobWriter,
    md5: Md5,
    checksum: crate::checksum::Hasher,
    algorithm: Algorithm,
    size: u64,
}

impl Intake {
    pub(crate) async fn begin(
        blobs: &Blobs,
        randomness: &dyn Randomness,
        algorithm: Algorithm,
    ) -> Result<Self, S3Error> {
        let writer = blobs.create(randomness).await?;
        Ok(Self { writer, md5: Md5::new(), checksum: algorithm.hasher(), algorithm, size: 0 })
    }

    pub(crate) async fn write(&mut self, data: Bytes) -> Result<(), S3Error> {
        self.size += data.len() as u64;
        self.md5.update(&data);
        self.checksum.update(&data);
        Ok(self.writer.write(data).await?)
    }

    /// Ends the blob if `check` finds nothing wrong with the bytes: their MD5 and checksum.
    pub(crate) async fn finish(
        self,
        check: impl FnOnce(&[u8], &str) -> Result<(), S3Error>,
    ) -> Result<Uploaded, S3Error> {
        let (md5, checksum) = (self.md5.finalize(), self.checksum.finish());
        check(&md5, &checksum)?;
        let blob = self.writer.finish().await?;
        let checksum = Checksum { algorithm: self.algorithm, value: checksum, composite: false };
        Ok(Uploaded { blob, size: self.size, md5: hex::encode(md5), checksum })
    }
}

/// Streams a body into a blob, holding little of it; every byte has been verified when this returns. A body that is
/// not what was announced or signed leaves nothing.
pub(crate) async fn receive(
    blobs: &Blobs,
    randomness: &dyn Randomness,
    mut body: Body,
    announced: &Announced,
) -> Result<Uploaded, S3Error> {
    let mut intake = Intake::begin(blobs, randomness, announced.checksum.algorithm()).await?;
    let mut trailers = None;
    while let Some(frame) = body.frame().await {
        match frame.map_err(interrupted)?.into_data() {
            Ok(data) => intake.write(data).await?,
            Err(frame) => trailers = frame.into_trailers().ok(),
        }
        if intake.size > announced.length {
            return Err(S3Error::IncompleteBody);
        }
    }
    if intake.size != announced.length {
        return Err(S3Error::IncompleteBody);
    }
    intake
        .finish(|md5, checksum| {
            if announced.md5.as_ref().is_some_and(|expected| expected != md5) {
                return Err(S3Error::BadMd5);
            }
            announced.checksum.check(checksum, trailers.as_ref())
        })
        .await
}

/// The edge's verdict on a body comes as a fault; all else is the network's.
fn interrupted(error: BoxError) -> S3Error {
    match error.downcast::<Fault>() {
        Ok(fault) => S3Error::Fault(*fault),
        Err(error) => S3Error::Interrupted(error.to_string()),
    }
}
