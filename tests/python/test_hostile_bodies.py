"""Bodies that are too large, too deep or no bodies at all: AWS's error at once, and a server that goes on answering."""

import base64
import hashlib
import json
import re
import time

import pytest
from apis import HTTP, REGION, Api
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from pools import PASSWORD, UserPool, encoded

LEVELS = 10_000
FORM = "application/x-www-form-urlencoded"
# Where each service is spoken to: the signing name, the path, the headers, and a body that is answered with 200.
PLACES = {
    "dynamodb": ("/", "application/x-amz-json-1.0", "DynamoDB_20120810.ListTables", "{}"),
    "cognito-idp": (
        "/",
        "application/x-amz-json-1.1",
        "AWSCognitoIdentityProviderService.ListUserPools",
        '{"MaxResults":1}',
    ),
    "cognito-identity": (
        "/",
        "application/x-amz-json-1.1",
        "AWSCognitoIdentityService.ListIdentityPools",
        '{"MaxResults":1}',
    ),
    "logs": ("/", "application/x-amz-json-1.1", "Logs_20140328.DescribeLogGroups", "{}"),
    "cloudtrail": (
        "/",
        "application/x-amz-json-1.1",
        "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents",
        '{"MaxResults":1}',
    ),
    "lambda": ("/2015-03-31/functions", "application/json", None, None),
    "apigateway": ("/restapis", "application/json", None, '{"name":"hostile"}'),
    "sts": ("/", FORM, None, "Action=GetCallerIdentity&Version=2011-06-15"),
    "iam": ("/", FORM, None, "Action=ListUsers&Version=2010-05-08"),
}
JSON = {
    "deep objects": '{"a":' * LEVELS + "1" + "}" * LEVELS,
    "deep lists": '{"TableName":' + "[" * LEVELS + "]" * LEVELS + "}",
    "deep and never closed": "[" * 100_000,
    "half an object": '{"TableName',
    "a list": "[]",
    "a text": '"text"',
    "null": "null",
    "two objects": "{}{}",
    "no UTF-8": b'{"TableName":"\xff\xfe"}',
    "half a surrogate pair": '{"TableName":"\\ud800"}',
    "zeros": b"\0" * 1000,
    "no number": '{"Limit":NaN}',
    "a number of 100,000 digits": '{"Limit":' + "9" * 100_000 + "}",
    "a form": "Action=ListUsers",
    "XML": "<a/>",
}
QUERY = {
    "sts": {
        "many parameters": "&".join(f"PolicyArns.member.{n}.arn=x" for n in range(1, 20_000)),
        "a far index": "PolicyArns.member.999999999.arn=x",
        "an index that is none": "PolicyArns.member.-1.arn=x&PolicyArns.member.x.arn=y",
        "deep names": ".".join(["Tags"] * LEVELS) + "=1",
        "no number": "DurationSeconds=99999999999999999999",
        "another action": "Action=ListUsers",
        "no UTF-8": b"RoleSessionName=\xff\xfe",
    },
    "iam": {
        "many parameters": "&".join(f"Tags.member.{n}.Key=x" for n in range(1, 20_000)),
        "a far index": "Tags.member.999999999.Key=x",
        "deep names": "Tags" + ".member.1" * LEVELS + "=1",
        "another action": "Action=ListUsers",
    },
}
KEYS = "<Delete><Object><Key>{}</Key></Object></Delete>"
XML = {
    "deep": "<Delete>" + "<a>" * LEVELS + "</a>" * LEVELS + "</Delete>",
    "deep and never closed": "<Delete>" * LEVELS,
    "half a tag": "<Delete><Obj",
    "entities in entities": '<!DOCTYPE a [<!ENTITY b "cc"><!ENTITY d "&b;&b;">]>' + KEYS.format("&d;"),
    "a file": '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + KEYS.format("&x;"),
    "a text": "text",
    "JSON": "{}",
    "two roots": "<Delete/><Delete/>",
    "nothing": "",
    "no UTF-8": b"<Delete><Object><Key>\xff\xfe</Key></Object></Delete>",
    "more keys than AWS takes": "<Delete>" + "<Object><Key>a</Key></Object>" * 1001 + "</Delete>",
    "many keys": "<Delete>" + "<Object><Key>a</Key></Object>" * 40_000 + "</Delete>",
    "many attributes": "<Delete " + " ".join(f'a{n}="1"' for n in range(20_000)) + "/>",
}


@pytest.fixture(scope="module")
def keys(homeport):
    own = homeport.credentials()
    return Credentials(own["accessKeyId"], own["secretAccessKey"])


@pytest.fixture(scope="module")
def send(homeport, keys):
    """Signs and sends a body to a service; gives status and text, having seen that the answer took no second."""

    def asked(service, body, method, path, content_type, target):
        headers = {"Content-Type": content_type} | ({"X-Amz-Target": target} if target else {})
        if service == "s3":
            content = body if isinstance(body, bytes) else body.encode()
            headers["Content-MD5"] = base64.b64encode(hashlib.md5(content).digest()).decode()
        request = AWSRequest(method, homeport.url + path, data=body, headers=headers)
        (S3SigV4Auth if service == "s3" else SigV4Auth)(keys, service, REGION).add_auth(request)
        given = dict(request.headers.items()) | {"Connection": "close"}
        began = time.monotonic()
        answer = HTTP.request(method, request.url, headers=given, body=body)
        return answer, time.monotonic() - began

    def once(service, body, method="POST", path=None, content_type=None, target=None):
        if path is None:
            path, content_type, target, _ = PLACES[service]
        # A machine that does other things too may be slow once.
        for _ in range(3):
            answer, took = asked(service, body, method, path, content_type, target)
            if took < 1:
                return answer.status, answer.data.decode()
        raise AssertionError(f"{took} seconds")

    return once


def answers(send, service):
    good = PLACES[service][3]
    return good is None or send(service, good)[0] in (200, 201)


@pytest.mark.parametrize("service", [name for name, place in PLACES.items() if place[1] != FORM])
def test_what_is_no_json_of_the_protocol_is_refused(send, service):
    for name, body in JSON.items():
        status, text = send(service, body)
        assert status == 400, (name, status, text)
        said = json.loads(text)
        if service not in ("lambda", "apigateway"):
            assert said["__type"].rsplit("#", 1)[-1] == "SerializationException", (name, text)
    assert answers(send, service)


@pytest.mark.parametrize("service, action", [("sts", "AssumeRole"), ("iam", "CreatePolicy")])
def test_what_is_no_form_of_the_protocol_is_refused(send, service, action):
    start = f"Action={action}&Version=2011-06-15&".encode()
    for name, body in QUERY[service].items():
        status, text = send(service, start + (body if isinstance(body, bytes) else body.encode()))
        code = re.search("<Code>(.*)</Code>", text)
        assert status == 400 and code, (name, status, text)
        assert code[1] in ("MalformedQueryString", "ValidationError", "MalformedInput"), (name, text)
    for body in ("", "&" * 100_000, "Version=2011-06-15", "Action=", "Action=Unheard&Version=2011-06-15"):
        status, text = send(service, body)
        assert status == 400 and "<Code>InvalidAction</Code>" in text, body[:40]
    assert answers(send, service)


@pytest.mark.parametrize("method, question", [("POST", "delete"), ("PUT", "cors")])
def test_what_is_no_xml_of_the_protocol_is_refused(homeport, send, admin, method, question):
    files, bucket = admin("s3"), f"hostile-{question}"
    files.create_bucket(Bucket=bucket)
    files.put_object(Bucket=bucket, Key="a", Body=b"a")
    for name, body in XML.items():
        status, text = send("s3", body, method, f"/{bucket}?{question}", "application/xml")
        assert (status, re.search("<Code>(.*)</Code>", text)[1]) == (400, "MalformedXML"), (name, text)
        assert "root:" not in text
    assert files.list_objects_v2(Bucket=bucket)["KeyCount"] == 1
    with pytest.raises(ClientError, match="NoSuchCORSConfiguration"):
        files.get_bucket_cors(Bucket=bucket)
    assert send("s3", KEYS.format("a"), "POST", f"/{bucket}?delete", "application/xml")[0] == 200
    assert files.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


@pytest.mark.parametrize("service", PLACES)
def test_a_body_beyond_the_services_bound_is_refused(send, service):
    padding = "x" * (80 << 20 if service == "lambda" else 17 << 20)
    form = PLACES[service][1] == FORM
    body = f"{PLACES[service][3]}&Padding={padding}" if form else json.dumps({"Padding": padding})
    status, text = send(service, body)
    assert status == 413, (status, text)
    assert text.startswith("<") == form, text
    assert answers(send, service)


def test_what_is_deep_within_a_value_is_refused(homeport, admin):
    """Documents, expressions, items and tokens that stand in a body that is well-formed."""
    rows, iam = admin("dynamodb"), admin("iam")
    rows.create_table(
        TableName="hostile",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    rows.get_waiter("table_exists").wait(TableName="hostile")
    iam.create_user(UserName="hostile")
    deep = {"S": "x"}
    for _ in range(20):
        deep = {"M": {"a": deep}}
    rows.put_item(TableName="hostile", Item={"id": {"S": "twenty"}, "deep": deep})
    for _ in range(20):
        deep = {"L": [deep]}
    item = {"id": {"S": "forty"}, "deep": deep}
    policy = '{"Version":"2012-10-17","Statement":' + "[" * LEVELS + "]" * LEVELS + "}"
    filters = {"ExpressionAttributeValues": {":a": {"S": "a"}}}
    token = f"{encoded({'alg': 'RS256', 'kid': 'a'})}.{encoded(JSON['deep objects'].encode())}.AAAA"
    people = UserPool(homeport, "hostile").user("ann")
    for name, code, call in (
        ("item", {"ValidationException"}, lambda: rows.put_item(TableName="hostile", Item=item)),
        (
            "condition",
            {"ValidationException"},
            lambda: rows.scan(TableName="hostile", FilterExpression="(" * 2000 + "id = :a" + ")" * 2000, **filters),
        ),
        (
            "negations",
            {"ValidationException"},
            lambda: rows.scan(TableName="hostile", FilterExpression="NOT " * 1000 + "id = :a", **filters),
        ),
        (
            "path",
            {"ValidationException"},
            lambda: rows.scan(TableName="hostile", FilterExpression="a" + ".a" * 1000 + " = :a", **filters),
        ),
        (
            "document",
            {"MalformedPolicyDocument"},
            lambda: iam.put_user_policy(UserName="hostile", PolicyName="deep", PolicyDocument=policy[:2000]),
        ),
        (
            "trust",
            {"MalformedPolicyDocument"},
            lambda: iam.create_role(RoleName="deep", AssumeRolePolicyDocument=policy[:2000]),
        ),
        ("token", {"NotAuthorizedException"}, lambda: people.public.get_user(AccessToken=token)),
        (
            "filter",
            {"InvalidParameterException"},
            lambda: people.admin.list_users(UserPoolId=people.id, Filter='username = "' + "\\" * 200),
        ),
    ):
        began = time.monotonic()
        with pytest.raises(ClientError) as error:
            call()
        assert error.value.response["Error"]["Code"] in code, (name, error.value)
        assert time.monotonic() - began < 1, name
    assert rows.scan(TableName="hostile")["Count"] == 1
    assert iam.list_user_policies(UserName="hostile")["PolicyNames"] == []
    for call in (
        lambda: rows.scan(TableName="hostile", ExclusiveStartKey={"id": {"N": "1"}}),
        lambda: iam.list_users(Marker="%00nonsense"),
        lambda: people.admin.list_users(UserPoolId=people.id, PaginationToken="nonsense"),
        lambda: admin("s3").list_objects_v2(Bucket="hostile-delete", ContinuationToken="nonsense"),
        lambda: admin("apigateway").get_rest_apis(position="nonsense/" * 100),
        lambda: admin("lambda").list_functions(Marker="nonsense"),
    ):
        try:
            call()
        except ClientError as error:
            assert 400 <= error.response["ResponseMetadata"]["HTTPStatusCode"] < 500, error
    people.sign_in("ann", PASSWORD)


def test_a_gateway_refuses_hostile_tokens_and_bodies(homeport):
    people = UserPool(homeport, "hostile-gateway").user("ann")
    api = Api(homeport, "hostile")
    api.mock("/id", "POST", **api.pool_authorizer(people))
    api.mock("/open", "POST")
    api.deploy()
    deep = encoded(('{"a":' * 1000 + "1" + "}" * 1000).encode())
    header = encoded({"alg": "RS256", "kid": "a"})
    for token in (
        f"{deep}.{deep}.AAAA",
        f"{header}.{deep}.AAAA",
        "." * 5000,
        "..",
        base64.b64encode(b"\xff" * 3000).decode(),
        f"{header}.{encoded([])}.",
        f"{header}.{encoded({'iss': people.issuer, 'exp': '9' * 400})}.AAAA",
        "é",
    ):
        answer = api.call("/id", token, "POST")
        assert answer.said == (401, '{"message":"Unauthorized"}'), token[:40]
    long = api.call("/id", "a" * 200_000, "POST")
    assert long.status == 431
    large = api.call("/open", method="POST", body=b"x" * (10 * 1024 * 1024 + 1), headers={"Connection": "close"})
    assert large.said == (413, '{"message":"HTTP content length exceeded 10485760 bytes."}')
    assert api.call("/open", method="POST", body=JSON["deep objects"]).status == 200
    assert api.call("/id", people.sign_in("ann")["IdToken"], "POST").status == 200
