"""An S3 cluster on this machine: moto's server."""

import contextlib
import os
import pathlib
import subprocess
import sys
import time
import urllib.error
import urllib.request

import boto3
from postgres import free_port

KEYS = {"access_key": "AKIABUCKET", "secret": "of-the-bucket"}


class Cluster:
    """A server that believes every signature, and what Homeport must know of it."""

    def __init__(self, port):
        self.endpoint = f"http://127.0.0.1:{port}"
        self.settings = {
            "HOMEPORT_BLOBS_ENDPOINT": self.endpoint,
            "HOMEPORT_BLOBS_ACCESS_KEY_ID": KEYS["access_key"],
            "HOMEPORT_BLOBS_SECRET_ACCESS_KEY": KEYS["secret"],
        }

    def client(self):
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=KEYS["access_key"],
            aws_secret_access_key=KEYS["secret"],
        )

    def bucket(self, name):
        self.client().create_bucket(Bucket=name)
        return name

    def keys(self, bucket):
        pages = self.client().get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def is_there(self):
        with contextlib.suppress(urllib.error.URLError, OSError):
            urllib.request.urlopen(f"{self.endpoint}/moto-api/", timeout=5).close()
            return True
        return False


@contextlib.contextmanager
def running():
    port = free_port()
    program = pathlib.Path(sys.executable).with_name("moto_server")
    own = {**os.environ, "INITIAL_NO_AUTH_ACTION_COUNT": "1000000"}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    server = subprocess.Popen([program, "-H", "127.0.0.1", "-p", str(port)], env=own, **quiet)
    try:
        cluster, deadline = Cluster(port), time.time() + 60
        while not cluster.is_there():
            assert server.poll() is None and time.time() < deadline, "moto_server doesn't answer"
            time.sleep(0.05)
        yield cluster
    finally:
        server.kill()
        server.wait()
