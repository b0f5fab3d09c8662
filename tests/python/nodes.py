#!/usr/bin/env python3
"""The program as the tests call it, on several nodes: they start one server, and get two behind a balancer.

`serve --data FOLDER --listen ADDRESS …` makes a database for FOLDER (or finds the one it made), starts
HOMEPORT_TEST_NODES nodes on it, and a balancer at ADDRESS; the first node's folder is FOLDER, and only it has a console.
`demo` gets a second node and a balancer, and tells the balancer's address. Every other command asks the database.

    nodes.py run COMMAND…

runs tests so: HOMEPORT is then this file, on a PostgreSQL that ends with them.
"""

import argparse
import ctypes
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

import postgres

HERE = pathlib.Path(__file__).resolve()
# Names that begin with HOMEPORT_ are settings to the program, which refuses those that it doesn't know.
GIVEN = {name: os.environ.pop(f"HOMEPORT_TEST_{name}", None) for name in ("NODES", "ONE", "POSTGRES", "PRELOAD")}
PROGRAM = GIVEN["ONE"] or str(HERE.parents[2] / "target/release/homeport")
COUNT = int(GIVEN["NODES"] or 2)
ENDPOINT = re.compile(r"(The AWS endpoint:\s+)http://127\.0\.0\.1:(\d+)")
PR_SET_PDEATHSIG = 1


def die_with_parent():
    """Whoever kills this process kills its nodes."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def spawn(words, environment=(), **more):
    own = {**os.environ, **dict(environment)}
    return subprocess.Popen(list(map(str, words)), preexec_fn=die_with_parent, env=own, **more)


class Place:
    """What the nodes of one installation share, named after the first one's data folder."""

    def __init__(self, data):
        self.data = data
        self.note, self.blobs = pathlib.Path(f"{data}.database"), pathlib.Path(f"{data}.blobs")

    def url(self):
        if not self.note.exists():
            self.blobs.mkdir(parents=True)
            self.note.write_text(new_database())
        return self.note.read_text()

    def flags(self, number=0):
        """Those of a node: its own folder, and what it shares."""
        own = self.data if number == 0 else f"{self.data}.{number}"
        return ["--data", own, "--store", self.url(), "--blobs", self.blobs, "--key-file", f"{self.data}.key"]


def new_database():
    cluster = postgres.Running(int(GIVEN["POSTGRES"]))
    return cluster.url(cluster.database())


class Group:
    """Nodes that live and end together."""

    def __init__(self):
        self.nodes, self.ports, self.ending = [], [], False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.end)

    def add(self, port, words, **more):
        preload = {"LD_PRELOAD": GIVEN["PRELOAD"]} if GIVEN["PRELOAD"] else {}
        self.ports.append(port)
        self.nodes.append(spawn([PROGRAM, *words], preload, **more))

    def end(self, *_):
        self.ending = True
        for node in self.nodes:
            node.terminate()

    def lives(self):
        return not self.ending and all(node.poll() is None for node in self.nodes)

    def wait_until_ready(self):
        while self.lives() and not all(map(is_ready, self.ports)):
            time.sleep(0.02)

    def balance(self, port):
        words = [sys.executable, HERE.with_name("balancer.py"), port, *self.ports]
        self.balancer = spawn(words, stdin=subprocess.PIPE)
        while self.lives() and not is_ready(port):
            time.sleep(0.02)

    def wait(self):
        """Until one node has ended and then all; gives a code that is not 0 if there is one."""
        while self.lives():
            time.sleep(0.02)
        self.end()
        return max((node.wait() for node in self.nodes), key=abs)


def is_ready(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_homeport/ready", timeout=2) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def serve(place, arguments, words):
    group = Group()
    os.environ.setdefault("HOMEPORT_LISTEN_PUBLIC_URL", f"http://{arguments.listen}")
    for number in range(COUNT):
        port = postgres.free_port()
        console = arguments.console if number == 0 else "off"
        own = ["--listen", f"127.0.0.1:{port}", *(["--console", console] if console else [])]
        group.add(port, ["serve", *place.flags(number), *own, *words])
    # Nobody is let in before all are ready.
    group.wait_until_ready()
    group.balance(arguments.listen.rpartition(":")[2])
    return group.wait()


def demo(words):
    """`homeport demo` starts a server of its own: others join it once its address is told."""
    group, url, front = Group(), new_database(), postgres.free_port()
    blobs = pathlib.Path.cwd() / "blobs"
    blobs.mkdir(exist_ok=True)
    shared = {"HOMEPORT_STORE": url, "HOMEPORT_BLOBS_PLACE": str(blobs)}
    first = spawn([PROGRAM, "demo", *words], shared, stdout=subprocess.PIPE, text=True)
    group.nodes.append(first)
    for line in first.stdout:
        if told := ENDPOINT.search(line):
            group.ports.append(int(told[2]))
            join(group, url, blobs, pathlib.Path.cwd() / ".demo" / told[2] / "data")
            group.balance(front)
            line = ENDPOINT.sub(rf"\g<1>http://127.0.0.1:{front}", line)
        print(line, end="", flush=True)
    return group.wait()


def join(group, url, blobs, data):
    place = Place(data)
    place.note.write_text(url)
    place.blobs.symlink_to(blobs)
    for number in range(1, COUNT):
        port = postgres.free_port()
        own = ["--listen", f"127.0.0.1:{port}", "--console", "off"]
        group.add(port, ["serve", *place.flags(number), *own], stdout=subprocess.DEVNULL)
    group.wait_until_ready()


def tests(command):
    """Runs the command on nodes, and gives its code."""
    # Whoever ends this leaves no database behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with postgres.running(**postgres.FAST) as cluster:
        nodes = {
            "HOMEPORT": str(HERE),
            "HOMEPORT_TEST_ONE": os.environ.get("HOMEPORT", PROGRAM),
            "HOMEPORT_TEST_NODES": str(COUNT),
            "HOMEPORT_TEST_POSTGRES": str(cluster.port),
        }
        return subprocess.call(command, env={**os.environ, **nodes})


def without_preload():
    """A clock or a disk that is only the program's is not this one's."""
    if library := os.environ.pop("LD_PRELOAD", None):
        given = {f"HOMEPORT_TEST_{name}": value for name, value in GIVEN.items() if value}
        own = {**os.environ, **given, "HOMEPORT_TEST_PRELOAD": library}
        os.execve(sys.executable, [sys.executable, *sys.argv], own)


def main(words):
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for flag in ("--data", "--listen", "--console"):
        parser.add_argument(flag)
    arguments, others = parser.parse_known_args(words)
    if words[:1] == ["run"]:
        return tests(words[1:])
    if words[:1] == ["demo"]:
        return demo(words[1:])
    if arguments.data and arguments.listen:
        return serve(Place(arguments.data), arguments, others[1:])
    # Whatever is not on an installation goes to the program as it is.
    place = Place(arguments.data).flags() if arguments.data else []
    os.execv(PROGRAM, [PROGRAM, *(others if place else words), *map(str, place)])


if __name__ == "__main__":
    without_preload()
    sys.exit(main(sys.argv[1:]))
