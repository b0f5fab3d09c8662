"""A PostgreSQL of one's own, in a folder that goes with it."""

import contextlib
import glob
import itertools
import os
import pathlib
import pwd
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile

# Distributions keep the server's programs out of the path; the newest version is taken.
FOLDERS = [*glob.glob("/usr/lib/postgresql/*/bin"), "/usr/local/bin", "/usr/bin"]
USER = "homeport"
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
# A standby's must not be lower than its primary's.
CONNECTIONS = {"max_connections": "300"}


def programs():
    """The folder with the server's programs; none where it isn't installed."""
    there = [pathlib.Path(folder) for folder in FOLDERS if pathlib.Path(folder, "initdb").exists()]
    return max(there, key=lambda folder: [int(part) for part in folder.parts if part.isdigit()], default=None)


def free_port():
    """One for a server that wants a number, also when it starts again: the kernel hands out those from 32768 on to
    whoever asks for any, as source of a connection too."""
    while True:
        port = random.randrange(12000, 32000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def run(name, *words, check=True):
    """Runs one of the server's programs, which refuse root."""
    switch = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    command = [*switch, str(programs() / name), *map(str, words)]
    # A server that is started keeps what it was given open: it must not be a pipe that somebody waits for.
    with tempfile.TemporaryFile() as said:
        done = subprocess.run(command, cwd="/", stdin=subprocess.DEVNULL, stdout=said, stderr=said, timeout=120)
        said.seek(0)
        text = said.read().decode()
    assert not check or done.returncode == 0, f"{command}: {text}"
    return text


class Running:
    """A server that somebody started at this port."""

    names = itertools.count()

    def __init__(self, port):
        self.port = port

    def sql(self, text, database="postgres"):
        """Runs SQL; gives its rows as text."""
        return run("psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", self.url(database), "-c", text)

    def database(self):
        """A new database's name."""
        # Unique among all who use this server.
        name = f"d{os.getpid()}_{next(self.names)}"
        self.sql(f"CREATE DATABASE {name}")
        return name

    def url(self, database, *, port=None):
        return f"postgres://{USER}@127.0.0.1:{port or self.port}/{database}"


class Cluster(Running):
    """One server on a loopback port; `settings` are PostgreSQL's own."""

    def __init__(self, **settings):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="homeport-postgres-"))
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
        self.data, self.log = self.folder / "data", self.folder / "log"
        super().__init__(free_port())
        self.settings = {**CONNECTIONS, **settings}

    def make(self):
        run("initdb", "-D", self.data, "-A", "trust", "-U", USER, "-E", "UTF8", "--no-sync")
        return self

    def start(self):
        if (self.data / "postmaster.pid").exists():
            return self
        own = {"listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": self.folder}
        given = {**own, **self.settings}.items()
        options = " ".join(f"-c {name}={value}" for name, value in given)
        run("pg_ctl", "start", "-w", "-D", self.data, "-l", self.log, "-o", options)
        return self

    def stop(self, mode="immediate"):
        if (self.data / "postmaster.pid").exists():
            run("pg_ctl", "stop", "-w", "-D", self.data, "-m", mode)

    def remove(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def standby(self, port):
        """A standby of this one, running at this port; from now on this one's commits wait for it."""
        other = Cluster(**self.settings)
        other.port = port
        source = f"host=127.0.0.1 port={self.port} user={USER} application_name=standby"
        # Copied before this one's configuration changes: once promoted it must wait for nobody.
        run("pg_basebackup", "-D", other.data, "-R", "-N", "-c", "fast", "-d", source)
        other.start()
        self.sql("ALTER SYSTEM SET synchronous_standby_names = 'standby'")
        self.sql("SELECT pg_reload_conf()")
        return other

    def commits_wait(self):
        """Whether they wait for a standby."""
        return self.sql("SELECT sync_state FROM pg_stat_replication").strip() == "sync"

    @contextlib.contextmanager
    def frozen(self):
        """All its processes are stopped meanwhile, as on a machine that hangs."""
        first = int((self.data / "postmaster.pid").read_text().split()[0])
        others = pathlib.Path(f"/proc/{first}/task/{first}/children").read_text().split()
        processes = [first, *map(int, others)]
        signal_all(processes, signal.SIGSTOP)
        try:
            yield
        finally:
            signal_all(processes, signal.SIGCONT)

    def promote(self):
        run("pg_ctl", "promote", "-w", "-D", self.data)


def signal_all(processes, number):
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, number)


def dump(url):
    """All that a database holds, with its binary values as they are."""
    text = run("pg_dump", "-d", url).encode()
    return re.sub(rb"\\\\x([0-9a-f]*)", lambda found: bytes.fromhex(found[1].decode()), text)


@contextlib.contextmanager
def running(**settings):
    cluster = Cluster(**settings)
    try:
        yield cluster.make().start()
    finally:
        cluster.remove()
