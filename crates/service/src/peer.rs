use std::net::{IpAddr, SocketAddr};

/// By which listener a call came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// The listener that apps and tools use.
    Public,
    /// The listener that functions use: AWS calls, pools' keys and deployed APIs, and nothing of the program's own.
    Functions,
    /// The console's own listener.
    Console,
}

/// The other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The TCP peer.
    pub address: SocketAddr,
    /// The client behind trusted proxies (security decision 24); the TCP peer's address without any.
    pub client: IpAddr,
    /// Whether the client spoke TLS, to us or to a trusted proxy.
    pub secure: bool,
    /// By which listener.
    pub via: Via,
}
