"""Two nodes on one database, each reached by its own address."""

import pathlib
import time

from conftest import Homeport


class Pair:
    """Nodes A and B; by `keys` each may have a key file of its own."""

    def __init__(self, folder, url, environment=None, keys=("key", "key")):
        self.folder, self.url = pathlib.Path(folder), url
        (self.folder / "blobs").mkdir()
        self.nodes = [self.node(name, key, environment) for name, key in zip(("a", "b"), keys)]
        self.a, self.b = self.nodes

    def node(self, name, key="key", environment=None):
        """Another node, not started."""
        shared = ["--store", self.url, "--blobs", str(self.folder / "blobs"), "--key-file", str(self.folder / key)]
        made = Homeport(self.folder, "--console", "off", environment=environment, name=name, shared=shared)
        made.log = self.folder / f"{name}.log"
        return made

    def start(self):
        """Both at the same moment."""
        for node in self.nodes:
            node.spawn()
        for node in self.nodes:
            node.wait_until_ready()
        return self

    def stop(self):
        for node in self.nodes:
            node.stop()


def within(seconds, holds):
    """How long it took until `holds` did; fails when it took longer."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds, f"not within {seconds} s"
        time.sleep(0.005)
    return time.monotonic() - began
