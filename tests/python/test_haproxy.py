"""Two nodes behind HAProxy, by the configuration that docs/operations.md shows: nobody notices that each is restarted."""

import pathlib
import re
import shutil
import subprocess
import time

import pytest
from books import Load
from conftest import Homeport, free_port
from pairs import Pair, within

CONFIGURATION = pathlib.Path(__file__).with_name("haproxy.cfg")
BEHIND = {"HOMEPORT_LISTEN_DRAIN_SECONDS": "5", "HOMEPORT_LISTEN_TRUSTED_PROXIES": "127.0.0.1"}


@pytest.fixture
def nodes(cluster, tmp_path):
    made = Pair(tmp_path, cluster.url(cluster.database()), environment=BEHIND).start()
    yield made
    made.stop()


@pytest.fixture
def front(nodes, tmp_path):
    """The first node as it is reached by HAProxy."""
    program = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")
    if not program:
        pytest.skip("SKIPPED nodes behind HAProxy: it is not installed")
    made = Homeport(tmp_path)
    made.place = nodes.a.place
    text = re.sub(r"bind .*", f"bind 127.0.0.1:{made.port}", CONFIGURATION.read_text())
    for name, node in zip("ab", nodes.nodes):
        text = re.sub(rf"server {name} .*", f"server {name} 127.0.0.1:{node.port}", text)
    file = tmp_path / "haproxy.cfg"
    file.write_text(text)
    with open(made.log, "ab") as log:
        process = subprocess.Popen([program, "-db", "-f", str(file)], stdout=log, stderr=log)
    try:
        within(10, lambda: made.ready()[0] == 200)
        yield made
    finally:
        process.kill()
        process.wait()


def test_nobody_notices_that_one_node_after_the_other_is_restarted(nodes, front, capsys):
    load = Load([front]).prepare().start()
    try:
        for node in nodes.nodes:
            within(10, lambda: load.books.served)
            node.stop()
            before = time.monotonic()
            within(5, lambda: load.books.served[front] > before)
            node.start()
            # HAProxy has asked it again before the other goes.
            time.sleep(2.5)
    finally:
        load.stop()
    load.check()
    assert load.books.refused == [], load.books.refused[0]
    with capsys.disabled():
        print(f"\nboth nodes restarted behind HAProxy: {load.books.counts()}")
