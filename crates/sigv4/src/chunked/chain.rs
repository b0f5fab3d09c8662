use aws_lc_rs::digest;

use super::{ChunkRefusal, Trailers};
use crate::canonical::sha256_hex;
use crate::{Credential, SigningKey};

/// The chain of signatures: each chunk's covers the one before it, the first the request's own.
#[derive(Debug)]
pub(crate) struct Chain {
    key: SigningKey,
    /// The date and the scope, as two lines.
    context: String,
    previous: String,
}

impl Chain {
    pub(crate) fn new(key: SigningKey, date: &str, credential: &Credential, seed: &[u8; 32]) -> Self {
        Self { key, context: format!("{date}\n{}", credential.scope()), previous: hex::encode(seed) }
    }

    fn chunk_text(&self, hash: &[u8]) -> String {
        let (nothing, hash) = (sha256_hex(b""), hex::encode(hash));
        format!("AWS4-HMAC-SHA256-PAYLOAD\n{}\n{}\n{nothing}\n{hash}", self.context, self.previous)
    }

    fn trailers_text(&self, trailers: &Trailers) -> String {
        let hash = sha256_hex(&trailers.canonical());
        format!("AWS4-HMAC-SHA256-TRAILER\n{}\n{}\n{hash}", self.context, self.previous)
    }

    pub(crate) fn verify_chunk(&mut self, hash: &[u8], claimed: &[u8; 32]) -> Result<(), ChunkRefusal> {
        if !self.key.verifies(&self.chunk_text(hash), claimed) {
            return Err(ChunkRefusal::SignatureDoesNotMatch);
        }
        self.previous = hex::encode(claimed);
        Ok(())
    }

    pub(crate) fn verify_trailers(
        &self,
        trailers: &Trailers,
        claimed: &[u8; 32],
    ) -> Result<(), ChunkRefusal> {
        let verified = self.key.verifies(&self.trailers_text(trailers), claimed);
        if verified { Ok(()) } else { Err(ChunkRefusal::SignatureDoesNotMatch) }
    }
}

/// Makes the chunks of a body whose head [`Signer::sign`](crate::Signer::sign) has signed.
#[derive(Debug)]
pub struct ChunkSigner(Chain);

impl ChunkSigner {
    pub(crate) fn new(chain: Chain) -> Self {
        Self(chain)
    }

    /// One chunk on the wire; all but the last with data have at least 8,192 bytes.
    pub fn chunk(&mut self, data: &[u8]) -> Vec<u8> {
        let mut out = self.header(data).into_bytes();
        out.extend_from_slice(data);
        out.extend_from_slice(b"\r\n");
        out
    }

    /// The end on the wire: the empty chunk, and the trailers with their signature where there are any.
    pub fn finish(mut self, trailers: &[(&str, &str)]) -> Vec<u8> {
        let mut out = self.header(b"");
        if !trailers.is_empty() {
            let all: Trailers = trailers.iter().copied().collect();
            let signature = hex::encode(self.0.key.sign(&self.0.trailers_text(&all)));
            for (name, value) in trailers {
                out.push_str(&format!("{name}:{value}\r\n"));
            }
            out.push_str(&format!("x-amz-trailer-signature:{signature}\r\n"));
        }
        out.push_str("\r\n");
        out.into_bytes()
    }

    fn header(&mut self, data: &[u8]) -> String {
        let hash = digest::digest(&digest::SHA256, data);
        self.0.previous = hex::encode(self.0.key.sign(&self.0.chunk_text(hash.as_ref())));
        format!("{:x};chunk-signature={}\r\n", data.len(), self.0.previous)
    }
}
