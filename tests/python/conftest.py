"""One running Homeport for the tests that share one, and a way to start others.

Every server listens on a free loopback port, keeps its data in a temporary folder, and is stopped by its own
process id. By `nodes.py run` every server is several nodes on PostgreSQL behind a balancer.
"""

import json
import os
import pathlib
import subprocess
import time
import urllib.error
import urllib.request

import boto3
import postgres
import pytest
from botocore.config import Config
from postgres import free_port

PROGRAM = os.environ.get("HOMEPORT", str(pathlib.Path(__file__).parents[2] / "target/release/homeport"))
REGION = "us-east-1"
NODES = int(os.environ.get("HOMEPORT_TEST_NODES", "1"))
# What is not tried behind the balancer, and why.
ONE_NODE = {
    "test_crash": "it tries the embedded store; what nodes on PostgreSQL survive, test_node_faults tries",
    "test_functions_apart": "it looks into one process and its folder",
    "test_haproxy": "it has its own nodes",
    "test_nodes": "it has its own nodes",
    "test_node_faults": "it has its own nodes",
}


def pytest_collection_modifyitems(items):
    for item in items:
        if NODES > 1 and item.module.__name__ in ONE_NODE:
            item.add_marker(pytest.mark.skip(reason=f"one node: {ONE_NODE[item.module.__name__]}"))


class Homeport:
    """A running server, its address and its administrator's keys."""

    def __init__(self, folder, *flags, environment=None, name="data", shared=()):
        self.data = pathlib.Path(folder) / name
        # What commands need too.
        self.place = ["--data", str(self.data), *shared]
        self.flags = flags
        self.environment = environment or {}
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = pathlib.Path(folder) / "server.log"
        self.process = None

    def start(self):
        return self.spawn().wait_until_ready()

    def spawn(self):
        command = [PROGRAM, "serve", *self.place, "--listen", f"127.0.0.1:{self.port}", *self.flags]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, env={**os.environ, **self.environment}
            )
        return self

    def wait_until_ready(self):
        deadline = time.time() + 20
        while time.time() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"homeport ended at once:\n{self.log.read_text()}")
            if self.ready()[0] == 200:
                return self
            time.sleep(0.02)
        raise RuntimeError(f"homeport was not ready in time:\n{self.log.read_text()}")

    def ready(self):
        """Status and words of what a balancer asks; none where nobody answers."""
        try:
            with urllib.request.urlopen(f"{self.url}/_homeport/ready", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()
        except OSError:
            return None, ""

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                self.kill()
                raise

    def command(self, *words, check=True):
        # Its settings; a clock that was moved is the server's alone.
        settings = {name: value for name, value in self.environment.items() if name.startswith("HOMEPORT_")}
        return subprocess.run(
            [PROGRAM, *words, *self.place],
            check=check,
            capture_output=True,
            text=True,
            timeout=60,
            env={**os.environ, **settings},
        )

    def credentials(self):
        return json.loads(self.command("credentials", "--format", "json").stdout)

    def client(self, service, key=None, secret=None, token=None, region=REGION, **config):
        if key is None:
            own = self.credentials()
            key, secret = own["accessKeyId"], own["secretAccessKey"]
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=region,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            aws_session_token=token,
            config=Config(retries={"total_max_attempts": 1}, **config),
        )

    def code(self, to):
        return self.command("outbox", "--to", to, "--last", "--code").stdout.strip()


@pytest.fixture(scope="session")
def homeport(tmp_path_factory):
    server = Homeport(tmp_path_factory.mktemp("homeport")).start()
    yield server
    server.stop()


@pytest.fixture
def fresh(tmp_path):
    """Starts further servers, each in a folder of its own, and stops them."""
    started = []

    def start(*flags, environment=None, name="fresh"):
        folder = tmp_path / f"{name}{len(started)}"
        folder.mkdir()
        server = Homeport(folder, *flags, environment=environment)
        started.append(server)
        return server.start()

    yield start
    for server in started:
        server.stop()


@pytest.fixture(scope="session")
def cluster():
    """A PostgreSQL for tests that start nodes of their own."""
    if not postgres.programs():
        pytest.skip("SKIPPED several nodes: PostgreSQL is not installed")
    with postgres.running(**postgres.FAST) as running:
        yield running


@pytest.fixture(scope="session")
def admin(homeport):
    """Clients of the administrator, one per service."""
    made = {}

    def client(service):
        if service not in made:
            made[service] = homeport.client(service)
        return made[service]

    return client
