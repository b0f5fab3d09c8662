"""Two functions of one server: neither reaches the other, its Runtime API, the console, or what Homeport keeps."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor

import conftest
import pytest
from test_lambda import answer, create, role

NOBODY = 65_534
ORDINARY = ["setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"]

# Stays awake while the other one looks around.
KEEPER = """
import os, resource, time
def handler(event, context):
    with open("/tmp/keepsake", "w") as kept:
        kept.write("kept by the keeper")
    if event.get("seconds"):
        time.sleep(event["seconds"])
    with open("/tmp/keepsake") as kept:
        said = {"kept": kept.read(), "task": sorted(os.listdir("/var/task")), "uid": os.getuid()}
    return said | {"data": resource.getrlimit(resource.RLIMIT_DATA)[0]}
"""
INTRUDER = """
import glob, os, socket, urllib.error, urllib.request
def read(path):
    try:
        with open(path, "rb") as file:
            return file.read(64).decode("latin-1")
    except OSError:
        return None
def get(url, proxies):
    try:
        return urllib.request.build_opener(urllib.request.ProxyHandler(proxies)).open(url, timeout=2).status
    except urllib.error.HTTPError as refused:
        return refused.code
    except OSError:
        return None
def signal(pid):
    try:
        os.kill(pid, 0)
        return True
    except OSError:
        return False
def handler(event, context):
    found = glob.glob("/proc/[0-9]*/cmdline")
    tops = event["folders"] + ["/tmp", "/var"]
    texts = [read(f"{folder}/{name}") for top in tops for folder, _, names in os.walk(top) for name in names]
    own = os.environ["AWS_LAMBDA_RUNTIME_API"]
    return {
        "keepsake": [text for text in texts if text and "keeper" in text],
        "processes": [read(path) for path in found if "keeper" in (read(path.replace("cmdline", "environ")) or "")],
        "homeport": [read(path) for path in found if "serve" in (read(path) or "") and "--data" in read(path)],
        "files": {path: read(path) for path in event["files"]},
        "direct": {url: get(url, {}) for url in event["urls"]},
        "proxied": {url: get(url, None) for url in event["urls"]},
        "server": signal(event["pid"]),
        "own": get(f"http://{own}/2018-06-01/runtime/none", {}) is not None,
        "endpoint": get(os.environ["AWS_ENDPOINT_URL"] + "/", {}) is not None,
    }
"""


def test_neither_function_reaches_the_other_nor_the_house(fresh):
    server = fresh()
    functions, arn = server.client("lambda", read_timeout=60), role(server.client("iam"))
    keeper, intruder = create(functions, arn, KEEPER), create(functions, arn, INTRUDER)
    error, before = answer(functions, keeper)
    assert error is None and before["kept"] == "kept by the keeper"
    held = json.loads((server.data / "server.json").read_text())
    console = "http://" + held["console"].removeprefix("http://")
    event = {
        "folders": [str(server.data), str(server.data.parent)],
        "files": [str(server.data / "server.json"), f"{server.data}.key", str(server.data / "store"), "/etc/shadow"],
        "urls": [f"{console}/", f"{console}/api/outbox", "http://169.254.169.254/latest/meta-data/"],
        "pid": server.process.pid,
    }
    with ThreadPoolExecutor(1) as beside:
        awake = beside.submit(answer, functions, keeper, {"seconds": 3})
        error, seen = answer(functions, intruder, event)
        error_beside, after = awake.result()
    assert error is None and error_beside is None, (seen, after)
    assert after == before
    assert seen["own"] and seen["endpoint"]
    assert (seen["keepsake"], seen["processes"], seen["homeport"]) == ([], [], [])
    assert set(seen["files"].values()) == {None}
    assert set(seen["direct"].values()) == {None}, seen["direct"]
    assert set(seen["proxied"].values()) <= {None, 403}, seen["proxied"]
    assert seen["server"] is False


def test_functions_run_for_an_ordinary_user_too(monkeypatch):
    """The other tests of functions run as who runs the tests; here that is root, and a server may be anybody's."""
    if os.getuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("the tests run as an ordinary user already")
    if subprocess.run([*ORDINARY, "/usr/bin/python3", "-c", ""], capture_output=True).returncode != 0:
        pytest.skip("SKIPPED functions of an ordinary user: /usr/bin/python3 is not there for everybody")
    with tempfile.TemporaryDirectory(prefix="homeport-ordinary-", dir="/tmp") as folder:
        os.chmod(folder, 0o711)
        program, home = pathlib.Path(folder) / "homeport", pathlib.Path(folder) / "home"
        command = [*ORDINARY, "env", "PATH=/usr/bin:/bin", f"HOME={home}", conftest.PROGRAM]
        program.write_text(f'#!/bin/sh\nexec {" ".join(command)} "$@"\n')
        program.chmod(0o755)
        home.mkdir()
        os.chown(home, NOBODY, NOBODY)
        monkeypatch.setattr(conftest, "PROGRAM", str(program))
        server = conftest.Homeport(home).start()
        try:
            functions = server.client("lambda")
            name = create(functions, role(server.client("iam")), KEEPER)
            assert answer(functions, name)[0] is None, server.log.read_text()
            error, found = answer(functions, name)
            assert error is None and found["kept"] == "kept by the keeper"
            # Nothing else bounds what it holds: twice the memory it asked for.
            assert found["data"] == 2 * 128 << 20
        finally:
            server.stop()
