use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::{TcpListener, TcpSocket};

use crate::config::{Config, ConsoleAddress};
use crate::error::ProgramError;

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1_024;
const CONSOLE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 4567);
const ANY_LOOPBACK: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// The addresses of a server, taken but not yet listening: nobody gets in before the server is ready.
pub(crate) struct Sockets {
    pub(crate) public: Vec<Taken>,
    /// The console's, or one for commands alone where that is off.
    pub(crate) console: Taken,
    pub(crate) has_console: bool,
    pub(crate) functions: Taken,
}

/// An address that is taken.
pub(crate) struct Taken {
    /// As it was configured.
    pub(crate) configured: SocketAddr,
    /// With the port it got.
    pub(crate) address: SocketAddr,
    socket: TcpSocket,
}

impl Taken {
    fn take(configured: SocketAddr) -> io::Result<Self> {
        let socket = if configured.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // Without it a port is refused for a minute after its server went; with it, a free port could be given twice.
        socket.set_reuseaddr(configured.port() != 0)?;
        socket.bind(configured)?;
        Ok(Self { configured, address: socket.local_addr()?, socket })
    }

    /// Lets connections in.
    pub(crate) fn listen(self, flag: &'static str) -> Result<TcpListener, ProgramError> {
        let (address, listening) = (self.address, self.socket.listen(BACKLOG));
        listening.map_err(|error| refused(address, flag, error))
    }
}

impl Sockets {
    /// Takes all addresses that the configuration names.
    pub(crate) fn take(config: &Config) -> Result<Self, ProgramError> {
        let take = |address, flag| Taken::take(address).map_err(|error| refused(address, flag, error));
        let public = config.listen.addresses.iter().map(|address| take(*address, "--listen"));
        let public = public.collect::<Result<Vec<_>, _>>()?;
        let functions = take(config.listen.functions, "listen.functions")?;
        let (console, has_console) = match config.listen.console {
            ConsoleAddress::At(address) => (take(address, "--console")?, true),
            ConsoleAddress::Default => (default_console()?, true),
            ConsoleAddress::Off => (take(ANY_LOOPBACK, "--console")?, false),
        };
        Ok(Self { public, console, has_console, functions })
    }

    /// The URL by which programs on this machine reach the first address.
    pub(crate) fn endpoint(&self) -> String {
        self.public.first().map(|taken| endpoint_of(taken.address)).unwrap_or_default()
    }
}

fn default_console() -> Result<Taken, ProgramError> {
    // Bound alone is not listening: whether it is really free shows only when it listens.
    let free = std::net::TcpListener::bind(CONSOLE).is_ok();
    let found = if free { Taken::take(CONSOLE) } else { Taken::take(ANY_LOOPBACK) };
    let taken = found.or_else(|_| Taken::take(ANY_LOOPBACK));
    let taken = taken.map_err(|error| refused(CONSOLE, "--console", error))?;
    if taken.address != CONSOLE {
        eprintln!("{CONSOLE} is taken: the console is at http://{}", taken.address);
    }
    Ok(taken)
}

fn refused(address: SocketAddr, flag: &'static str, source: io::Error) -> ProgramError {
    match source.kind() {
        ErrorKind::AddrInUse => ProgramError::PortTaken { address, flag, hint: hint(address) },
        _ => ProgramError::Listen { address, source },
    }
}

/// LocalStack's port is often LocalStack's.
fn hint(address: SocketAddr) -> String {
    if address.port() == 4566 { " (another Homeport, or LocalStack)".to_owned() } else { String::new() }
}

/// `http://` for an address of this machine, as plain HTTP is refused elsewhere; loopback for a wildcard.
pub(crate) fn endpoint_of(address: SocketAddr) -> String {
    let ip = match address.ip() {
        IpAddr::V4(v4) if v4.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(v6) if v6.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    let scheme = if ip.is_loopback() { "http" } else { "https" };
    format!("{scheme}://{}", SocketAddr::new(ip, address.port()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_an_address_that_can_be_called() {
        for (address, endpoint) in [
            ("0.0.0.0:4566", "http://127.0.0.1:4566"),
            ("[::]:443", "http://[::1]:443"),
            ("192.0.2.7:443", "https://192.0.2.7:443"),
        ] {
            assert_eq!(endpoint_of(address.parse().unwrap()), endpoint);
        }
    }

    #[tokio::test]
    async fn a_taken_port_is_told() {
        let held = Taken::take(ANY_LOOPBACK).unwrap();
        let address = held.address;
        let _listening = held.listen("--listen").unwrap();
        let error = Taken::take(address).err().map(|error| refused(address, "--listen", error)).unwrap();
        assert!(error.to_string().contains(&format!("{address} is taken")), "{error}");
        assert!(error.to_string().contains("--listen"), "{error}");
    }
}
