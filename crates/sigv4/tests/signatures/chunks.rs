use bytes::Bytes;
use homeport_core::Timestamp;
use homeport_sigv4::{
    BodyForm, ChunkRefusal, ChunkSigner, ChunkedBody, Credentials, DeclaredPayload, Head, Presented, Refusal,
    SignedPayload, Signer, SigningKeys, Trailers, verify,
};
use http::HeaderMap;
use proptest::prelude::*;

use crate::given::{AT, S3, check, headers, signer};

/// The key of the S3 API reference's examples, and their moment, 2013-05-24T00:00:00Z.
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const THEN: Timestamp = Timestamp::from_seconds(1_369_353_600);

fn decode(mut body: ChunkedBody, wire: &[u8], step: usize) -> Result<(Vec<u8>, Trailers), ChunkRefusal> {
    let mut out = Vec::new();
    for part in wire.chunks(step) {
        body.push(Bytes::copy_from_slice(part), &mut out)?;
    }
    Ok((out.concat(), body.finish()?))
}

fn chunked(form: BodyForm) -> ChunkedBody {
    match form {
        BodyForm::Chunked(body) => *body,
        other => panic!("{other:?}"),
    }
}

fn documented(headers: &HeaderMap) -> ChunkedBody {
    let head = Head { method: "PUT", target: "/examplebucket/chunkObject.txt", headers };
    let presented = Presented::read(&head).unwrap();
    chunked(verify(&presented, SECRET.as_bytes(), &SigningKeys::new(2), &head, THEN, &S3).unwrap())
}

#[test]
fn the_documented_chunked_upload_verifies() {
    let headers = headers(&[
        ("host", "s3.amazonaws.com"),
        ("x-amz-date", "20130524T000000Z"),
        ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        ("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
        ("content-encoding", "aws-chunked"),
        ("x-amz-decoded-content-length", "66560"),
        ("content-length", "66824"),
        (
            "authorization",
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class,Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
        ),
    ]);
    let mut wire =
        b"10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n"
            .to_vec();
    wire.extend([b'a'; 65_536]);
    wire.extend(
        b"\r\n400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n",
    );
    wire.extend([b'a'; 1_024]);
    wire.extend(
        b"\r\n0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n",
    );
    assert_eq!(wire.len(), 66_824);
    for step in [1, 7, 4_096, 100_000] {
        let (body, trailers) = decode(documented(&headers), &wire, step).unwrap();
        assert_eq!((body, trailers), (vec![b'a'; 66_560], Trailers::default()));
    }
    wire[70_00] = b'b';
    assert_eq!(decode(documented(&headers), &wire, 4_096), Err(ChunkRefusal::SignatureDoesNotMatch));
}

#[test]
fn the_documented_upload_with_trailers_verifies() {
    let headers = headers(&[
        ("host", "s3.amazonaws.com"),
        ("x-amz-date", "20130524T000000Z"),
        ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        ("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"),
        ("content-encoding", "aws-chunked"),
        ("x-amz-decoded-content-length", "66560"),
        ("x-amz-trailer", "x-amz-checksum-crc32c"),
        (
            "authorization",
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer,Signature=106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
        ),
    ]);
    let mut wire =
        b"10000;chunk-signature=b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2\r\n"
            .to_vec();
    wire.extend([b'a'; 65_536]);
    wire.extend(
        b"\r\n400;chunk-signature=1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7\r\n",
    );
    wire.extend([b'a'; 1_024]);
    wire.extend(
        b"\r\n0;chunk-signature=2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\n",
    );
    wire.extend(b"x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n");
    let (body, trailers) = decode(documented(&headers), &wire, 1_000).unwrap();
    assert_eq!(body.len(), 66_560);
    assert_eq!(trailers.get("x-amz-checksum-crc32c"), Some("sOO8/Q=="));
    let tampered = String::from_utf8(wire).unwrap().replace("sOO8", "sOO9");
    let refused = decode(documented(&headers), tampered.as_bytes(), 1_000);
    assert_eq!(refused, Err(ChunkRefusal::SignatureDoesNotMatch));
}

/// A signed upload of this length with a CRC32 trailer: its decoder and its chunk signer.
fn upload(length: usize) -> (ChunkedBody, ChunkSigner) {
    let length = length.to_string();
    let mut headers = headers(&[
        ("host", "127.0.0.1:4566"),
        ("x-amz-decoded-content-length", &length),
        ("x-amz-trailer", "x-amz-checksum-crc32"),
    ]);
    let payload = SignedPayload::Declared(DeclaredPayload::SignedChunks { trailer: true });
    let chunks = signer("s3").sign("PUT", "/bucket/key", &mut headers, payload).unwrap();
    (chunked(check("PUT", "/bucket/key", &headers, AT, &S3).unwrap()), chunks)
}

fn unsigned(length: &str, trailer: &str) -> ChunkedBody {
    let headers = headers(&[("x-amz-decoded-content-length", length), ("x-amz-trailer", trailer)]);
    ChunkedBody::unsigned(&headers).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_division_gives_the_body_back_and_any_changed_byte_is_refused(
        sizes in prop::collection::vec(8_192_usize..9_000, 0..4),
        last in 1_usize..500,
        step in 1_usize..10_000,
        at in any::<prop::sample::Index>(),
    ) {
        let lengths: Vec<usize> = sizes.into_iter().chain([last]).collect();
        let (body, mut signer) = upload(lengths.iter().sum());
        let mut wire = Vec::new();
        let mut sent = Vec::new();
        for (index, length) in lengths.into_iter().enumerate() {
            let data = vec![b'a' + index as u8; length];
            wire.extend(signer.chunk(&data));
            sent.extend(data);
        }
        wire.extend(signer.finish(&[("x-amz-checksum-crc32", "AAAAAA==")]));
        let (received, trailers) = decode(body, &wire, step).unwrap();
        prop_assert_eq!(received, &sent[..]);
        prop_assert_eq!(trailers.get("x-amz-checksum-crc32"), Some("AAAAAA=="));

        let at = at.index(wire.len());
        let mut tampered = wire.clone();
        tampered[at] ^= 1;
        let (body, _) = upload(sent.len());
        prop_assert!(decode(body, &tampered, step).is_err(), "byte {} was changed unseen", at);
        let (body, _) = upload(sent.len());
        prop_assert!(decode(body, &wire[..at], step).is_err(), "an upload cut at {} was accepted", at);
    }

    #[test]
    fn no_bytes_break_the_decoder(wire in prop::collection::vec(any::<u8>(), 0..400), step in 1_usize..50) {
        let _ = decode(unsigned("100", "x-amz-checksum-crc32"), &wire, step);
        let (body, _) = upload(100);
        let _ = decode(body, &wire, step);
    }
}

#[test]
fn an_unsigned_upload_gives_its_trailers() {
    let wire = b"5\r\nhello\r\n1\r\n!\r\n0\r\nx-amz-checksum-crc32:nSBpbQ==\r\n\r\n";
    let (body, trailers) = decode(unsigned("6", "x-amz-checksum-crc32"), wire, 3).unwrap();
    assert_eq!(body, b"hello!");
    assert_eq!(trailers.get("x-amz-checksum-crc32"), Some("nSBpbQ=="));
}

#[test]
fn what_is_not_announced_or_does_not_come_is_refused() {
    let wire: &[u8] = b"6\r\nhello!\r\n0\r\nx-amz-checksum-crc32:nSBpbQ==\r\n\r\n";
    let cases: [(&str, &str, &[u8], ChunkRefusal); 8] = [
        ("5", "x-amz-checksum-crc32", wire, ChunkRefusal::WrongLength),
        ("7", "x-amz-checksum-crc32", wire, ChunkRefusal::WrongLength),
        ("6", "x-amz-checksum-sha1", wire, ChunkRefusal::MalformedTrailer),
        ("6", "", wire, ChunkRefusal::MalformedTrailer),
        ("6", "x-amz-checksum-crc32", b"6\r\nhello!\r\n0\r\n\r\n", ChunkRefusal::MalformedTrailer),
        (
            "6",
            "x-amz-checksum-crc32",
            b"6\r\nhello!\r\n0\r\nx-amz-checksum-crc32:nSBpbQ==\r\n",
            ChunkRefusal::WrongLength,
        ),
        ("6", "", b"6\nhello!\n0\n\n", ChunkRefusal::Malformed),
        ("6", "", b"+6\r\nhello!\r\n0\r\n\r\n", ChunkRefusal::Malformed),
    ];
    for (length, trailer, wire, refusal) in cases {
        assert_eq!(decode(unsigned(length, trailer), wire, 1_000), Err(refusal), "{length} {trailer}");
    }
    let after = [wire, b"x"].concat();
    assert_eq!(decode(unsigned("6", "x-amz-checksum-crc32"), &after, 1_000), Err(ChunkRefusal::Malformed));
}

#[test]
fn lines_and_trailers_are_bounded() {
    let endless = vec![b'1'; 1_000_000];
    assert_eq!(decode(unsigned("6", ""), &endless, 100), Err(ChunkRefusal::Malformed));
    let mut wire = b"0\r\n".to_vec();
    for n in 0..10_000 {
        wire.extend(format!("x-amz-meta-{n}:1\r\n").into_bytes());
    }
    assert_eq!(decode(unsigned("0", ""), &wire, 100), Err(ChunkRefusal::MalformedTrailer));
}

#[test]
fn short_signed_chunks_come_last_only() {
    let (body, mut signer) = upload(20);
    let wire = [signer.chunk(&[1; 10]), signer.chunk(&[2; 10])].concat();
    assert_eq!(decode(body, &wire, 1_000), Err(ChunkRefusal::ChunkTooSmall));
}

#[test]
fn a_chunked_upload_says_its_length() {
    let mut headers = headers(&[("host", "h")]);
    let payload = SignedPayload::Declared(DeclaredPayload::UnsignedChunks);
    signer("s3").sign("PUT", "/bucket/key", &mut headers, payload).unwrap();
    let answer = check("PUT", "/bucket/key", &headers, AT, &S3);
    assert!(matches!(answer, Err(Refusal::MissingContentLength)), "{answer:?}");
}

#[test]
fn a_chunk_of_another_upload_does_not_fit() {
    let credentials =
        Credentials { access_key_id: "AKIDEXAMPLE", secret_access_key: SECRET, session_token: None };
    let other = Signer { credentials, region: "us-east-1", service: "s3", at: AT };
    let mut headers = headers(&[("host", "h"), ("x-amz-decoded-content-length", "10")]);
    let payload = SignedPayload::Declared(DeclaredPayload::SignedChunks { trailer: false });
    let mut chunks = other.sign("PUT", "/bucket/other", &mut headers, payload).unwrap();
    let (body, _) = upload(10);
    assert_eq!(decode(body, &chunks.chunk(&[1; 10]), 1_000), Err(ChunkRefusal::SignatureDoesNotMatch));
}
