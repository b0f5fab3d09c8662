use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use tokio::io::{AsyncRead, AsyncReadExt};

const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
const HEAD: usize = 16;
/// The most that may follow the head: two addresses and some TLVs.
const MOST_BYTES: usize = 2_048;
const PP2_TYPE_SSL: u8 = 0x20;
const PP2_CLIENT_SSL: u8 = 0x01;

/// What a proxy says of the connection it passes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Proxied {
    /// The client; none where the proxy speaks for itself (a health check).
    pub(crate) client: Option<IpAddr>,
    /// Whether the client spoke TLS to the proxy.
    pub(crate) tls: bool,
}

/// Reads the header of the PROXY protocol, version 2 (HAProxy's proxy-protocol.txt, section 2.2), and no byte more.
pub(crate) async fn read_header<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<Proxied> {
    let mut head = [0; HEAD];
    stream.read_exact(&mut head).await?;
    let length = usize::from(u16::from_be_bytes([head[14], head[15]]));
    if head[..12] != SIGNATURE || head[12] >> 4 != 2 || length > MOST_BYTES {
        return Err(malformed());
    }
    let mut rest = vec![0; length];
    stream.read_exact(&mut rest).await?;
    match head[12] & 0x0f {
        0 => Ok(Proxied { client: None, tls: false }),
        1 => proxied(head[13], &rest),
        _ => Err(malformed()),
    }
}

fn proxied(family: u8, rest: &[u8]) -> io::Result<Proxied> {
    let (client, addresses): (Option<IpAddr>, usize) = match family {
        0x11 => (rest.first_chunk::<4>().map(|bytes| Ipv4Addr::from(*bytes).into()), 12),
        0x21 => (rest.first_chunk::<16>().map(|bytes| Ipv6Addr::from(*bytes).into()), 36),
        _ => return Err(malformed()),
    };
    let extensions = rest.get(addresses..).ok_or_else(malformed)?;
    Ok(Proxied { client, tls: spoke_tls(extensions) })
}

fn spoke_tls(mut extensions: &[u8]) -> bool {
    while let [kind, high, low, rest @ ..] = extensions {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let Some((value, next)) = rest.split_at_checked(length) else { return false };
        if *kind == PP2_TYPE_SSL {
            return value.first().is_some_and(|client| client & PP2_CLIENT_SSL != 0);
        }
        extensions = next;
    }
    false
}

fn malformed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "no PROXY protocol header of version 2")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
        [SIGNATURE.as_slice(), &[0x20 | command, family], &length, rest].concat()
    }

    async fn read(bytes: &[u8]) -> Option<(Proxied, usize)> {
        let mut stream = bytes;
        let read = read_header(&mut stream).await.ok()?;
        Some((read, stream.len()))
    }

    #[tokio::test]
    async fn the_client_behind_a_proxy_is_known() {
        let addresses = [198, 51, 100, 9, 10, 0, 0, 1, 0xc0, 0, 0x11, 0x5e];
        let mut bytes = header(1, 0x11, &addresses);
        bytes.extend_from_slice(b"GET /");
        let expected = Proxied { client: Some("198.51.100.9".parse().unwrap()), tls: false };
        assert_eq!(read(&bytes).await, Some((expected, 5)));
        let with_tls = [&addresses[..], &[0x04, 0, 1, 0], &[PP2_TYPE_SSL, 0, 5, 1, 0, 0, 0, 0]].concat();
        assert_eq!(read(&header(1, 0x11, &with_tls)).await.unwrap().0, Proxied { tls: true, ..expected });
        let mut v6 = [0; 36];
        v6[..4].copy_from_slice(&[0x20, 0x01, 0x0d, 0xb8]);
        assert_eq!(read(&header(1, 0x21, &v6)).await.unwrap().0.client, Some("2001:db8::".parse().unwrap()));
    }

    #[tokio::test]
    async fn a_proxys_own_check_has_no_client() {
        let expected = Proxied { client: None, tls: false };
        assert_eq!(read(&header(0, 0, &[])).await, Some((expected, 0)));
    }

    #[tokio::test]
    async fn what_is_no_header_is_refused() {
        assert_eq!(read(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await, None);
        assert_eq!(read(b"PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n").await, None);
        assert_eq!(read(&header(1, 0x11, &[0; 11])).await, None);
        assert_eq!(read(&header(1, 0x31, &[0; 216])).await, None);
        assert_eq!(read(&header(2, 0x11, &[0; 12])).await, None);
        assert_eq!(read(&header(1, 0x11, &[0; 4_096])).await, None);
        assert_eq!(read(&header(1, 0x11, &[0; 12])[..20]).await, None);
    }
}
