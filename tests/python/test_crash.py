"""What was acknowledged is there after a kill and after a power cut, whatever was under way.

Five of each, fifty with PROVE=1, two hundred with FULL=1 besides; every round goes on with the folder of the one before.
"""

import hashlib
import os
import pathlib
import random
import shutil
import subprocess
import threading
import time

import pytest
from botocore import UNSIGNED
from botocore.exceptions import BotoCoreError, ClientError

from conftest import NODES, PROGRAM, Homeport

ROUNDS = (200 if "FULL" in os.environ else 50) if "PROVE" in os.environ else 5
OPENS_WITHIN_SECONDS = 10
LIBRARY = pathlib.Path(PROGRAM).parent / "examples/libpowercut.so"


class Acknowledged:
    """What the server said is done: items by key, objects by key, users."""

    def __init__(self):
        self.items, self.objects, self.users = {}, {}, set()

    def counts(self):
        return f"{len(self.items)} items, {len(self.objects)} objects, {len(self.users)} users"


class Load:
    """Threads that write to one server until it dies, and remember what it acknowledged."""

    def __init__(self, server, acknowledged):
        self.server, self.acknowledged = server, acknowledged
        self.own = server.credentials()
        self.dying = threading.Event()
        self.wrong = []

    def prepare(self):
        """Makes the table, the bucket and the pool that the load writes to."""
        tables, objects, pools = (self.client(name) for name in ("dynamodb", "s3", "cognito-idp"))
        tables.create_table(
            TableName="acknowledged",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        objects.create_bucket(Bucket="acknowledged")
        self.server.pool = pools.create_user_pool(PoolName="acknowledged")["UserPool"]["Id"]
        made = pools.create_user_pool_client(UserPoolId=self.server.pool, ClientName="app")
        self.server.app = made["UserPoolClient"]["ClientId"]
        return self

    def client(self, service, **config):
        return self.server.client(service, self.own["accessKeyId"], self.own["secretAccessKey"], **config)

    def run(self, seconds):
        """Loads the server for `seconds`, then kills it in the midst."""
        works = [self.put_items, self.put_items, self.put_objects, self.put_objects, self.sign_up]
        threads = [threading.Thread(target=self.until_death, args=(work, number)) for number, work in enumerate(works)]
        for thread in threads:
            thread.start()
        time.sleep(seconds)
        self.dying.set()
        assert self.server.process.poll() is None, "the server ended by itself"
        self.server.kill()
        for thread in threads:
            thread.join()
        assert not self.wrong, self.wrong[0]

    def until_death(self, work, number):
        try:
            for step in work(f"{time.monotonic_ns()}-{number}"):
                if self.dying.is_set() and self.server.process.poll() is not None:
                    return
        except (BotoCoreError, ClientError) as error:
            if not self.dying.is_set():
                self.wrong.append(f"{work.__name__}: {error}")

    def put_items(self, name):
        client = self.client("dynamodb")
        for count in range(1_000_000):
            key, text = f"{name}-{count}", os.urandom(random.randint(1, 400)).hex()
            client.put_item(TableName="acknowledged", Item={"id": {"S": key}, "text": {"S": text}})
            self.acknowledged.items[key] = text
            yield

    def put_objects(self, name):
        """New objects, and one that every thread overwrites. Each carries its own hash."""
        client = self.client("s3")
        for count in range(1_000_000):
            body = os.urandom(random.choice([0, 1, 4_000, 70_000, 400_000]))
            digest = hashlib.sha256(body).hexdigest()
            key = "overwritten" if count % 5 == 4 else f"{name}-{count}"
            client.put_object(Bucket="acknowledged", Key=key, Body=body, Metadata={"sha256": digest})
            if key != "overwritten":
                self.acknowledged.objects[key] = digest
            yield

    def sign_up(self, name):
        client = self.client("cognito-idp", signature_version=UNSIGNED)
        for count in range(1_000_000):
            user = f"{name}-{count}"
            try:
                client.sign_up(ClientId=self.server.app, Username=user, Password="Correct-Horse-1")
                self.acknowledged.users.add(user)
            except client.exceptions.TooManyRequestsException:
                time.sleep(0.05)
            yield


def objects_of(server):
    """Every object that is listed, with its content checked against the hash it carries."""
    client = server.client("s3")
    objects = {}
    for page in client.get_paginator("list_objects_v2").paginate(Bucket="acknowledged"):
        for entry in page.get("Contents", []):
            answer = client.get_object(Bucket="acknowledged", Key=entry["Key"])
            body = answer["Body"].read()
            digest = hashlib.sha256(body).hexdigest()
            assert len(body) == entry["Size"], f"{entry['Key']} is half"
            assert digest == answer["Metadata"]["sha256"], f"{entry['Key']} is not what was put"
            objects[entry["Key"]] = digest
    return objects


def items_of(server):
    pages = server.client("dynamodb").get_paginator("scan").paginate(TableName="acknowledged", ConsistentRead=True)
    return {item["id"]["S"]: item["text"]["S"] for page in pages for item in page["Items"]}


def users_of(server):
    pages = server.client("cognito-idp").get_paginator("list_users").paginate(UserPoolId=server.pool)
    return {user["Username"] for page in pages for user in page["Users"]}


def check(server, acknowledged):
    """Fails unless all that was acknowledged is there and nothing is half."""
    items, objects, users = items_of(server), objects_of(server), users_of(server)
    lost = [key for key, text in acknowledged.items.items() if items.get(key) != text]
    lost += [key for key, digest in acknowledged.objects.items() if objects.get(key) != digest]
    lost += acknowledged.users - users
    assert not lost, f"{len(lost)} lost, first {lost[0]}"


def open_again(server):
    """Starts the server; answers how long it took to answer a signed call."""
    begun = time.monotonic()
    server.start()
    ready = time.monotonic() - begun
    server.client("sts").get_caller_identity()
    return ready


def test_what_was_acknowledged_survives_a_kill(fresh, capsys):
    server, acknowledged = fresh(), Acknowledged()
    slowest = 0
    Load(server, acknowledged).prepare()
    for round_ in range(ROUNDS):
        before = acknowledged.counts()
        Load(server, acknowledged).run(seconds=0.8 + round_ % 5 * 0.3)
        assert acknowledged.counts() != before, "nothing was acknowledged, so nothing could be lost"
        slowest = max(slowest, open_again(server))
        check(server, acknowledged)
    assert acknowledged.items and acknowledged.objects and acknowledged.users, acknowledged.counts()
    assert slowest < OPENS_WITHIN_SECONDS
    with capsys.disabled():
        print(f"\nafter kills: {acknowledged.counts()}; ready after {slowest:.2f} s at most")


@pytest.fixture(scope="module")
def library():
    """The library that lets only what was synced survive."""
    if NODES > 1:
        pytest.skip("one node: what is synced is the embedded store's folder; of PostgreSQL's that is its own matter")
    workspace = pathlib.Path(__file__).parents[2]
    command = ["cargo", "build", "--release", "--locked", "-p", "homeport-powercut", "--example", "powercut"]
    if not LIBRARY.exists():
        try:
            subprocess.run(command, cwd=workspace, check=True, capture_output=True, text=True, timeout=900)
        except (OSError, subprocess.SubprocessError) as error:
            print(f"SKIPPED the power cut: {error}")
    if not LIBRARY.exists():
        pytest.skip(f"{LIBRARY} can't be built")
    return LIBRARY


class CutOff:
    """A server whose power is cut, and what the disk then holds: the data folder and the key beside it."""

    def __init__(self, folder, library, lies=False):
        self.folder, self.mirror = folder / "before", folder / "mirror"
        self.folder.mkdir(parents=True)
        self.after = folder / "after"
        environment = {"LD_PRELOAD": str(library), "MIRROR_FROM": str(self.folder), "MIRROR_TO": str(self.mirror)}
        if lies:
            environment["POWERCUT_LIES"] = "1"
        self.server = Homeport(self.folder, environment=environment)
        self.server.log = folder / "server.log"

    def start(self):
        """Starts it; commands that ask it run without the library."""
        self.server.start()
        return self.server

    def left(self):
        """A server on what the power cut left, at the address of the first."""
        left = self.mirror / "root"
        if left.exists():
            subprocess.run(["cp", "-rL", "--sparse=always", str(left), str(self.after)], check=True)
        self.after.mkdir(exist_ok=True)
        server = Homeport(self.after)
        key = self.after / "data.key"
        if key.exists():
            key.chmod(0o600)  # The mirror keeps contents and no modes.
        server.port, server.url = self.server.port, self.server.url
        server.pool, server.app = self.server.pool, self.server.app
        return server


def cut_power(folder, library, lies=False):
    """Loads a server for a second and cuts its power; gives what is left, and what was acknowledged."""
    cut, acknowledged = CutOff(folder, library, lies), Acknowledged()
    try:
        server = cut.start()
        Load(server, acknowledged).prepare().run(seconds=1 + random.random())
    finally:
        cut.server.stop()
    assert acknowledged.items and acknowledged.objects and acknowledged.users, acknowledged.counts()
    return cut.left(), acknowledged


def test_what_was_acknowledged_survives_a_power_cut(tmp_path, library, capsys):
    for round_ in range(ROUNDS):
        folder = tmp_path / str(round_)
        server, acknowledged = cut_power(folder, library)
        try:
            ready = open_again(server)
            check(server, acknowledged)
        finally:
            server.stop()
        with capsys.disabled():
            print(f"\nafter a power cut: {acknowledged.counts()}; ready after {ready:.2f} s")
        shutil.rmtree(folder)


def test_a_disk_that_lies_is_found_out(tmp_path, library):
    server, acknowledged = cut_power(tmp_path, library, lies=True)
    try:
        open_again(server)
        with pytest.raises((AssertionError, ClientError)):
            check(server, acknowledged)
    finally:
        server.stop()
