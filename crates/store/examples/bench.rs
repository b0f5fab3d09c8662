//! What the embedded engine does per second, beside a bound measured in the same run.
//!
//! `cargo run --release -p homeport-store --example bench -- [folder]`
//!
//! Writes: 64 clients, each waiting until its 512-byte row is durable; the bound is a bare loop of one write of
//! as many rows as a group held and one `fdatasync`. Gets: one task per core over rows in memory. Opening: a new
//! folder, and one with 100,000 rows whose process was not closed in order.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use homeport_store::{EmbeddedOptions, Key, Store, StoreError, Tx};

const CLIENTS: u64 = 64;
const VALUE_BYTES: usize = 512;
const SPAN: Duration = Duration::from_secs(4);
const FILL: &str = "--fill-and-abort";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let first = arguments.next();
    if first.as_ref().is_some_and(|first| first == FILL) {
        return fill_and_abort(&PathBuf::from(arguments.next().unwrap_or_default())).await;
    }
    let base = first.map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = base.join(format!("homeport-store-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let outcome = measure(&folder).await;
    std::fs::remove_dir_all(&folder)?;
    outcome
}

async fn measure(folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let store =
        timed("open, new folder", Store::open(&folder.join("store"), EmbeddedOptions::default())).await?;
    let (writes, groups) = durable_writes(&store).await?;
    let group = (writes / groups).max(1);
    println!("durable writes    {:>9.0} /s  ({group} to a flush)", per_second(writes, SPAN));
    let bound = bare_loop(&folder.join("bare"), group)?;
    println!("bare write+flush  {bound:>9.0} /s  (ratio {:.2})", per_second(writes, SPAN) / bound);
    println!("gets              {:>9.0} /s", gets(&store).await?);
    println!("get and put       {:>9.0} /s", read_modify_write(&store).await?);
    drop(store);
    reopen(&folder.join("again")).await?;
    println!("resident memory   {:>9} KiB", resident_kib()?);
    Ok(())
}

async fn timed<T>(what: &str, future: impl Future<Output = T>) -> T {
    let start = Instant::now();
    let outcome = future.await;
    println!("{what:<34} {:.1} ms", start.elapsed().as_secs_f64() * 1e3);
    outcome
}

/// Rows written by all clients, and the groups they became durable in.
async fn durable_writes(store: &Store) -> Result<(u64, u64), StoreError> {
    let groups = Arc::new(AtomicU64::default());
    let counting = Arc::clone(&groups);
    let count = Arc::new(move |_| {
        counting.fetch_add(1, Ordering::Relaxed);
    });
    store.on_change(&Key::of("touched"), count);
    let end = Instant::now() + SPAN;
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let store = store.clone();
            tokio::spawn(async move {
                let value = Bytes::from(vec![client.to_le_bytes()[0]; VALUE_BYTES]);
                let mut written = 0;
                while Instant::now() < end {
                    let key = &Key::of("bench").u64(client).u64(written);
                    let put =
                        |tx: Tx| tx.touch(&Key::of("touched")).and_then(|()| tx.put(key, value.clone()));
                    store.write(|tx| std::future::ready(put(tx))).await?;
                    written += 1;
                }
                Ok::<u64, StoreError>(written)
            })
        })
        .collect();
    let mut written = 0;
    for client in clients {
        written += client.await.map_or(Ok(0), |written| written)?;
    }
    Ok((written, groups.load(Ordering::Relaxed).max(1)))
}

fn bare_loop(path: &Path, group: u64) -> std::io::Result<f64> {
    let mut file = File::create(path)?;
    file.set_len(64 << 20)?;
    file.sync_all()?;
    let rows = vec![7; usize::try_from(group).unwrap_or(1) * (VALUE_BYTES + 40)];
    let (start, mut written) = (Instant::now(), 0);
    while start.elapsed() < SPAN {
        file.write_all(&rows)?;
        file.sync_data()?;
        written += group;
    }
    Ok(per_second(written, start.elapsed()))
}

async fn gets(store: &Store) -> Result<f64, StoreError> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let end = Instant::now() + SPAN;
    let readers: Vec<_> = (0..cores as u64)
        .map(|reader| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut read = 0;
                while Instant::now() < end {
                    for n in 0..100 {
                        let key = &Key::of("bench").u64((reader + n) % CLIENTS).u64(n % 50);
                        store.read(|tx| async move { tx.get(key).await }).await?;
                    }
                    read += 100;
                    tokio::task::yield_now().await;
                }
                Ok::<u64, StoreError>(read)
            })
        })
        .collect();
    let mut read = 0;
    for reader in readers {
        read += reader.await.map_or(Ok(0), |read| read)?;
    }
    Ok(per_second(read, SPAN))
}

async fn read_modify_write(store: &Store) -> Result<f64, StoreError> {
    let end = Instant::now() + SPAN;
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut done = 0;
                while Instant::now() < end {
                    let key = &Key::of("bench").u64(client).u64(done % 50);
                    store
                        .write(|tx| async move {
                            let before = tx.get(key).await?.unwrap_or_default();
                            tx.put(key, before)
                        })
                        .await?;
                    done += 1;
                }
                Ok::<u64, StoreError>(done)
            })
        })
        .collect();
    let mut done = 0;
    for client in clients {
        done += client.await.map_or(Ok(0), |done| done)?;
    }
    Ok(per_second(done, SPAN))
}

/// Lets another process write 100,000 rows and abort, and opens what it left.
async fn reopen(folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let mut left = std::process::Command::new(std::env::current_exe()?).arg(FILL).arg(folder).spawn()?;
    left.wait()?;
    let again =
        timed("open, 100,000 rows after a crash", Store::open(folder, EmbeddedOptions::default())).await?;
    let key = &Key::of("bench").u64(99).u64(999);
    let found = timed("first get", again.read(|tx| async move { tx.get(key).await })).await?;
    found.map(drop).ok_or_else(|| "the last row is gone".into())
}

async fn fill_and_abort(folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let store = Store::open(folder, EmbeddedOptions::default()).await?;
    for batch in 0..100 {
        store
            .write(|tx| async move {
                let value = Bytes::from(vec![7; VALUE_BYTES]);
                (0..1_000).try_for_each(|n| tx.put(&Key::of("bench").u64(batch).u64(n), value.clone()))
            })
            .await?;
    }
    std::process::abort()
}

fn per_second(count: u64, span: Duration) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts of a few seconds fit a double")]
    let count = count as f64;
    count / span.as_secs_f64()
}

fn resident_kib() -> std::io::Result<String> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("?");
    Ok(line.trim().trim_end_matches(" kB").to_owned())
}
