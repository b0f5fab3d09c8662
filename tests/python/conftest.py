"""One running Homeport for the tests that share one, and a way to start others.

Every server listens on a free loopback port, keeps its data in a temporary folder, and is stopped by its own
process id.
"""

import json
import os
import pathlib
import socket
import subprocess
import time
import urllib.error
import urllib.request

import boto3
import pytest
from botocore.config import Config

PROGRAM = os.environ.get("HOMEPORT", str(pathlib.Path(__file__).parents[2] / "target/release/homeport"))
REGION = "us-east-1"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Homeport:
    """A running server, its address and its administrator's keys."""

    def __init__(self, folder, *flags, environment=None):
        self.data = pathlib.Path(folder) / "data"
        self.flags = flags
        self.environment = environment or {}
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = pathlib.Path(folder) / "server.log"
        self.process = None

    def start(self):
        command = [PROGRAM, "serve", "--data", str(self.data), "--listen", f"127.0.0.1:{self.port}", *self.flags]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, env={**os.environ, **self.environment}
            )
        deadline = time.time() + 20
        while time.time() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"homeport ended at once:\n{self.log.read_text()}")
            try:
                with urllib.request.urlopen(f"{self.url}/_homeport/ready", timeout=2) as answer:
                    if answer.status == 200:
                        return self
            except (urllib.error.URLError, OSError):
                time.sleep(0.02)
        raise RuntimeError(f"homeport was not ready in time:\n{self.log.read_text()}")

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
        return subprocess.run(
            [PROGRAM, *words, "--data", str(self.data)], check=check, capture_output=True, text=True, timeout=60
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
def admin(homeport):
    """Clients of the administrator, one per service."""
    made = {}

    def client(service):
        if service not in made:
            made[service] = homeport.client(service)
        return made[service]

    return client
