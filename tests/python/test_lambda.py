"""Functions by boto3: under their role, to the logs, and to nothing else."""

import io
import json
import os
import time
import uuid
import zipfile

import pytest
from botocore.exceptions import ClientError

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)
WHO = """
import boto3
def handler(event, context):
    print("asked", event["n"])
    return boto3.client("sts").get_caller_identity()["Arn"]
"""


def zipped(name, text):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(name, text)
    return packed.getvalue()


def role(iam, *actions):
    name = f"functions-{uuid.uuid4().hex[:8]}"
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    if actions:
        allowed = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        iam.put_role_policy(RoleName=name, PolicyName="allowed", PolicyDocument=document)
    return arn


def create(functions, role_arn, code, runtime="python3.12", file="index.py", **more):
    name = f"f-{uuid.uuid4().hex[:8]}"
    functions.create_function(
        FunctionName=name,
        Runtime=runtime,
        Role=role_arn,
        Handler="index.handler",
        Code={"ZipFile": zipped(file, code)},
        Timeout=30,
        **more,
    )
    functions.get_waiter("function_active_v2").wait(FunctionName=name)
    return name


def answer(functions, name, event=None):
    reply = functions.invoke(FunctionName=name, Payload=json.dumps(event or {}))
    return reply.get("FunctionError"), json.loads(reply["Payload"].read())


def test_a_function_acts_as_its_role_and_prints_to_the_logs(admin):
    functions, logs = admin("lambda"), admin("logs")
    name = create(functions, role(admin("iam")), WHO)
    error, who = answer(functions, name, {"n": 7})
    assert error is None, who
    assert who.endswith(f"/{name}") and ":assumed-role/functions-" in who
    deadline = time.time() + 10
    while time.time() < deadline:
        try:
            events = logs.filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
        except logs.exceptions.ResourceNotFoundException:
            events = []
        if any(event["message"].startswith("REPORT") for event in events):
            break
        time.sleep(0.1)
    lines = [event["message"] for event in events]
    starts = [line.split(" ")[0] for line in lines]
    assert starts[:3] == ["INIT_START", "START", "asked"] and "END" in starts and lines[2] == "asked 7"
    found = logs.filter_log_events(logGroupName=f"/aws/lambda/{name}", filterPattern='"asked 7" -REPORT')["events"]
    assert len(found) == 1


def test_the_sdk_for_javascript_is_there_for_modules_and_for_require(admin):
    functions = admin("lambda")
    arn = role(admin("iam"))
    ask = "(await new STSClient({}).send(new GetCallerIdentityCommand({}))).Arn"
    module = f"import {{ STSClient, GetCallerIdentityCommand }} from '@aws-sdk/client-sts'\nexport const handler = async () => {ask}"
    required = f"const {{ STSClient, GetCallerIdentityCommand }} = require('@aws-sdk/client-sts')\nexports.handler = async () => {ask}"
    for file, code in (("index.mjs", module), ("index.js", required)):
        name = create(functions, arn, code, runtime="nodejs22.x", file=file, MemorySize=256)
        error, who = answer(functions, name)
        assert error is None and who.endswith(f"/{name}"), who


def test_a_function_may_no_more_than_its_role(admin):
    functions = admin("lambda")
    code = """
import boto3
def handler(event, context):
    boto3.client("dynamodb").list_tables()
    try:
        boto3.client("iam").list_users()
    except Exception as refused:
        return refused.response["Error"]["Code"]
"""
    name = create(functions, role(admin("iam"), "dynamodb:ListTables"), code)
    assert answer(functions, name) == (None, "AccessDenied")


def test_a_function_reaches_neither_the_program_nor_its_files(homeport, admin):
    functions = admin("lambda")
    code = """
import os, urllib.error, urllib.request
def get(url):
    try:
        return urllib.request.urlopen(url, timeout=5).status
    except urllib.error.HTTPError as refused:
        return refused.code
    except OSError as refused:
        return "unreachable"
def read(path):
    try:
        return open(path, "rb").read(4).hex()
    except OSError:
        return "unreadable"
def handler(event, context):
    return {
        "health": get(os.environ["AWS_ENDPOINT_URL"] + "/_homeport/health"),
        "metadata": get("http://169.254.169.254/latest/meta-data/"),
        "key": read(event["key"]),
        "data": read(event["data"]),
        "server": read(f"/proc/{event['pid']}/environ"),
        "secrets": [name for name in os.environ if name.startswith("HOMEPORT_") and "PYTHON" not in name],
    }
"""
    name = create(functions, role(admin("iam")), code)
    event = {
        "key": str(homeport.data) + ".key",
        "data": str(homeport.data / "server.json"),
        "pid": homeport.process.pid,
    }
    error, found = answer(functions, name, event)
    assert error is None, found
    assert found["health"] in (403, 404) and found["metadata"] in (403, "unreachable")
    assert (found["key"], found["data"], found["server"]) == ("unreadable", "unreadable", "unreadable")
    assert found["secrets"] == []


def test_a_role_must_be_passed_and_trust_lambda(homeport, admin):
    iam = admin("iam")
    own = role(iam)
    user = f"builder-{uuid.uuid4().hex[:8]}"
    iam.create_user(UserName=user)
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "lambda:*", "Resource": "*"}]}
    iam.put_user_policy(UserName=user, PolicyName="builds", PolicyDocument=json.dumps(document))
    key = iam.create_access_key(UserName=user)["AccessKey"]
    builder = homeport.client("lambda", key["AccessKeyId"], key["SecretAccessKey"])
    with pytest.raises(ClientError) as refused:
        create(builder, own, WHO)
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
    stranger = iam.create_role(
        RoleName=f"others-{uuid.uuid4().hex[:8]}", AssumeRolePolicyDocument=TRUST.replace("lambda", "ec2")
    )["Role"]["Arn"]
    with pytest.raises(ClientError) as refused:
        create(admin("lambda"), stranger, WHO)
    assert refused.value.response["Error"]["Message"] == "The role defined for the function cannot be assumed by Lambda."


def test_none_survives_a_killed_server(fresh):
    server = fresh()
    functions = server.client("lambda")
    mark = uuid.uuid4().hex
    code = f"""
import subprocess
def handler(event, context):
    subprocess.Popen(["/bin/sh", "-c", ": {mark}; sleep 300; :"], start_new_session=True)
    return 1
"""
    assert answer(functions, create(functions, role(server.client("iam")), code)) == (None, 1)

    def standing():
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as line:
                    found += [pid] if mark.encode() in line.read() else []
            except OSError:
                pass
        return found

    assert standing()
    server.kill()
    deadline = time.time() + 10
    while standing() and time.time() < deadline:
        time.sleep(0.05)
    assert standing() == []
