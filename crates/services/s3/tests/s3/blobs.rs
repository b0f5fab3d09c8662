use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use homeport_blobs::Blobs;
use homeport_core::{SeededRandomness, Timestamp};
use homeport_s3::S3;
use homeport_testkit::TestApp;

use crate::given::{delete, get, header, put};

struct OnDisk {
    folder: tempfile::TempDir,
    blobs: Blobs,
    s3: Arc<S3>,
    app: TestApp,
}

/// An installation whose blobs are in a folder, with the bucket `photos`.
async fn on_disk() -> OnDisk {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::folder(folder.path(), "s3").unwrap();
    let mut s3 = None;
    let app = TestApp::new(|parts| {
        let (service, hosted) = homeport_s3::host(parts, &blobs);
        s3 = Some(service);
        vec![hosted]
    });
    app.admin().send("s3", "PUT", "/photos", &[], b"").await.ok();
    OnDisk { folder, blobs, s3: s3.unwrap(), app }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Unfinished files are removed beside the call that gave them up.
async fn settles_at(folder: &Path, count: usize) {
    for _ in 0..100 {
        if files(folder).len() == count {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("{:?}", files(folder));
}

#[tokio::test]
async fn an_object_has_one_blob_and_a_refused_one_none() {
    let disk = on_disk().await;
    let (admin, folder) = (disk.app.admin(), disk.folder.path());
    put(&admin, "/photos/a", &[], b"one").await.ok();
    put(&admin, "/photos/a", &[], b"two").await.ok();
    settles_at(folder, 1).await;
    let wrong = [("x-amz-checksum-crc32", "AAAAAA==")];
    put(&admin, "/photos/b", &wrong, &vec![1; 3 << 20]).await.refused("BadDigest", 400);
    put(&admin, "/photos/a", &[("if-none-match", "*")], b"x").await.refused("PreconditionFailed", 412);
    settles_at(folder, 1).await;
    let name = files(folder)[0].file_name().unwrap().to_string_lossy().into_owned();
    assert!(name.len() == 32 && name.bytes().all(|b| b.is_ascii_hexdigit()), "{name}");
    delete(&admin, "/photos/a").await;
    settles_at(folder, 0).await;
}

#[tokio::test]
async fn the_sweep_takes_what_a_crash_left_and_no_more() {
    let disk = on_disk().await;
    let admin = disk.app.admin();
    put(&admin, "/photos/a", &[], b"kept").await.ok();
    let begun = admin.send("s3", "POST", "/photos/m?uploads", &[], b"").await.ok();
    let upload = begun.element("UploadId").unwrap();
    put(&admin, &format!("/photos/m?partNumber=1&uploadId={upload}"), &[], b"part").await.ok();
    disk.blobs.put(&SeededRandomness::new(9), Bytes::from_static(b"orphan")).await.unwrap();
    let written = std::fs::metadata(&files(disk.folder.path())[0]).unwrap().modified().unwrap();
    let written = written.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let later = Timestamp::from_seconds(i64::try_from(written).unwrap()).plus_seconds(2 * 24 * 60 * 60);
    assert_eq!(disk.s3.sweep(later).await.unwrap(), 1);
    assert_eq!(disk.s3.sweep(later).await.unwrap(), 0);
    assert_eq!(get(&admin, "/photos/a").await.ok().text(), "kept");
    delete(&admin, "/photos/a").await;
    assert_eq!(delete(&admin, "/photos").await.status, 204);
    assert_eq!(disk.s3.sweep(later).await.unwrap(), 1);
    assert!(files(disk.folder.path()).is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_reader_gets_the_old_object_or_the_new_one() {
    const LENGTH: usize = 400_000;
    let disk = on_disk().await;
    let admin = disk.app.admin();
    put(&admin, "/photos/a", &[], &vec![b'a'; LENGTH]).await.ok();
    let write = async |byte: u8| {
        for _ in 0..15 {
            put(&admin, "/photos/a", &[], &vec![byte; LENGTH]).await.ok();
        }
    };
    let read = async || {
        for _ in 0..40 {
            let got = get(&admin, "/photos/a").await.ok();
            assert_eq!(got.body.len(), LENGTH);
            assert!(got.body.iter().all(|byte| *byte == got.body[0]), "two objects in one");
            assert_eq!(header(&got, "content-length"), LENGTH.to_string());
        }
    };
    tokio::join!(write(b'a'), write(b'b'), read(), read());
}
