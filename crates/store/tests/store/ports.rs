//! Ports for the servers that tests start.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};

/// A loopback port for a server that wants a number. The kernel hands out ports from 32768 on to whoever asks for any,
/// as source of a connection too; a lower one is still free when the server starts, and when it starts again.
pub(crate) fn lasting_port() -> u16 {
    const PORTS: std::ops::Range<u32> = 12_000..32_000;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let place = std::process::id() * 61 + NEXT.fetch_add(1, Ordering::Relaxed);
        let port = (PORTS.start + place % PORTS.len() as u32) as u16;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
