"""Unsigned and wrongly signed calls to every service: AWS's error, and nothing made."""

import base64
import datetime
import hashlib
import json
import socket

import botocore.auth
import pytest
import urllib3
from apis import HTTP, REGION
from botocore import UNSIGNED
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from test_lambda import zipped

QUERY = {"unsigned": (403, "MissingAuthenticationToken"), "wrong": (403, "SignatureDoesNotMatch")}
QUERY |= {"unknown": (403, "InvalidClientTokenId"), "late": (403, "SignatureDoesNotMatch")}
JSON = {"unsigned": (400, "MissingAuthenticationTokenException"), "wrong": (400, "InvalidSignatureException")}
JSON |= {"unknown": (400, "UnrecognizedClientException"), "late": (400, "InvalidSignatureException")}
REST = {name: (403, code) for name, (_, code) in JSON.items()}
S3 = {"unsigned": (403, "AccessDenied"), "wrong": (403, "SignatureDoesNotMatch")}
S3 |= {"unknown": (403, "InvalidAccessKeyId"), "late": (403, "RequestTimeTooSkewed")}
FUNCTION = {
    "FunctionName": "refused",
    "Runtime": "python3.12",
    "Handler": "index.handler",
    "Role": "arn:aws:iam::123456789012:role/none",
    "Code": {"ZipFile": zipped("index.py", "")},
}
TABLE = {
    "TableName": "refused",
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}
# Of each service a call that would make something, the call that would show it, and what refusals are called there.
SERVICES = {
    "sts": ("get_session_token", {}, "get_caller_identity", {}, QUERY),
    "iam": ("create_user", {"UserName": "refused"}, "list_users", {}, QUERY),
    "s3": ("create_bucket", {"Bucket": "refused"}, "list_buckets", {}, S3),
    "dynamodb": ("create_table", TABLE, "list_tables", {}, JSON),
    "logs": ("create_log_group", {"logGroupName": "refused"}, "describe_log_groups", {}, JSON),
    "cloudtrail": ("lookup_events", {"MaxResults": 1}, None, {}, JSON),
    "cognito-idp": ("create_user_pool", {"PoolName": "refused"}, "list_user_pools", {"MaxResults": 60}, JSON),
    "cognito-identity": (
        "create_identity_pool",
        {"IdentityPoolName": "refused", "AllowUnauthenticatedIdentities": True},
        "list_identity_pools",
        {"MaxResults": 60},
        JSON,
    ),
    "lambda": ("create_function", FUNCTION, "list_functions", {}, REST),
    "apigateway": ("create_rest_api", {"name": "refused"}, "get_rest_apis", {}, REST),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server of its own, in which nothing else is made meanwhile."""
    from conftest import Homeport

    server = Homeport(tmp_path_factory.mktemp("refusals")).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def keys(server):
    own = server.credentials()
    return own["accessKeyId"], own["secretAccessKey"]


def shown(server, keys, service):
    _, _, lists, given, _ = SERVICES[service]
    if lists is None:
        return None
    answer = getattr(server.client(service, *keys), lists)(**given)
    answer.pop("ResponseMetadata")
    return json.dumps(answer, default=str, sort_keys=True)


def refusal(call, **given):
    with pytest.raises(ClientError) as error:
        call(**given)
    answer = error.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]


@pytest.mark.parametrize("service", SERVICES)
def test_nobody_and_whoever_signs_wrongly_is_refused(server, keys, service, monkeypatch):
    makes, given, _, _, expected = SERVICES[service]
    key, secret = keys
    before = shown(server, keys, service)
    callers = {
        "unsigned": server.client(service, *keys, signature_version=UNSIGNED),
        "wrong": server.client(service, key, secret[:-1] + ("a" if secret[-1] != "a" else "b")),
        "unknown": server.client(service, "AKIAAAAAAAAAAAAAAAAA", secret),
    }
    for name, caller in callers.items():
        if name == "unsigned" and expected is REST:
            assert by_its_host(server, service) == expected[name]
        else:
            assert refusal(getattr(caller, makes), **given) == expected[name], name
    right = server.client(service, *keys)
    moved = datetime.timedelta(minutes=-20)
    with monkeypatch.context() as late:
        late.setattr(botocore.auth, "get_current_datetime", clock(moved))
        assert refusal(getattr(right, makes), **given) == expected["late"]
    assert shown(server, keys, service) == before
    if service != "lambda":
        getattr(right, makes)(**given)
        assert service in ("sts", "cloudtrail") or shown(server, keys, service) != before


def by_its_host(server, service):
    """What a REST service says to an unsigned call. Nothing in such a call names the service but AWS's host."""
    path = {"lambda": "/2015-03-31/functions", "apigateway": "/restapis"}[service]
    headers = {"Host": f"{service}.{REGION}.amazonaws.com", "Connection": "close"}
    answer = HTTP.request("POST", server.url + path, headers=headers, body="{}")
    return answer.status, answer.headers["x-amzn-errortype"]


def clock(moved):
    def now(remove_tzinfo=True):
        at = datetime.datetime.now(datetime.timezone.utc) + moved
        return at.replace(tzinfo=None) if remove_tzinfo else at

    return now


class Signed:
    """`PutItem` as boto3 sends it, to be spoiled before it goes out."""

    def __init__(self, server, keys, service="dynamodb", region=REGION, token=None, host=None, padding=0):
        self.url = f"{server.url}/"
        self.body = b'{"TableName":"signed","Item":{"id":{"S":"1"}}}' + b" " * padding
        headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "DynamoDB_20120810.PutItem"}
        headers.update({"Host": host} if host else {})
        request = AWSRequest("POST", self.url, data=self.body, headers=headers)
        SigV4Auth(Credentials(*keys, token), service, region).add_auth(request)
        self.headers = urllib3.HTTPHeaderDict(request.headers.items())

    def send(self, url="", body=None, **changed):
        for name, value in changed.items():
            name = name.replace("_", "-")
            self.headers.pop(name, None)
            for one in value if isinstance(value, list) else [value]:
                if one is not None:
                    self.headers.add(name, one)
        answer = HTTP.request("POST", self.url + url, headers=self.headers, body=body or self.body)
        return answer.status, json.loads(answer.data)["__type"].rsplit("#", 1)[-1] if answer.status != 200 else None


@pytest.fixture(scope="module")
def table(server, keys):
    rows = server.client("dynamodb", *keys)
    rows.create_table(**{**TABLE, "TableName": "signed"})
    rows.get_waiter("table_exists").wait(TableName="signed")
    return lambda: rows.scan(TableName="signed")["Count"]


def test_a_signature_holds_for_what_was_signed_alone(server, keys, table):
    def signed(**more):
        return Signed(server, keys, **more)

    authorization = signed().headers["Authorization"]
    elsewhere = authorization.replace(f"/{REGION}/dynamodb/", "/eu-west-1/dynamodb/")
    changed = signed().body.replace(b'"1"', b'"2"')
    refused = {
        "another body": signed().send(body=changed),
        "another operation": signed().send(X_Amz_Target="DynamoDB_20120810.DeleteItem"),
        "another query": signed().send("?a=b"),
        "another path": signed().send("a"),
        "another host": signed().send(Host=f"localhost:{server.port}"),
        "another date": signed().send(X_Amz_Date=datetime.date.today().strftime("%Y%m%dT000001Z")),
        "another service": signed(service="s3").send(),
        "another region in the scope": signed().send(Authorization=elsewhere),
        "a header that was not signed": signed().send(X_Amz_Meta_Sneaked="in"),
        "a session that was not signed": signed().send(X_Amz_Security_Token="token"),
        "a payload that is not signed": signed().send(X_Amz_Content_Sha256="UNSIGNED-PAYLOAD"),
        "two operations": signed().send(X_Amz_Target=["DynamoDB_20120810.PutItem", "DynamoDB_20120810.GetItem"]),
        "two signatures": signed().send(Authorization=[authorization, authorization]),
        "a header and a query": signed().send("?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=00"),
        "no signature": signed().send(Authorization=authorization.split("Signature=")[0]),
        "nonsense": signed().send(Authorization="AWS4-HMAC-SHA256 " + "=," * 2000),
        "basic": signed().send(Authorization="Basic dGVzdDp0ZXN0"),
    }
    names = {"InvalidSignatureException", "IncompleteSignatureException", "MissingAuthenticationTokenException"}
    names |= {"UnrecognizedClientException", "AccessDeniedException", "UnknownOperationException"}
    for name, (status, code) in refused.items():
        assert 400 <= status < 500 and code in names, (name, status, code)
    assert table() == 0
    assert signed().send() == (200, None)
    assert table() == 1


def test_host_and_scope_agree_on_service_and_region(server, keys, table):
    server.client("dynamodb", *keys).delete_item(TableName="signed", Key={"id": {"S": "1"}})
    refused = (400, "InvalidSignatureException")
    assert Signed(server, keys, region="bogus").send() == refused
    for host in ("dynamodb.eu-west-1.amazonaws.com", f"sqs.{REGION}.amazonaws.com", "s3.amazonaws.com"):
        assert Signed(server, keys, host=host).send() == refused, host
    assert table() == 0
    assert Signed(server, keys, host=f"dynamodb.{REGION}.amazonaws.com").send() == (200, None)
    assert table() == 1


def begun(server, keys, length, sent=b""):
    """The code that a call is answered with of which only this is sent; None while the server waits for more."""
    headers = {**Signed(server, keys).headers, "Host": urllib3.util.parse_url(server.url).netloc, **length}
    head = "POST / HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as wire:
        wire.sendall(head.encode() + sent)
        wire.settimeout(2)
        try:
            answer = wire.recv(65536)
        except TimeoutError:
            return None
    return json.loads(answer.split(b"\r\n\r\n", 1)[1])["__type"].rsplit("#", 1)[-1]


def test_of_a_long_body_little_is_read_before_the_key_is_known(server, keys, table):
    unknown = ("AKIAAAAAAAAAAAAAAAAA", keys[1])
    long, chunked = {"Content-Length": str(8 << 20)}, {"Transfer-Encoding": "chunked"}
    sent = b"%x\r\n" % (3 << 19) + b" " * (3 << 19) + b"\r\n"
    assert begun(server, unknown, long) == "UnrecognizedClientException"
    assert begun(server, unknown, chunked, sent) == "UnrecognizedClientException"
    assert begun(server, unknown, {"Content-Length": "1000"}) is None
    assert begun(server, keys, long) is None
    assert begun(server, keys, chunked, sent) is None
    assert Signed(server, keys, padding=3 << 20).send() == (200, None)
    assert Signed(server, unknown, padding=3 << 20).send() == (400, "UnrecognizedClientException")


def test_a_wrong_signature_on_what_needs_none_is_refused(server, keys):
    idp = server.client("cognito-idp", *keys)
    pool = idp.create_user_pool(PoolName="public")["UserPool"]["Id"]
    app = idp.create_user_pool_client(UserPoolId=pool, ClientName="app")["UserPoolClient"]["ClientId"]
    someone = {"ClientId": app, "Username": "ann", "Password": "Correct-horse7"}
    wrong = server.client("cognito-idp", keys[0], keys[1][::-1])
    # boto3 signs no `SignUp` of its own accord.
    request = AWSRequest(
        "POST",
        f"{server.url}/",
        data=json.dumps(someone),
        headers={
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": "AWSCognitoIdentityProviderService.SignUp",
        },
    )
    SigV4Auth(Credentials(keys[0], keys[1][::-1]), "cognito-idp", REGION).add_auth(request)
    answer = HTTP.request("POST", request.url, headers=dict(request.headers.items()), body=request.data)
    assert answer.status == 400 and b"InvalidSignatureException" in answer.data
    assert idp.list_users(UserPoolId=pool)["Users"] == []
    assert wrong.sign_up(**someone)["UserConfirmed"] is False
    assert [user["Username"] for user in idp.list_users(UserPoolId=pool)["Users"]] == ["ann"]


def test_a_presigned_url_opens_one_object_by_one_method(server, keys):
    files = server.client("s3", *keys, signature_version="s3v4")
    files.create_bucket(Bucket="presigned")
    for name in ("one", "two"):
        files.put_object(Bucket="presigned", Key=name, Body=name.encode())
    url = files.generate_presigned_url("get_object", {"Bucket": "presigned", "Key": "one"}, ExpiresIn=60)
    assert HTTP.request("GET", url).data == b"one"
    for name, (method, other) in {
        "object": ("GET", url.replace("/one?", "/two?")),
        "method": ("PUT", url),
        "life": ("GET", url.replace("X-Amz-Expires=60", "X-Amz-Expires=600")),
        "signature": ("GET", url[:-1] + ("0" if url[-1] != "0" else "1")),
        "member": ("GET", url + "&versionId=null"),
        "twice": ("GET", url + "&X-Amz-Expires=600"),
    }.items():
        answer = HTTP.request(method, other, body=b"taken" if method == "PUT" else None)
        assert answer.status in (400, 403) and b"<Code>" in answer.data, name
    request = AWSRequest("PUT", f"{server.url}/presigned/one", data=b"signed")
    S3SigV4Auth(Credentials(*keys), "s3", REGION).add_auth(request)
    headers = dict(request.headers.items())
    answer = HTTP.request("PUT", request.url, headers=headers, body=b"forged")
    assert answer.status == 400 and b"XAmzContentSHA256Mismatch" in answer.data
    assert files.get_object(Bucket="presigned", Key="one")["Body"].read() == b"one"
    assert HTTP.request("PUT", request.url, headers=headers, body=b"signed").status == 200


def test_a_signed_call_of_s3_is_no_form_of_another_body(server, keys):
    files = server.client("s3", *keys)
    files.create_bucket(Bucket="forms")
    for name in ("one", "two"):
        files.put_object(Bucket="forms", Key=name, Body=b"1")
    own, others = (f"<Delete><Object><Key>{name}</Key></Object></Delete>".encode() for name in ("one", "two"))
    request = AWSRequest("POST", f"{server.url}/forms?delete", data=own)
    S3SigV4Auth(Credentials(*keys), "s3", REGION).add_auth(request)
    # Neither of these headers was signed, so whoever sees the call can add them.
    form = dict(request.headers.items()) | {"Content-Type": "application/x-www-form-urlencoded"}

    def send(body):
        digest = base64.b64encode(hashlib.md5(body).digest()).decode()
        return HTTP.request("POST", request.url, headers=form | {"Content-MD5": digest}, body=body)

    answer = send(others)
    assert answer.status == 400 and b"XAmzContentSHA256Mismatch" in answer.data
    assert files.list_objects_v2(Bucket="forms")["KeyCount"] == 2
    answer = send(own)
    assert answer.status == 200 and b"<Deleted><Key>one</Key></Deleted>" in answer.data
    assert [entry["Key"] for entry in files.list_objects_v2(Bucket="forms")["Contents"]] == ["two"]
