//! A network namespace with a loopback device and the listeners that the parent, outside, will accept on.

use std::net::{SocketAddr, TcpListener};

use super::step::{Failure, step};
use crate::raw;

pub(super) fn listen(addresses: &[SocketAddr]) -> Result<Vec<TcpListener>, Failure> {
    step("bring up loopback", raw::bring_loopback_up())?;
    addresses.iter().map(|address| step("listen inside", TcpListener::bind(address))).collect()
}
