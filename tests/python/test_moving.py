"""An installation moved between engines, kept in a file and made of it again."""

import base64
import copy
import hashlib
import os
import pathlib
import random
import re
import shutil
import subprocess
import threading
import time

import buckets
import postgres
import pytest

from conftest import PROGRAM, Homeport
from test_crash import Acknowledged, Load, check
from test_lambda import create, role

if pathlib.Path(PROGRAM).name == "nodes.py":
    pytest.skip("the places to move between are chosen here", allow_module_level=True)
SEVENFOLD = "def handler(event, context):\n    return 7 * event['n']\n"
SHA256 = re.compile(r"SHA-256 ([0-9a-f]{64})")


@pytest.fixture(scope="module")
def cluster():
    if postgres.programs() is None:
        pytest.skip("SKIPPED: PostgreSQL is not installed")
    with postgres.running(**postgres.FAST) as running:
        yield running


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A stopped installation with users, items, objects, a function and some 30 MB; and what was acknowledged."""
    server, acknowledged = Homeport(tmp_path_factory.mktemp("filled")), Acknowledged()
    server.start()
    load = Load(server, acknowledged).prepare()
    function = create(server.client("lambda"), role(server.client("iam")), SEVENFOLD)
    items = server.client("dynamodb")
    for number in range(60):
        key, text = f"big-{number}", os.urandom(150_000).hex()
        items.put_item(TableName="acknowledged", Item={"id": {"S": key}, "text": {"S": text}})
        acknowledged.items[key] = text
    load.run(seconds=2)
    assert acknowledged.items and acknowledged.objects and acknowledged.users, acknowledged.counts()
    return server, acknowledged, function


def run(*words, check=True, environment=None):
    own = {**os.environ, **(environment or {})}
    done = subprocess.run([PROGRAM, *map(str, words)], capture_output=True, text=True, timeout=120, env=own)
    assert not check or done.returncode == 0, done.stderr
    return done


def refused(*words, environment=None):
    done = run(*words, check=False, environment=environment)
    assert done.returncode == 1 and not done.stdout, done
    return done.stderr


def opened(folder, like):
    """A server on a copy of an installation, with the key of the first."""
    server = Homeport(folder.parent, name=folder.name)
    shutil.copy(f"{like.data}.key", f"{folder}.key")
    server.pool, server.app = like.pool, like.app
    return server.start()


def on_database(tmp_path, url, blobs, like, environment=None):
    """A server on a database, not started, with the key of the first."""
    shared = ("--store", url, "--blobs", str(blobs), "--key-file", f"{like.data}.key")
    server = Homeport(tmp_path, "--console", "off", name="node", shared=shared, environment=environment)
    server.pool, server.app = like.pool, like.app
    return server


def compare(place, filled):
    """Starts a server on a folder, or is given one, and looks for all that the first one acknowledged."""
    first, acknowledged, function = filled
    server = place.start() if isinstance(place, Homeport) else opened(place, first)
    try:
        check(server, acknowledged)
        answer = server.client("lambda").invoke(FunctionName=function, Payload=b'{"n": 6}')
        assert answer["Payload"].read() == b"42"
    finally:
        server.stop()


def folder_for(cluster, tmp_path, name):
    """A new database, and a folder for its blobs."""
    blobs = tmp_path / name
    blobs.mkdir()
    return cluster.url(cluster.database()), blobs


def test_a_move_to_postgres_and_back_brings_everything(filled, cluster, tmp_path):
    first, _, _ = filled
    url, blobs = folder_for(cluster, tmp_path, "blobs")
    there = run("move", "--from", first.data, "--to", url, "--to-blobs", blobs)
    assert "Copying rows" in there.stderr
    back = run("move", "--from", url, "--from-blobs", blobs, "--to", tmp_path / "back")
    assert SHA256.search(there.stdout)[1] == SHA256.search(back.stdout)[1]
    compare(tmp_path / "back", filled)
    compare_source = tmp_path / "source"
    shutil.copytree(first.data, compare_source)
    compare(compare_source, filled)


def test_blobs_go_into_a_bucket_and_come_back(filled, cluster, tmp_path):
    first, _, _ = filled
    with buckets.running() as there:
        place, settings = f"s3://{there.bucket('homeport')}/one", there.settings
        url = cluster.url(cluster.database())
        run("move", "--from", first.data, "--to", url, "--to-blobs", place, environment=settings)
        assert "one/installation" in there.keys("homeport")
        compare(on_database(tmp_path, url, place, first, settings), filled)
        other = Homeport(tmp_path, "--console", "off", name="other").start()
        other.stop()
        to = ["--to", cluster.url(cluster.database()), "--to-blobs", place]
        assert "is not empty" in refused("move", "--from", other.data, *to, environment=settings)
        assert "blobs.access_key_id" in refused("move", "--from", first.data, *to)
        back = ["move", "--from", url, "--from-blobs", place, "--to", tmp_path / "back"]
        run(*back, environment=settings)
    compare(tmp_path / "back", filled)


def has_schema(cluster, url):
    asked = "SELECT count(*) FROM information_schema.schemata WHERE schema_name = 'homeport'"
    return int(cluster.sql(asked, url.rsplit("/", 1)[1])) > 0


def test_a_database_in_use_is_not_moved_and_one_without_a_store_stays_as_it_is(filled, cluster, tmp_path):
    url, blobs = folder_for(cluster, tmp_path, "blobs")
    away = ["move", "--from", url, "--from-blobs", blobs, "--to", tmp_path / "away"]
    assert "holds no installation" in refused(*away)
    key = f"{filled[0].data}.key"
    assert "there is no data" in refused("credentials", "--store", url, "--key-file", key)
    assert not has_schema(cluster, url)
    run("move", "--from", filled[0].data, "--to", url, "--to-blobs", blobs)
    assert has_schema(cluster, url)
    server = on_database(tmp_path, url, blobs, filled[0]).start()
    try:
        assert "1 other processes use" in refused(*away)
    finally:
        server.stop()
    run(*away)
    compare(tmp_path / "away", filled)


def killed_until_done(command, delays, between=lambda: None):
    """Runs a command and kills it, each time a little later, until it comes to its end; how often it was killed, and what
    was said then. Nothing was, where the last kill came between the end and the word of it: as `between` finds, or as the
    next run says, which then leaves what is there for the caller to compare."""
    kills = 0
    for delay in delays:
        process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            out, err = process.communicate(timeout=delay)
            if kills and "holds an installation already" in err:
                return kills, None
            assert process.returncode == 0, err
            return kills, out
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            kills += 1
            if between():
                return kills, None
    raise AssertionError("it never came to its end")


def delays():
    delay = 0.05
    while delay < 30:
        yield delay
        delay *= 1.3


def test_a_killed_move_goes_on_and_nothing_starts_on_half_of_it(filled, cluster, tmp_path):
    first, _, _ = filled
    url, blobs = folder_for(cluster, tmp_path, "blobs")
    marks = []

    def look():
        rows = cluster.sql("SELECT to_regclass('homeport.rows')", url.rsplit("/", 1)[1]).strip()
        if rows:
            marks.append(int(cluster.sql("SELECT count(*) FROM homeport.rows", url.rsplit("/", 1)[1])))

    kills, out = killed_until_done(
        [PROGRAM, "move", "--from", first.data, "--to", url, "--to-blobs", blobs], delays(), look
    )
    assert kills >= 3 and any(marks), (kills, marks)
    back = tmp_path / "back"

    def serve():
        # Before the first blob there is nothing yet, and a server would rightly begin there.
        if any(path.is_file() and path.name != "installation" for path in (back / "blobs").rglob("*")):
            outcome = starts(back)
            marks.append(outcome)
            assert outcome != "started"
            return outcome == "whole"

    command = [PROGRAM, "move", "--from", url, "--from-blobs", blobs, "--to", back]
    kills, again = killed_until_done(command, delays(), serve)
    assert kills >= 3 and "refused" in marks, (kills, marks)
    assert again is None or SHA256.search(out)[1] == SHA256.search(again)[1]
    compare(back, filled)


def starts(folder):
    """What becomes of a server on a folder without its key: refused for lack of an installation, or for the key's."""
    command = [PROGRAM, "serve", "--data", str(folder), "--listen", "127.0.0.1:0", "--console", "127.0.0.1:0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        _, err = process.communicate(timeout=3)
        if "no installation" in err:
            return "refused"
        assert "is sealed under a master key" in err, err
        return "whole"
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return "started"


def test_a_place_that_is_taken_or_in_use_is_refused(filled, cluster, tmp_path, fresh):
    first, _, _ = filled
    other = fresh()
    in_use = refused("move", "--from", other.data, "--to", tmp_path / "to")
    assert "held by another Homeport" in in_use
    other.stop()
    assert "holds an installation already" in refused("move", "--from", first.data, "--to", other.data)
    blobs = tmp_path / "blobs"
    (blobs / "s3/ab/cd").mkdir(parents=True)
    (blobs / "s3/ab/cd" / ("abcd" + "0" * 28)).write_text("another installation's")
    url = cluster.url(cluster.database())
    assert "is not empty" in refused("move", "--from", first.data, "--to", url, "--to-blobs", blobs)
    assert "--to-blobs" in refused("move", "--from", first.data, "--to", url)
    assert "no installation" in refused("move", "--from", tmp_path / "none", "--to", tmp_path / "to")
    assert not (tmp_path / "none").exists()


@pytest.fixture(scope="module")
def backup(filled, tmp_path_factory):
    file = tmp_path_factory.mktemp("kept") / "backup"
    said = run("backup", file, "--data", filled[0].data).stdout
    return file, said


def forms_of(key_file):
    """A master key as it lies in its file, and in what else it might be written."""
    text = pathlib.Path(key_file).read_text().strip()
    key = base64.b64decode(text)
    assert len(key) == 32
    return [text.encode(), key, key.hex().encode()]


def test_a_backup_holds_all_but_the_key_and_says_so(filled, backup, tmp_path):
    file, said = backup
    key = f"{filled[0].data}.key"
    assert "The master key is not in it" in said and key in said
    assert file.stat().st_mode & 0o777 == 0o600
    assert not list(file.parent.glob("*.partial"))
    content = file.read_bytes()
    assert not [form for form in forms_of(key) if form in content]
    assert "is there already" in refused("backup", file, "--data", filled[0].data)
    run("restore", file, "--data", tmp_path / "restored")
    assert "holds an installation already" in refused("restore", file, "--data", tmp_path / "restored")
    compare(tmp_path / "restored", filled)


def test_an_altered_or_cut_backup_is_refused_before_anything_is_written(backup, tmp_path):
    file, _ = backup
    content, bad, to = file.read_bytes(), tmp_path / "bad", tmp_path / "to"
    length = len(content)
    places = [0, 17, 30, length // 2, length - 1, length - 40, *random.Random(1).sample(range(length), 6)]
    for place in places:
        altered = bytearray(content)
        altered[place] ^= 1 << place % 8
        bad.write_bytes(altered)
        said = refused("restore", bad, "--data", to)
        assert re.search("damaged|no backup|of format|newer", said), (place, said)
    for cut in (0, 10, length // 3, length - 1):
        bad.write_bytes(content[:cut])
        refused("restore", bad, "--data", to)
    bad.write_bytes(content + b"more")
    assert "damaged" in refused("restore", bad, "--data", to)
    assert not to.exists()
    run("restore", file, "--data", to)


def test_a_killed_restore_is_run_again(filled, backup, cluster, tmp_path):
    file, _ = backup
    to = tmp_path / "to"
    kills, _ = killed_until_done([PROGRAM, "restore", file, "--data", to], delays())
    assert kills >= 3
    compare(to, filled)


class Overwriting(Load):
    """A load that goes on until it is told to end."""

    def begin(self):
        works = [self.put_items, self.put_objects, self.put_objects, self.overwrite, self.sign_up]
        self.threads = [
            threading.Thread(target=self.until_told, args=(work(str(number)),)) for number, work in enumerate(works)
        ]
        self.told = threading.Event()
        for thread in self.threads:
            thread.start()

    def until_told(self, steps):
        try:
            for _ in steps:
                if self.told.is_set():
                    return
        except Exception as error:
            self.wrong.append(repr(error))

    def overwrite(self, _):
        """Each put removes the blob of the one before, and each delete its own."""
        client = self.client("s3")
        for count in range(1_000_000):
            body = os.urandom(100_000)
            key = f"passing-{count % 7}"
            digest = hashlib.sha256(body).hexdigest()
            client.put_object(Bucket="acknowledged", Key=key, Body=body, Metadata={"sha256": digest})
            if count % 3 == 0:
                client.delete_object(Bucket="acknowledged", Key=key)
            yield

    def end(self):
        self.told.set()
        for thread in self.threads:
            thread.join()
        assert not self.wrong, self.wrong[0]


def test_a_backup_under_load_has_all_that_was_acknowledged_before_it(fresh, tmp_path, capsys):
    server, acknowledged = fresh(), Acknowledged()
    load = Overwriting(server, acknowledged)
    load.prepare()
    load.begin()
    time.sleep(2)
    for round_ in range(2):
        before = copy.deepcopy(acknowledged)
        file = tmp_path / f"backup{round_}"
        said = server.command("backup", str(file)).stdout
        assert "The master key is not in it" in said
        to = tmp_path / f"restored{round_}"
        run("restore", file, "--data", to)
        restored = opened(to, server)
        try:
            check(restored, before)
        finally:
            restored.stop()
        with capsys.disabled():
            print(f"\nin a backup under load: {before.counts()}")
    load.end()
    check(server, acknowledged)


def test_a_backup_of_nodes_under_load_is_restored_on_either_engine(filled, cluster, tmp_path):
    first, acknowledged, _ = filled
    url, blobs = folder_for(cluster, tmp_path, "blobs")
    run("move", "--from", first.data, "--to", url, "--to-blobs", blobs)
    server, acknowledged = on_database(tmp_path, url, blobs, first).start(), copy.deepcopy(acknowledged)
    try:
        load = Overwriting(server, acknowledged)
        load.begin()
        time.sleep(2)
        before = copy.deepcopy(acknowledged)
        file = tmp_path / "backup"
        said = run("backup", file, *server.place).stdout
        assert "The master key is not in it" in said and f"{first.data}.key" in said
        load.end()
        check(server, acknowledged)
    finally:
        server.stop()
    assert len(before.items) > len(filled[1].items) and len(before.objects) > len(filled[1].objects)
    assert not [form for form in forms_of(f"{first.data}.key") if form in file.read_bytes()]
    run("restore", file, "--data", tmp_path / "folder")
    compare(tmp_path / "folder", (first, before, filled[2]))
    there, there_blobs = folder_for(cluster, tmp_path, "there")
    key = ["--key-file", f"{first.data}.key"]
    run("restore", file, "--store", there, "--blobs", there_blobs, *key)
    assert "holds an installation already" in refused("restore", file, "--store", url, "--blobs", blobs, *key)
    (tmp_path / "second").mkdir()
    compare(on_database(tmp_path / "second", there, there_blobs, first), (first, before, filled[2]))
