//! A network between a node and its database that fails in the ways networks do.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{broadcast, watch};
use tokio::time::{Instant, sleep_until};

/// How long a cut connection still takes questions, in which commits take effect whose answer nobody hears.
const DEAF_FOR: Duration = Duration::from_millis(30);

/// What doesn't pass, though nobody is told.
#[derive(Clone, Copy, Default)]
struct Silence {
    /// Nothing does.
    whole: bool,
    /// What the connections up to this one say doesn't.
    forgotten: u64,
    /// The last connection's number.
    last: u64,
}

/// A way to the database. It can be cut, at any byte and in either direction, or fall silent without a word.
pub(crate) struct Proxy {
    port: u16,
    cuts: broadcast::Sender<()>,
    silence: watch::Sender<Silence>,
}

impl Proxy {
    pub(crate) async fn before(database: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (cuts, silence) = (broadcast::channel(16).0, watch::channel(Silence::default()).0);
        let (cutting, silencing) = (cuts.clone(), silence.clone());
        tokio::spawn(async move {
            let mut number = 0;
            while let Ok((client, _)) = listener.accept().await {
                number += 1;
                silencing.send_modify(|silence| silence.last = number);
                let Ok(server) = TcpStream::connect(("127.0.0.1", database)).await else { continue };
                tokio::spawn(pass_on(number, client, server, cutting.subscribe(), silencing.subscribe()));
            }
        });
        Self { port, cuts, silence }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Ends all connections.
    pub(crate) fn cut(&self) {
        // Nobody may be connected.
        let _ = self.cuts.send(());
    }

    /// Nothing passes any more, and nobody is told.
    pub(crate) fn silence(&self) {
        self.silence.send_modify(|silence| silence.whole = true);
    }

    /// What was said meanwhile passes now.
    pub(crate) fn speak(&self) {
        self.silence.send_modify(|silence| silence.whole = false);
    }

    /// Only new connections pass; nobody is told of those before.
    pub(crate) fn forget(&self) {
        self.silence
            .send_modify(|silence| *silence = Silence { whole: false, forgotten: silence.last, ..*silence });
    }
}

/// Until it is cut: then questions go through for a moment longer, and no answer does.
async fn pass_on(
    number: u64,
    mut client: TcpStream,
    mut server: TcpStream,
    mut cut: broadcast::Receiver<()>,
    mut silence: watch::Receiver<Silence>,
) {
    let (mut asked, mut answered) = (vec![0; 16 << 10], vec![0; 16 << 10]);
    let mut ends = None;
    loop {
        let now = *silence.borrow_and_update();
        let speaks = !now.whole && number > now.forgotten;
        let over = async {
            match ends {
                Some(ends) => sleep_until(ends).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            read = client.read(&mut asked), if speaks => match read {
                Ok(read) if read > 0 => if server.write_all(&asked[..read]).await.is_err() { return },
                _ => return,
            },
            read = server.read(&mut answered), if speaks && ends.is_none() => match read {
                Ok(read) if read > 0 => if client.write_all(&answered[..read]).await.is_err() { return },
                _ => return,
            },
            _ = cut.recv(), if ends.is_none() => ends = Some(Instant::now() + DEAF_FOR),
            changed = silence.changed() => if changed.is_err() { return },
            () = over => return,
        }
    }
}
