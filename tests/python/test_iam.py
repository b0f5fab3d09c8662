"""Users, roles, policies and temporary credentials, as boto3 and the AWS CLI ask for them."""

import json
import os
import pathlib
import subprocess
import sys

import pytest
from botocore.exceptions import ClientError


def policy(effect, action, resource="*", **more):
    statement = {"Effect": effect, "Action": action, "Resource": resource, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def trust(principal, action="sts:AssumeRole", **more):
    statement = {"Effect": "Allow", "Principal": principal, "Action": action, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def refused(code, call, *arguments, **named):
    with pytest.raises(ClientError) as error:
        call(*arguments, **named)
    assert error.value.response["Error"]["Code"] == code, error.value
    return error.value.response["Error"]["Message"]


@pytest.fixture
def user(homeport, admin):
    """Makes users with an inline policy; answers clients by their keys."""

    def make(name, document):
        iam = admin("iam")
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="inline", PolicyDocument=document)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return lambda service: homeport.client(service, key["AccessKeyId"], key["SecretAccessKey"])

    return make


def session(homeport, answer):
    keys = answer["Credentials"]
    return lambda service: homeport.client(
        service, keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"]
    )


def test_a_user_may_do_what_its_policy_says_and_nothing_else(admin, user):
    lister = user("lister", policy("Allow", "iam:ListUsers"))
    assert any(u["UserName"] == "lister" for u in lister("iam").list_users()["Users"])
    message = refused("AccessDenied", lister("iam").create_user, UserName="other")
    assert "because no identity-based policy allows the iam:CreateUser action" in message
    admin("iam").delete_user_policy(UserName="lister", PolicyName="inline")
    refused("AccessDenied", lister("iam").list_users)


def test_a_deleted_access_key_is_refused_on_the_very_next_call(admin, user):
    gone = user("gone", policy("Allow", "iam:ListUsers"))
    gone("iam").list_users()
    key = admin("iam").list_access_keys(UserName="gone")["AccessKeyMetadata"][0]["AccessKeyId"]
    admin("iam").delete_access_key(UserName="gone", AccessKeyId=key)
    refused("InvalidClientTokenId", gone("iam").list_users)


def test_documents_come_back_as_they_were_given(admin):
    iam = admin("iam")
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]}
    made = iam.create_policy(PolicyName="given", PolicyDocument=json.dumps(document))["Policy"]
    version = iam.get_policy_version(PolicyArn=made["Arn"], VersionId=made["DefaultVersionId"])
    assert version["PolicyVersion"]["Document"] == document
    role = iam.create_role(RoleName="given", AssumeRolePolicyDocument=trust({"Service": "lambda.amazonaws.com"}))
    assert role["Role"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {"Service": "lambda.amazonaws.com"}


def test_an_assumed_role_acts_for_its_time(homeport, admin, user):
    iam = admin("iam")
    taker = user("taker", policy("Allow", "sts:AssumeRole"))
    account = admin("sts").get_caller_identity()["Account"]
    arn = iam.create_role(RoleName="taken", AssumeRolePolicyDocument=trust({"AWS": account}))["Role"]["Arn"]
    iam.attach_role_policy(RoleName="taken", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    answer = taker("sts").assume_role(RoleArn=arn, RoleSessionName="boto3")
    assumed = session(homeport, answer)
    assert assumed("sts").get_caller_identity()["Arn"].endswith(":assumed-role/taken/boto3")
    assumed("iam").list_users()
    refused("AccessDenied", assumed("iam").create_user, UserName="other")
    iam.detach_role_policy(RoleName="taken", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    refused("AccessDenied", assumed("iam").list_users)
    iam.delete_role(RoleName="taken")
    refused("InvalidClientTokenId", assumed("sts").get_caller_identity)


def test_a_role_is_refused_to_whom_it_does_not_trust(admin, user):
    arn = admin("iam").create_role(
        RoleName="closed", AssumeRolePolicyDocument=trust({"Service": "lambda.amazonaws.com"})
    )["Role"]["Arn"]
    taker = user("hopeful", policy("Allow", "sts:AssumeRole"))
    refused("AccessDenied", taker("sts").assume_role, RoleArn=arn, RoleSessionName="no")


def test_pages_are_walked_by_paginators(admin):
    iam = admin("iam")
    for number in range(5):
        iam.create_user(UserName=f"paged-{number}", Path="/paged/")
    pages = iam.get_paginator("list_users").paginate(PathPrefix="/paged/", PaginationConfig={"PageSize": 2})
    names = [user["UserName"] for page in pages for user in page["Users"]]
    assert names == [f"paged-{number}" for number in range(5)]


def test_the_aws_cli_makes_a_role_and_takes_it_on(homeport, admin):
    own = homeport.credentials()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        "AWS_ACCESS_KEY_ID": own["accessKeyId"],
        "AWS_SECRET_ACCESS_KEY": own["secretAccessKey"],
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": homeport.url,
    }
    program = str(pathlib.Path(sys.executable).with_name("aws"))

    def aws(*words, **more):
        done = subprocess.run(
            [program, *words, "--output", "json"], env={**environment, **more}, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None

    account = admin("sts").get_caller_identity()["Account"]
    role = aws("iam", "create-role", "--role-name", "cli", "--assume-role-policy-document", trust({"AWS": account}))
    keys = aws("sts", "assume-role", "--role-arn", role["Role"]["Arn"], "--role-session-name", "cli")["Credentials"]
    me = aws(
        "sts",
        "get-caller-identity",
        AWS_ACCESS_KEY_ID=keys["AccessKeyId"],
        AWS_SECRET_ACCESS_KEY=keys["SecretAccessKey"],
        AWS_SESSION_TOKEN=keys["SessionToken"],
    )
    assert me["Arn"] == f"arn:aws:sts::{account}:assumed-role/cli/cli"
