"""What ends with its time, on a server whose clock is moved on between two of its runs."""

import datetime
import glob
import json
import uuid

import botocore.auth
import pytest
from apis import HTTP, Api
from botocore.exceptions import ClientError
from identities import IdentityPool
from pools import UserPool

LIBRARIES = glob.glob("/usr/lib*/*/faketime/libfaketimeMT.so.1")
pytestmark = pytest.mark.skipif(not LIBRARIES, reason="SKIPPED what expires: libfaketime is not installed")
HOURS = {"AccessToken": "hours", "IdToken": "hours"}
DAY = {"AccessTokenValidity": 24, "IdTokenValidity": 24, "TokenValidityUnits": HOURS}
# One cheap call to every service, and what each says of credentials that have ended.
CALLS = {
    "sts": ("get_caller_identity", {}, 403, "ExpiredToken"),
    "iam": ("list_users", {}, 403, "ExpiredToken"),
    "s3": ("list_buckets", {}, 400, "ExpiredToken"),
    "dynamodb": ("list_tables", {}, 400, "ExpiredTokenException"),
    "logs": ("describe_log_groups", {}, 400, "ExpiredTokenException"),
    "cloudtrail": ("lookup_events", {}, 400, "ExpiredTokenException"),
    "cognito-idp": ("list_user_pools", {"MaxResults": 1}, 400, "ExpiredTokenException"),
    "cognito-identity": ("list_identity_pools", {"MaxResults": 1}, 400, "ExpiredTokenException"),
    "lambda": ("list_functions", {}, 403, "ExpiredTokenException"),
    "apigateway": ("get_rest_apis", {}, 403, "ExpiredTokenException"),
}


@pytest.fixture
def later(monkeypatch):
    """Starts a server again so many hours later, and signs by that clock from then on."""

    def move(server, hours):
        server.stop()
        server.environment = {
            "LD_PRELOAD": LIBRARIES[0],
            "FAKETIME": f"+{hours}h",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        server.start()

        def now(remove_tzinfo=True):
            moved = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=hours)
            return moved.replace(tzinfo=None) if remove_tzinfo else moved

        monkeypatch.setattr(botocore.auth, "get_current_datetime", now)

    return move


def refused(code, words, call, *arguments, **named):
    with pytest.raises(ClientError) as error:
        call(*arguments, **named)
    said = error.value.response["Error"]
    assert said["Code"] == code and words in said["Message"], said


def session(server, service, keys):
    secret = keys.get("SecretAccessKey") or keys["SecretKey"]
    return server.client(service, keys["AccessKeyId"], secret, keys["SessionToken"])


def test_a_token_opens_nothing_after_its_time(fresh, later):
    server = fresh()
    people = UserPool(server).user("ann")
    lasting = people.new_app(**DAY)
    api = Api(server)
    users = api.pool_authorizer(people)
    api.mock("/id", **users)
    api.mock("/scoped", authorizationScopes=["aws.cognito.signin.user.admin"], **users)
    api.deploy()
    identities = IdentityPool(server, people, clients=[people.app, lasting])
    ended, day = people.sign_in("ann"), people.sign_in("ann", app=lasting)
    before = identities.id(ended["IdToken"])

    def opened(tokens):
        assert api.call("/id", tokens["IdToken"]).status == 200
        assert api.call("/scoped", tokens["AccessToken"]).status == 200
        assert people.public.get_user(AccessToken=tokens["AccessToken"])["Username"] == "ann"
        assert identities.id(tokens["IdToken"]) == before
        identities.credentials(before, tokens["IdToken"])

    opened(ended)
    opened(day)
    later(server, 2)
    expired = (401, '{"message":"The incoming token has expired"}')
    for path, kind in {"/id": "IdToken", "/scoped": "AccessToken"}.items():
        assert api.call(path, ended[kind]).said == expired
        assert api.call(path, f"Bearer {ended[kind]}").said == expired
    access = ended["AccessToken"]
    refused("NotAuthorizedException", "Access Token has expired", people.public.get_user, AccessToken=access)
    status = people.status("ann")
    ages = [{"Name": "nickname", "Value": "late"}]
    refused(
        "NotAuthorizedException",
        "Access Token has expired",
        people.public.update_user_attributes,
        AccessToken=access,
        UserAttributes=ages,
    )
    assert people.status("ann") == status
    for call in (
        lambda: identities.id(ended["IdToken"]),
        lambda: identities.credentials(before, ended["IdToken"]),
        lambda: identities.open_id(before, ended["IdToken"]),
    ):
        refused("NotAuthorizedException", "Token expired", call)
    opened(day)
    parameters = {"REFRESH_TOKEN": ended["RefreshToken"]}
    flow = {"ClientId": people.app, "AuthFlow": "REFRESH_TOKEN_AUTH", "AuthParameters": parameters}
    opened(people.public.initiate_auth(**flow)["AuthenticationResult"])
    later(server, 31 * 24)
    refused("NotAuthorizedException", "Refresh Token has expired", people.public.initiate_auth, **flow)
    opened(people.sign_in("ann"))


def test_temporary_credentials_end_with_their_time(fresh, later):
    server = fresh()
    people = UserPool(server).user("ann")
    identities = IdentityPool(server, people)
    iam, sts = server.client("iam"), server.client("sts")
    name = f"reader-{uuid.uuid4().hex[:8]}"
    iam.create_user(UserName=name)
    iam.attach_user_policy(UserName=name, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    key = iam.create_access_key(UserName=name)["AccessKey"]
    issuer = server.client("sts", key["AccessKeyId"], key["SecretAccessKey"])
    account = sts.get_caller_identity()["Account"]
    trusted = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trusted]})
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    iam.attach_role_policy(RoleName=name, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    api = Api(server)
    api.mock("/iam", authorizationType="AWS_IAM")
    api.deploy()

    def assumed(seconds):
        return issuer.assume_role(RoleArn=role, RoleSessionName="reader", DurationSeconds=seconds)["Credentials"]

    mine = identities.id(people.sign_in("ann")["IdToken"])
    short = {
        "of a role": assumed(900),
        "of a user": issuer.get_session_token(DurationSeconds=900)["Credentials"],
        "of a guest": identities.credentials(identities.id()),
        "of a pool's user": identities.credentials(mine, people.sign_in("ann")["IdToken"]),
    }
    lasting = issuer.get_session_token(DurationSeconds=36_000)["Credentials"]
    for keys in [*short.values(), lasting]:
        session(server, "sts", keys).get_caller_identity()
    by_key = {"key": key["AccessKeyId"], "secret": key["SecretAccessKey"]}
    admin_role = short["of a role"]
    for service, (call, given, _, _) in CALLS.items():
        getattr(session(server, service, admin_role), call)(**given)
    files = server.client("s3", **by_key, signature_version="s3v4")
    files.create_bucket(Bucket="kept")
    files.put_object(Bucket="kept", Key="a", Body=b"a")
    place = {"Bucket": "kept", "Key": "a"}
    hour, day = (files.generate_presigned_url("get_object", place, ExpiresIn=n * 3600) for n in (1, 24))
    assert [HTTP.request("GET", url).status for url in (hour, day)] == [200, 200]

    later(server, 2)
    for holder, keys in short.items():
        for service, (call, given, status, code) in CALLS.items():
            with pytest.raises(ClientError) as error:
                getattr(session(server, service, keys), call)(**given)
            answer = error.value.response
            said = (answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"])
            assert said == (status, code), (holder, service, answer["Error"])
        secret = keys.get("SecretAccessKey") or keys["SecretKey"]
        called = api.signed("/iam", keys["AccessKeyId"], secret, keys["SessionToken"])
        assert called.said == (403, '{"message":"The security token included in the request is expired"}')
    late = {"Bucket": "late"}
    refused("ExpiredToken", "", session(server, "s3", admin_role).create_bucket, **late)
    held = session(server, "s3", lasting)
    assert [bucket["Name"] for bucket in held.list_buckets()["Buckets"]] == ["kept"]
    session(server, "sts", lasting).get_caller_identity()
    expired = HTTP.request("GET", hour)
    assert expired.status == 403 and b"Request has expired" in expired.data
    assert HTTP.request("GET", day).data == b"a"
