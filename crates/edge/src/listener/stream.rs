use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use super::activity::Activity;
use super::framing::Framing;
use super::lingering::Lingering;

/// The first bytes of HTTP/2 on a plain connection (RFC 9113 section 3.4): no HTTP/1.1 method begins so.
const HTTP2_START: &[u8; 3] = b"PRI";

/// A connection's bytes, plain or out of TLS; the requests of HTTP/1.1 are checked as they pass.
pub(crate) struct Stream {
    wire: Wire,
    /// Bytes that were read to tell the protocol, and not handed on yet.
    peeked: Vec<u8>,
    strict: Strict,
    activity: Arc<Activity>,
    /// Set once the last answer is sent, where its request is still coming.
    lingering: Option<Lingering>,
}

enum Wire {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

enum Strict {
    /// HTTP/2 frames itself.
    Unneeded,
    Reading(Framing),
    /// Something ambiguous came: hyper was given a byte that it refuses, gets the end of a head, and no more.
    Ended {
        head_end: &'static [u8],
    },
}

/// The protocol that a connection speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    Http2,
}

impl Stream {
    /// A plain connection; its first bytes tell the protocol.
    pub(crate) async fn plain(mut tcp: TcpStream, activity: Arc<Activity>) -> io::Result<(Self, Protocol)> {
        let mut peeked = Vec::with_capacity(HTTP2_START.len());
        while peeked.len() < HTTP2_START.len() && HTTP2_START.starts_with(&peeked) {
            match tcp.read_u8().await {
                Ok(byte) => peeked.push(byte),
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break,
                Err(error) => return Err(error),
            }
        }
        let protocol = if peeked == HTTP2_START { Protocol::Http2 } else { Protocol::Http1 };
        Ok((Self::new(Wire::Plain(tcp), peeked, protocol, activity), protocol))
    }

    /// A connection out of TLS; its ALPN tells the protocol.
    pub(crate) fn tls(tls: TlsStream<TcpStream>, activity: Arc<Activity>) -> (Self, Protocol) {
        let protocol = match tls.get_ref().1.alpn_protocol() {
            Some(b"h2") => Protocol::Http2,
            _ => Protocol::Http1,
        };
        (Self::new(Wire::Tls(Box::new(tls)), Vec::new(), protocol, activity), protocol)
    }

    fn new(wire: Wire, peeked: Vec<u8>, protocol: Protocol, activity: Arc<Activity>) -> Self {
        let strict = match protocol {
            Protocol::Http1 => Strict::Reading(Framing::new()),
            Protocol::Http2 => Strict::Unneeded,
        };
        Self { wire, peeked, strict, activity, lingering: None }
    }

    /// Pings keep the bytes of HTTP/2 moving when nothing is asked; what counts there are its requests and answers.
    fn moved(&self) {
        if !matches!(self.strict, Strict::Unneeded) {
            self.activity.moved();
        }
    }

    /// Looks at what came. Where it is ambiguous, hyper gets all before it and then a NUL, which it answers with
    /// 400 (in a head) or a failed body, closing the connection; what follows is never answered.
    fn check(&mut self, buf: &mut ReadBuf<'_>, from: usize) {
        let Strict::Reading(framing) = &mut self.strict else { return };
        match framing.push(&buf.filled()[from..]) {
            Ok(()) => self.activity.in_head(framing.in_head()),
            Err(ambiguous) => {
                let at = from + ambiguous.at;
                buf.filled_mut()[at] = 0;
                buf.set_filled(at + 1);
                self.strict = Strict::Ended { head_end: b"\r\n\r\n" };
                self.activity.in_head(false);
            }
        }
    }
}

impl Stream {
    /// Whether a request has begun to come and its end has not.
    fn amid_request(&self) -> bool {
        match &self.strict {
            Strict::Unneeded => false,
            Strict::Reading(framing) => framing.amid_request(),
            Strict::Ended { .. } => true,
        }
    }

    /// Takes the rest of the request and forgets it: until its end, the client's, or the end of patience.
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut room = [0; 8_192];
        loop {
            let lingering = self.lingering.get_or_insert_with(Lingering::new);
            let mut buf = ReadBuf::new(&mut room);
            match self.wire.poll_read(cx, &mut buf) {
                Poll::Pending => return lingering.poll_over(cx),
                Poll::Ready(Ok(())) if !buf.filled().is_empty() => lingering.heard(),
                Poll::Ready(_) => return Poll::Ready(()),
            }
            if lingering.poll_over(cx).is_ready() {
                return Poll::Ready(());
            }
            self.check(&mut buf, 0);
            if !self.amid_request() {
                return Poll::Ready(());
            }
        }
    }
}

impl Wire {
    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(tcp) => Pin::new(tcp).poll_read(cx, buf),
            Self::Tls(tls) => Pin::new(tls).poll_read(cx, buf),
        }
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Self::Tls(tls) => Pin::new(tls).poll_shutdown(cx),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Strict::Ended { head_end } = &mut self.strict {
            let (now, later) = head_end.split_at(head_end.len().min(buf.remaining()));
            buf.put_slice(now);
            *head_end = later;
            return Poll::Ready(Ok(()));
        }
        let from = buf.filled().len();
        if self.peeked.is_empty() {
            ready!(self.wire.poll_read(cx, buf))?;
        } else {
            let length = self.peeked.len().min(buf.remaining());
            buf.put_slice(&self.peeked[..length]);
            self.peeked.drain(..length);
        }
        self.moved();
        self.check(buf, from);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(match &mut self.wire {
            Wire::Plain(tcp) => Pin::new(tcp).poll_write(cx, buf),
            Wire::Tls(tls) => Pin::new(tls).poll_write(cx, buf),
        })?;
        self.moved();
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(match &mut self.wire {
            Wire::Plain(tcp) => Pin::new(tcp).poll_write_vectored(cx, bufs),
            Wire::Tls(tls) => Pin::new(tls).poll_write_vectored(cx, bufs),
        })?;
        self.moved();
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        match &self.wire {
            Wire::Plain(tcp) => tcp.is_write_vectored(),
            Wire::Tls(tls) => tls.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.wire {
            Wire::Plain(tcp) => Pin::new(tcp).poll_flush(cx),
            Wire::Tls(tls) => Pin::new(tls).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.lingering.is_none() {
            ready!(self.wire.poll_shutdown(cx))?;
            if !self.amid_request() {
                return Poll::Ready(Ok(()));
            }
        }
        self.poll_linger(cx).map(Ok)
    }
}
