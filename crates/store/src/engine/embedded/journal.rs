//! The torn end of a journal.
//!
//! A power cut while a group is being flushed may leave any of its pages unwritten, so that they read as zeros.
//! fjall cuts such a group off where a zero stands for a marker, but takes zeros inside a value for damage and
//! refuses to open. The group was never acknowledged if it is the last one: it is cut off here.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::xxh3_64;

const START: u8 = 1;
const ITEM: u8 = 2;
const END: u8 = 3;
const START_BYTES: usize = 1 + 4 + 8;
const ITEM_HEAD_BYTES: usize = 1 + 1 + 1 + 8 + 2 + 4 + 4;
const END_BYTES: usize = 1 + 8 + 4;

/// Cuts off the last group of the newest journal in `data`, if its checksum is wrong and nothing stands behind
/// it; says whether it did.
pub(super) fn cut_torn_group(data: &Path) -> io::Result<bool> {
    let Some(path) = newest(data)? else { return Ok(false) };
    let bytes = fs::read(&path)?;
    let Some((start, end)) = first_wrong_group(&bytes) else { return Ok(false) };
    if bytes[end..].iter().any(|&byte| byte != 0) {
        return Ok(false);
    }
    let file = File::options().write(true).open(&path)?;
    file.set_len(start as u64)?;
    file.sync_all()?;
    Ok(true)
}

fn newest(data: &Path) -> io::Result<Option<PathBuf>> {
    let mut newest = None;
    for entry in fs::read_dir(data)? {
        let path = entry?.path();
        let number =
            path.file_name().and_then(|name| name.to_str()?.strip_suffix(".jnl")?.parse::<u64>().ok());
        newest = newest.max(number.map(|number| (number, path)));
    }
    Ok(newest.map(|(_, path)| path))
}

/// Where the first group whose checksum is wrong begins and ends; `None` when there is none before the
/// journal's readable end.
fn first_wrong_group(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut start = 0;
    loop {
        let (end, is_right) = group(bytes, start)?;
        if !is_right {
            return Some((start, end));
        }
        start = end;
    }
}

/// The end of the group at `start`, and whether its checksum is right.
fn group(bytes: &[u8], start: usize) -> Option<(usize, bool)> {
    if *bytes.get(start)? != START {
        return None;
    }
    let items = start + START_BYTES;
    let mut at = items;
    while *bytes.get(at)? == ITEM {
        let head = bytes.get(at..at + ITEM_HEAD_BYTES)?;
        let key = u16::from_le_bytes([head[11], head[12]]);
        let value = u32::from_le_bytes([head[17], head[18], head[19], head[20]]);
        at += ITEM_HEAD_BYTES + usize::from(key) + usize::try_from(value).ok()?;
    }
    let end = bytes.get(at..at + END_BYTES).filter(|end| end[0] == END)?;
    let expected = end[1..9].try_into().map(u64::from_le_bytes).ok()?;
    Some((at + END_BYTES, xxh3_64(&bytes[items..at]) == expected))
}
