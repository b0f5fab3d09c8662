"""Nodes and databases that go, under load: nothing acknowledged is lost, nothing is applied twice, and service resumes.

Once each, twenty times with PROVE=1; a standby, which takes its time to be made, half as often.
"""

import contextlib
import os
import time

import postgres
import pytest
from bad_network import BadNetwork
from books import Books, Load, compare
from pairs import Pair, within
from test_attempts import told

ROUNDS = 20 if "PROVE" in os.environ else 1
RESUMES_WITHIN, REFUSES_WITHIN = 10, 5
NOT_READY_WITHIN = 5


@pytest.fixture(scope="module")
def flushing():
    """A PostgreSQL that flushes, as in production."""
    if not postgres.programs():
        pytest.skip("SKIPPED nodes and databases that go: PostgreSQL is not installed")
    with postgres.running() as running:
        yield running


@pytest.fixture
def durable(flushing):
    """The same, running again for the next test."""
    yield flushing
    flushing.start()


@pytest.fixture
def loaded(tmp_path):
    """Starts nodes at this URL under load; ends both."""
    started = []

    def start(url):
        nodes = Pair(tmp_path, url).start()
        started.append(nodes)
        load = Load(nodes.nodes).prepare().start()
        started.append(load)
        within(10, lambda: len(load.books.served) == len(nodes.nodes))
        time.sleep(0.5)
        return nodes, load

    yield start
    for one in reversed(started):
        one.stop()


@pytest.fixture
def shown(capsys):
    def show(what, load, slowest):
        text = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in slowest.items())
        with capsys.disabled():
            print(f"\n{what}: {load.books.counts()}; at most: {text}")

    return show


def test_the_comparison_sees_what_is_lost_and_what_is_there_twice():
    books = Books()
    books.acknowledged, books.unknown = {"put:w1", "append:w2", "add:w4"}, {"put:w5", "append:w6", "add:w8"}
    put, listed = {"w1": {}}, {"list-0": {"marks": {"L": [{"S": "w2"}]}}}
    total = {"counter-0": {"tally": {"N": "1"}}}
    compare(books, {**put, **listed, **total})
    compare(books, {**put, **listed, "counter-0": {"tally": {"N": "2"}}, "w5": {}})
    for lost in ({**listed, **total}, {**put, **total}, {**put, **listed}):
        with pytest.raises(AssertionError, match="lost|counter"):
            compare(books, lost)
    twice = {"list-0": {"marks": {"L": [{"S": "w2"}, {"S": "w2"}]}}}
    for more in ({**put, **twice, **total}, {**put, **listed, "counter-0": {"tally": {"N": "3"}}}):
        with pytest.raises(AssertionError, match="twice|counter"):
            compare(books, more)
    with pytest.raises(AssertionError, match="nobody"):
        compare(books, {**put, **listed, **total, "w9": {}})


def end(load):
    """Ends the load, and compares."""
    load.stop()
    assert load.books.acknowledged
    load.check()


class Slowest(dict):
    """The longest of each kind of wait, in seconds."""

    def note(self, name, seconds):
        self[name] = max(self.get(name, 0), seconds)


def serves_again(load, since):
    """How long after `since` every node had acknowledged a write."""
    within(RESUMES_WITHIN, lambda: all(load.books.served.get(node, 0) > since for node in load.nodes))
    return time.monotonic() - since


def is_away(load, slowest, seconds):
    """While the database is away calls are refused fast, and nodes say that they are not ready."""
    began, before = time.monotonic(), len(load.books.refused)
    for node in load.nodes:
        within(NOT_READY_WITHIN, lambda: node.ready()[0] == 503)
    slowest.note("not ready after", time.monotonic() - began)
    reads = [load.client(node) for node in load.nodes]
    asked = len(load.books.refused)
    while time.monotonic() - began < seconds:
        for client in reads:
            called = time.monotonic()
            said = told(lambda: client.get_item(TableName="books", Key={"id": {"S": "counter-0"}}))
            assert said is not None, "it was read from nowhere"
            slowest.note("read refused after", time.monotonic() - called)
    # Those that ran when it went are another matter than those that came after.
    for took, status, text in load.books.refused[asked:]:
        assert status == 503, (status, text)
        slowest.note("write refused after", took)
    assert len(load.books.refused) > before
    refusals = {name: seconds for name, seconds in slowest.items() if "refused" in name}
    assert max(refusals.values()) < REFUSES_WITHIN, refusals


def test_a_node_that_is_killed_leaves_the_other_going(durable, loaded, shown):
    nodes, load = loaded(durable.url(durable.database()))
    slowest = Slowest()
    for round_ in range(ROUNDS):
        gone, stays = (nodes.a, nodes.b) if round_ % 2 else (nodes.b, nodes.a)
        gone.kill()
        killed = time.monotonic()
        within(RESUMES_WITHIN, lambda: load.books.served[stays] > killed)
        slowest.note("the other goes on after", time.monotonic() - killed)
        time.sleep(0.5)
        assert stays.ready()[0] == 200
        gone.start()
        slowest.note("back after", serves_again(load, time.monotonic()))
    end(load)
    shown("a node killed", load, slowest)


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_database_that_is_stopped_and_started(durable, loaded, shown, mode):
    _, load = loaded(durable.url(durable.database()))
    slowest = Slowest()
    for _ in range(ROUNDS):
        durable.stop(mode)
        is_away(load, slowest, seconds=2)
        durable.start()
        slowest.note("resumed after", serves_again(load, time.monotonic()))
        within(RESUMES_WITHIN, lambda: all(node.ready()[0] == 200 for node in load.nodes))
        time.sleep(0.3)
    end(load)
    shown(f"the database stopped, {mode}", load, slowest)


def test_connections_that_are_cut_in_transactions_and_in_commits(durable, loaded, shown):
    slowest = Slowest()
    with BadNetwork(durable.port) as network:
        _, load = loaded(durable.url(durable.database(), port=network.port))
        for _ in range(ROUNDS):
            network.forget()
            network.bad = True
            time.sleep(4)
            within(30, lambda: all(network.cuts.values()))
            network.bad = False
            slowest.note("resumed after", serves_again(load, time.monotonic()))
        end(load)
    shown(f"connections cut, lastly {network.cuts}", load, slowest)


def test_a_standby_that_is_promoted(loaded, shown):
    if not postgres.programs():
        pytest.skip("SKIPPED a standby that is promoted: PostgreSQL is not installed")
    slowest, primary = Slowest(), postgres.Cluster()
    clusters = [primary]
    ports = [primary.port, postgres.free_port()]
    try:
        primary.make().start()
        database = primary.database()
        hosts = ",".join(f"127.0.0.1:{port}" for port in ports)
        _, load = loaded(f"postgres://{postgres.USER}@{hosts}/{database}")
        for round_ in range(max(1, ROUNDS // 2)):
            standby = primary.standby(ports[(round_ + 1) % 2])
            clusters.append(standby)
            within(20, primary.commits_wait)
            time.sleep(1)
            # Every other time the standby hangs before: longer than anybody's time-out, and nothing may be acknowledged.
            with standby.frozen() if round_ % 2 else contextlib.nullcontext():
                time.sleep(round_ % 2 * 7)
                primary.stop("immediate")
            is_away(load, slowest, seconds=1)
            standby.promote()
            slowest.note("resumed after", serves_again(load, time.monotonic()))
            clusters.remove(primary)
            primary.remove()
            primary = standby
        end(load)
    finally:
        for cluster in clusters:
            cluster.remove()
    shown("a standby promoted", load, slowest)
