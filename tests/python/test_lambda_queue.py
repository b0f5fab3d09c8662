"""Events that nobody waits for: run for whoever queued them, if they still may when it comes to it."""

import json
import time
import uuid

import pytest
from botocore.exceptions import ClientError

from test_lambda import TRUST, create, role, zipped

SAYS = "def handler(event, context):\n    print('event', event['n'])"
TRUSTS_OTHERS = TRUST.replace("lambda.amazonaws.com", "ec2.amazonaws.com")


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


ALLOWED = document({"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "*"})


def a_role(homeport, invoker):
    """A role of this name that the account may take on, and that may invoke."""
    iam = homeport.client("iam")
    account = homeport.client("sts").get_caller_identity()["Account"]
    trust = document(
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"}
    )
    arn = iam.create_role(RoleName=invoker, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    iam.put_role_policy(RoleName=invoker, PolicyName="own", PolicyDocument=ALLOWED)
    return arn


def session(homeport, arn, **narrowed):
    keys = homeport.client("sts").assume_role(RoleArn=arn, RoleSessionName="queues", **narrowed)["Credentials"]
    return homeport.client("lambda", keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])


def queue(functions, name, n):
    reply = functions.invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps({"n": n}))
    assert reply["StatusCode"] == 202


def said(homeport, name):
    try:
        events = homeport.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
    except ClientError:
        return set()
    return {int(event["message"].split()[1]) for event in events if event["message"].startswith("event ")}


def wait_for(homeport, name, n):
    deadline = time.time() + 30
    while n not in said(homeport, name):
        assert time.time() < deadline, f"{name} never said {n}"
        time.sleep(0.2)


def test_a_queued_event_runs_for_a_role_only_while_it_still_may(homeport, admin):
    iam, functions = admin("iam"), admin("lambda")
    runs_as = role(iam).rsplit("/", 1)[1]
    arn = f"arn:aws:iam::{admin('sts').get_caller_identity()['Account']}:role/{runs_as}"
    name, remade = create(functions, arn, SAYS), create(functions, arn, SAYS)
    # No event runs while the function's own role can't be taken on: those queued now wait.
    iam.update_assume_role_policy(RoleName=runs_as, PolicyDocument=TRUSTS_OTHERS)
    mark = uuid.uuid4().hex[:8]
    roles = {word: a_role(homeport, f"{word}-{mark}") for word in ("keeps", "loses", "again")}
    narrow = document({"Effect": "Allow", "Action": "lambda:*", "Resource": f"arn:aws:lambda:*:*:function:{name}"})
    keeps = session(homeport, roles["keeps"], Policy=narrow)
    with pytest.raises(ClientError) as refused:
        queue(keeps, remade, 0)
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
    queue(keeps, name, 1)
    queue(session(homeport, roles["loses"]), name, 2)
    queue(session(homeport, roles["again"]), name, 3)
    queue(functions, remade, 4)

    iam.delete_role_policy(RoleName=f"loses-{mark}", PolicyName="own")
    iam.delete_role_policy(RoleName=f"again-{mark}", PolicyName="own")
    iam.delete_role(RoleName=f"again-{mark}")
    a_role(homeport, f"again-{mark}")
    functions.delete_function(FunctionName=remade)
    iam.update_assume_role_policy(RoleName=runs_as, PolicyDocument=TRUST)
    functions.create_function(
        FunctionName=remade,
        Runtime="python3.12",
        Role=arn,
        Handler="index.handler",
        Code={"ZipFile": zipped("index.py", SAYS)},
    )

    wait_for(homeport, name, 1)
    # The same calls again, by those who may and of what is there.
    queue(session(homeport, roles["again"]), name, 5)
    queue(functions, remade, 6)
    wait_for(homeport, name, 5)
    wait_for(homeport, remade, 6)
    # Those that waited were due no later than the first, and again five seconds after that.
    time.sleep(6)
    assert said(homeport, name) == {1, 5}
    assert said(homeport, remade) == {6}
    log = homeport.log.read_text()
    assert log.count("a queued event is dropped") >= 3
