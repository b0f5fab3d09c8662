//! What there is to attack: a data folder with its key, sockets of every kind, and this process as Homeport.

use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener};
use std::path::{Path, PathBuf};

pub(crate) struct Victim {
    pub(crate) folder: PathBuf,
    pub(crate) tcp: TcpListener,
    pub(crate) udp: UdpSocket,
    abstract_name: String,
    _unix: UnixListener,
    _unix_datagram: UnixDatagram,
    _abstract: UnixListener,
}

impl Victim {
    pub(crate) fn stand() -> Self {
        let name = format!("homeport-attacks-{}", std::process::id());
        let folder = std::env::temp_dir().join(&name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("data")).expect("data");
        for (file, text) in [("DATA.key", "the master key"), ("data/store", "the store")] {
            let path = folder.join(file);
            fs::write(&path, text).expect("write");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("mode");
        }
        for function in ["code", "neighbour"] {
            fs::create_dir_all(folder.join("data").join(function)).expect("code");
        }
        let code = folder.join("data/code");
        fs::write(code.join("attack.py"), include_str!("attack.py")).expect("write");
        fs::write(code.join("bomb.py"), include_str!("bomb.py")).expect("write");
        fs::write(code.join("hog.py"), include_str!("hog.py")).expect("write");
        fs::write(code.join("hello.mjs"), include_str!("hello.mjs")).expect("write");
        fs::write(folder.join("data/neighbour/code.py"), "import time\ntime.sleep(60)\n").expect("write");
        fs::set_permissions(folder.join("data"), fs::Permissions::from_mode(0o700)).expect("mode");
        let abstract_address = SocketAddr::from_abstract_name(&name).expect("name");
        Self {
            tcp: TcpListener::bind("127.0.0.1:0").expect("tcp"),
            udp: UdpSocket::bind("127.0.0.1:0").expect("udp"),
            _unix: UnixListener::bind(folder.join("unix")).expect("unix"),
            _unix_datagram: UnixDatagram::bind(folder.join("unix-datagram")).expect("unix datagram"),
            _abstract: UnixListener::bind_addr(&abstract_address).expect("abstract"),
            abstract_name: name,
            folder,
        }
    }

    pub(crate) fn code(&self) -> PathBuf {
        self.folder.join("data/code")
    }

    pub(crate) fn neighbour_code(&self) -> PathBuf {
        self.folder.join("data/neighbour")
    }

    /// What the attacking function is told, so that it needs no luck.
    pub(crate) fn target(&self, tmp: &Path, alone: bool, neighbour: i32, neighbour_api: u16) -> String {
        serde_json::json!({
            "pid": std::process::id(),
            "key": self.folder.join("DATA.key"),
            "store": self.folder.join("data/store"),
            "data": self.folder.join("data"),
            "neighbour_code": self.neighbour_code().join("code.py"),
            "neighbour": neighbour,
            "neighbour_api": neighbour_api,
            "tcp": self.tcp.local_addr().expect("address").port(),
            "udp": self.udp.local_addr().expect("address").port(),
            "unix": self.folder.join("unix"),
            "unix_datagram": self.folder.join("unix-datagram"),
            "abstract": self.abstract_name,
            "tmp": tmp,
            "alone": alone,
        })
        .to_string()
    }

    /// Whatever was tried, this is as it was.
    pub(crate) fn is_unharmed(&self) -> bool {
        let mode =
            |path: &str| fs::metadata(self.folder.join(path)).expect("stat").permissions().mode() & 0o777;
        fs::read_to_string(self.folder.join("DATA.key")).is_ok_and(|text| text == "the master key")
            && fs::read_to_string(self.folder.join("data/store")).is_ok_and(|text| text == "the store")
            && mode("DATA.key") == 0o600
            && fs::read_dir(self.folder.join("data")).expect("list").count() == 3
            && fs::read_dir(self.code()).expect("list").count() == 4
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}
