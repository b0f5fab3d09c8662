"""REST APIs by boto3 and any HTTP client: integrations, authorizers, throttles, logs, and who is refused."""

import http.server
import json
import threading
import uuid

import jwt
import pytest
from apis import HTTP, Api, lines
from botocore import UNSIGNED
from botocore.exceptions import ClientError
from conftest import NODES
from identities import IdentityPool
from pools import BROUGHT, FOREIGN, UserPool, claims, forgeries
from test_identities import assume
from test_lambda import create, role

UNAUTHORIZED = (401, '{"message":"Unauthorized"}')
NO_TOKEN = (403, '{"message":"Missing Authentication Token"}')
FAILED = (500, '{"message":"Internal server error"}')
# Prints a mark of the call, so that the log shows who got through, and answers what it was asked.
ECHO = """
import json
def handler(event, context):
    asked = event["requestContext"]
    print("ran", asked["apiId"], asked["stage"], asked["httpMethod"], event["path"])
    headers = {name.lower(): value for name, value in event["headers"].items()}
    said = {
        "path": event["path"],
        "method": event["httpMethod"],
        "query": event["queryStringParameters"],
        "body": event["body"],
        "claims": (asked.get("authorizer") or {}).get("claims"),
        "mark": headers.get("x-mark"),
    }
    return {"statusCode": 201, "headers": {"X-Answered-By": "echo"}, "body": json.dumps(said)}
"""


@pytest.fixture(scope="module")
def people(homeport):
    return UserPool(homeport, "gateway").user("ann").user("bob")


@pytest.fixture(scope="module")
def echo(homeport, admin):
    """The name and the ARN of a function that answers with what it was asked."""
    name = create(admin("lambda"), role(admin("iam")), ECHO)
    return name, admin("lambda").get_function(FunctionName=name)["Configuration"]["FunctionArn"]


@pytest.fixture(scope="module")
def api(homeport, people):
    """`/id` asks an ID token, `/scoped` an access token with a user's own scope, `/other` one with a scope that nobody
    has, `/iam` a signature, and `/open` nothing."""
    made = Api(homeport)
    users = made.pool_authorizer(people)
    made.mock("/open")
    made.mock("/id", **users)
    made.mock("/scoped", authorizationScopes=["aws.cognito.signin.user.admin"], **users)
    made.mock("/other", authorizationScopes=["notes/write"], **users)
    made.mock("/iam", authorizationType="AWS_IAM")
    return made.deploy()


def permit(admin, function, source, **more):
    admin("lambda").add_permission(
        FunctionName=function,
        StatementId=uuid.uuid4().hex,
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceArn=source,
        **more,
    )


def test_a_function_answers_behind_an_api(homeport, admin, people, echo):
    name, arn = echo
    made = Api(homeport)
    made.function("/notes/{id}", arn, "POST", **made.pool_authorizer(people))
    made.deploy()
    permit(admin, name, f"{made.arn}/prod/POST/notes/*")
    token = people.sign_in("ann")["IdToken"]
    body = json.dumps({"text": "Buy rope."})
    answer = made.call("/notes/7?deep=1", token, "POST", headers={"X-Mark": "m"}, body=body)
    assert answer.status == 201 and answer.headers["X-Answered-By"] == "echo", answer.text
    said = answer.json()
    assert (said["path"], said["method"], said["query"]) == ("/notes/7", "POST", {"deep": "1"})
    assert (said["body"], said["mark"]) == (body, "m")
    assert said["claims"]["cognito:username"] == "ann" and said["claims"]["token_use"] == "id"


def test_unknown_paths_methods_stages_and_apis_are_forbidden_as_on_aws(api):
    assert api.call("/open").said == (200, '{"ok":true}')
    assert api.call("/unknown").said == NO_TOKEN
    assert api.call("/open", method="DELETE").said == NO_TOKEN
    assert api.call("/open", stage="beta").said == (403, '{"message":"Forbidden"}')
    assert api.call("/open").headers["x-amzn-requestid"]
    nowhere = HTTP.request("GET", api.url("/open").replace(api.id, "aaaaaaaaaa"))
    assert (nowhere.status, nowhere.data) == (403, b'{"message":"Forbidden"}')


def test_each_place_takes_its_own_kind_of_token(homeport, api, people):
    identities = IdentityPool(homeport, people)
    tokens = people.sign_in("ann")
    identity = identities.id(tokens["IdToken"])
    tokens["OpenIdToken"] = identities.open_id(identity, tokens["IdToken"])
    for token in (tokens["IdToken"], f"Bearer {tokens['IdToken']}"):
        assert api.call("/id", token).status == 200
    assert api.call("/scoped", tokens["AccessToken"]).status == 200
    for path, kinds in {
        "/id": ["AccessToken", "RefreshToken", "OpenIdToken"],
        "/scoped": ["IdToken", "RefreshToken", "OpenIdToken"],
        "/other": ["AccessToken", "IdToken", "RefreshToken", "OpenIdToken"],
    }.items():
        for kind in kinds:
            for written in (tokens[kind], f"Bearer {tokens[kind]}"):
                assert api.call(path, written).said == UNAUTHORIZED, (path, kind)
    assert assume(homeport, identities.roles["authenticated"], tokens["OpenIdToken"]) == identity
    for path in ("/id", "/scoped"):
        for token in (None, "", "Bearer", "Bearer ", "Basic YTpi", "Bearer " + "a" * 4000):
            assert api.call(path, token).said == UNAUTHORIZED, (path, token)


@pytest.mark.parametrize("path, kind", [("/id", "IdToken"), ("/scoped", "AccessToken")])
def test_a_forged_token_opens_nothing(api, people, path, kind):
    token = people.sign_in("ann")[kind]
    for name, forged in forgeries(token).items():
        for written in (forged, f"Bearer {forged}"):
            assert api.call(path, written).said == UNAUTHORIZED, name
    assert api.call(path, token).status == 200
    # What is remembered of the good token opens nothing for those that resemble it.
    for name, forged in forgeries(token).items():
        assert api.call(path, forged).said == UNAUTHORIZED, name


def test_a_token_of_another_pool_or_of_nobodys_opens_nothing(homeport, api, people):
    other = UserPool(homeport, "foreign").user("ann")
    tokens = other.sign_in("ann")
    assert api.call("/id", tokens["IdToken"]).said == UNAUTHORIZED
    assert api.call("/scoped", tokens["AccessToken"]).said == UNAUTHORIZED
    own = Api(homeport, "own")
    own.mock("/id", **own.pool_authorizer(people, other))
    own.deploy()
    assert own.call("/id", tokens["IdToken"]).status == 200


class Listener(http.server.ThreadingHTTPServer):
    """Somebody's issuer with its keys, which notes every path that it is asked for."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Issuer)
        self.asked = []
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Issuer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        said = {"issuer": self.server.url, "jwks_uri": f"{self.server.url}/keys"}
        body = json.dumps({"keys": [{**BROUGHT, "kid": "foreign"}]} if self.path == "/keys" else said).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def test_no_token_makes_homeport_fetch_keys(fresh):
    """Issuers are the installation's own, so that an unknown key's name, or an address that a token brings, leads to no
    fetch at all; that the same server does reach this listener is shown by an integration."""
    server, listener = fresh("--dev"), Listener()
    people = UserPool(server).user("ann")
    made = Api(server)
    made.mock("/id", **made.pool_authorizer(people))
    place = made.method("/web", "GET", {})
    made.gateway.put_integration(**place, type="HTTP_PROXY", integrationHttpMethod="GET", uri=f"{listener.url}/web")
    made.deploy()
    good = people.sign_in("ann")
    sts = server.client("sts", signature_version=UNSIGNED)
    asked = {"RoleArn": f"arn:aws:iam::{made.account}:role/any", "RoleSessionName": "app"}
    brought = {"kid": "foreign", "jku": f"{listener.url}/keys", "x5u": f"{listener.url}/keys"}
    for issuer in (people.issuer, listener.url):
        for number in range(3):
            headers = {**brought, "kid": f"foreign{number or ''}"}
            id_token, access_token = (
                jwt.encode({**claims(good[kind]), "iss": issuer}, FOREIGN, "RS256", headers=headers)
                for kind in ("IdToken", "AccessToken")
            )
            assert made.call("/id", id_token).said == UNAUTHORIZED
            with pytest.raises(people.public.exceptions.NotAuthorizedException):
                people.public.get_user(AccessToken=access_token)
            with pytest.raises(ClientError, match="InvalidIdentityToken"):
                sts.assume_role_with_web_identity(WebIdentityToken=id_token, **asked)
    with pytest.raises(ClientError, match="InvalidInput"):
        server.client("iam").create_open_id_connect_provider(Url=listener.url, ClientIDList=["app"])
    assert listener.asked == []
    assert made.call("/id", good["IdToken"]).status == 200
    assert made.call("/web").status == 200 and listener.asked == ["/web"]
    listener.shutdown()


def test_tokens_end_with_their_user_where_the_pool_asks_for_it(homeport, api, people):
    """AWS's authorizers look at a token alone, so that it opens until it expires; a pool of ours may ask for more."""
    people.user("cid")
    tokens = people.sign_in("cid")
    people.public.global_sign_out(AccessToken=tokens["AccessToken"])
    assert api.call("/id", tokens["IdToken"]).status == 200
    with pytest.raises(people.public.exceptions.NotAuthorizedException):
        people.public.get_user(AccessToken=tokens["AccessToken"])
    strict = UserPool(homeport, "strict", UserPoolTags={"homeport:revoke-at-gateways": "true"})
    made = Api(homeport, "strict")
    made.mock("/id", **made.pool_authorizer(strict))
    made.deploy()
    strict.user("eve").user("dan").user("fay")
    ends = {
        "eve": lambda tokens: strict.admin.admin_disable_user(UserPoolId=strict.id, Username="eve"),
        "dan": lambda tokens: strict.public.global_sign_out(AccessToken=tokens["AccessToken"]),
        "fay": lambda tokens: strict.admin.admin_user_global_sign_out(UserPoolId=strict.id, Username="fay"),
    }
    for name, end in ends.items():
        tokens = strict.sign_in(name)
        assert made.call("/id", tokens["IdToken"]).status == 200
        end(tokens)
        assert made.call("/id", tokens["IdToken"]).said == UNAUTHORIZED, name


@pytest.mark.parametrize("gone", ["client", "pool"])
def test_a_remembered_token_ends_with_its_client_and_its_pool(homeport, gone):
    ending, other = UserPool(homeport, "ending").user("ann"), UserPool(homeport, "other").user("ann")
    made = Api(homeport, "ending")
    users = made.pool_authorizer(ending, other, authorizerResultTtlInSeconds=3600)
    made.mock("/id", **users)
    made.mock("/scoped", authorizationScopes=["aws.cognito.signin.user.admin"], **users)
    made.deploy()
    ended, stays = ending.sign_in("ann"), other.sign_in("ann")
    if gone == "client":
        stays = ending.sign_in("ann", app=ending.new_app())
    calls = {"/id": "IdToken", "/scoped": "AccessToken"}.items()
    for path, kind in calls:
        assert made.call(path, ended[kind]).status == made.call(path, stays[kind]).status == 200
    if gone == "client":
        ending.admin.delete_user_pool_client(UserPoolId=ending.id, ClientId=ending.app)
    else:
        ending.admin.delete_user_pool(UserPoolId=ending.id)
    for path, kind in calls:
        assert made.call(path, ended[kind]).said == UNAUTHORIZED, path
        assert made.call(path, stays[kind]).status == 200, path


def test_a_disabled_user_and_a_revoked_sign_in_get_no_new_tokens(people):
    people.user("gil").user("hal")
    signed_in = people.sign_in("gil")
    people.admin.admin_disable_user(UserPoolId=people.id, Username="gil")
    public = people.public
    with pytest.raises(public.exceptions.NotAuthorizedException, match="User is disabled"):
        people.sign_in("gil")
    with pytest.raises(public.exceptions.NotAuthorizedException):
        public.get_user(AccessToken=signed_in["AccessToken"])

    def refresh(tokens):
        parameters = {"REFRESH_TOKEN": tokens["RefreshToken"]}
        return public.initiate_auth(ClientId=people.app, AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters=parameters)

    with pytest.raises(public.exceptions.NotAuthorizedException):
        refresh(signed_in)
    tokens = people.sign_in("hal")
    refresh(tokens)
    public.revoke_token(ClientId=people.app, Token=tokens["RefreshToken"])
    with pytest.raises(public.exceptions.NotAuthorizedException, match="Refresh Token"):
        refresh(tokens)
    refresh(people.sign_in("hal"))


def test_a_signed_method_asks_for_the_signers_permission(homeport, admin, api):
    iam = admin("iam")
    name = f"caller-{uuid.uuid4().hex[:8]}"
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    pair = key["AccessKeyId"], key["SecretAccessKey"]

    def allow(resource):
        statement = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": resource}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_user_policy(UserName=name, PolicyName="calls", PolicyDocument=document)

    refused = api.signed("/iam", *pair)
    assert refused.status == 403 and "is not authorized to perform: execute-api:Invoke" in refused.text
    allow(f"{api.arn}/beta/GET/iam")
    assert api.signed("/iam", *pair).status == 403
    allow(f"{api.arn}/prod/GET/iam")
    assert api.signed("/iam", *pair).said == (200, '{"ok":true}')
    assert api.call("/iam").said == NO_TOKEN
    wrong = api.signed("/iam", pair[0], pair[1][::-1])
    assert wrong.status == 403 and "The request signature we calculated does not match" in wrong.text
    assert wrong.headers["x-amzn-errortype"] == "InvalidSignatureException"
    unknown = api.signed("/iam", "AKIAAAAAAAAAAAAAAAAA", pair[1])
    assert unknown.said == (403, '{"message":"The security token included in the request is invalid."}')
    assert api.signed("/iam", *pair, token="no session").status == 403
    iam.delete_access_key(UserName=name, AccessKeyId=pair[0])
    assert api.signed("/iam", *pair).status == 403


def test_a_stage_that_is_asked_too_often_says_so(homeport):
    made = Api(homeport, "throttled")
    made.mock("/slow")
    made.mock("/free")
    made.deploy()
    made.patch_stage({"/~1slow/GET/throttling/rateLimit": "0.1", "/~1slow/GET/throttling/burstLimit": "3"})
    answers = [made.call("/slow") for _ in range(10)]
    # Each further node may let one more burst through.
    statuses = [answer.status for answer in answers]
    assert statuses[:3] == [200] * 3 and statuses[3 * NODES :] == [429] * (10 - 3 * NODES)
    assert answers[-1].said == (429, '{"message":"Too Many Requests"}')
    assert answers[-1].headers["x-amzn-errortype"] == "TooManyRequestsException"
    assert made.call("/free").status == 200


def test_calls_of_a_logged_stage_are_in_the_logs(homeport, admin, people):
    made = Api(homeport, "logged")
    made.mock("/id", **made.pool_authorizer(people))
    made.deploy()
    group = f"/apis/{made.id}"
    logs = admin("logs")
    logs.create_log_group(logGroupName=group)
    members = ["httpMethod", "resourcePath", "status", "error.responseType", "authorizer.claims.cognito:username"]
    made.patch_stage(
        {
            "/accessLogSettings/destinationArn": f"arn:aws:logs:us-east-1:{made.account}:log-group:{group}",
            "/accessLogSettings/format": " ".join(f"$context.{member}" for member in members),
        }
    )
    token = people.sign_in("ann")["IdToken"]
    assert made.call("/id", token).status == 200
    assert made.call("/id", "no").status == 401
    found = lines(logs, group, lambda found: len(found) >= 2)
    assert sorted(found) == ["GET /id 200 - ann", "GET /id 401 UNAUTHORIZED -"]
    assert all(token not in line for line in found)


def test_a_permission_is_for_one_api_stage_method_and_path(homeport, admin, echo):
    name, arn = echo
    functions, logs = admin("lambda"), admin("logs")

    def built(title):
        made = Api(homeport, title)
        made.function("/open", arn)
        made.function("/open", arn, "POST")
        made.function("/else", arn)
        made.mock("/judged", **made.function_authorizer(arn))
        made.deploy("prod")
        return made.deploy("beta")

    first, second = built("first"), built("second")
    policy = policy_of(functions, name)
    for made in (first, second):
        assert made.call("/open").said == FAILED
    assert policy_of(functions, name) == policy
    permit(admin, name, f"{first.arn}/prod/GET/open")
    for refused in (
        first.call("/open", stage="beta"),
        first.call("/open", method="POST"),
        first.call("/else"),
        second.call("/open"),
    ):
        assert refused.said == FAILED
        assert refused.headers["x-amzn-errortype"] == "InternalServerErrorException"
    judged = first.call("/judged", "token")
    assert judged.said == (500, '{"message":null}')
    assert judged.headers["x-amzn-errortype"] == "AuthorizerConfigurationException"
    assert first.call("/open").status == 201
    group, only = f"/aws/lambda/{name}", f"ran {first.id} prod GET /open"
    found = lines(logs, group, lambda found: only in found)
    runs = [line for line in found if line.startswith("ran ") and (first.id in line or second.id in line)]
    assert runs == [only]


def test_a_permission_for_another_account_opens_nothing(homeport, admin, echo):
    name, arn = echo
    made = Api(homeport, "accounts")
    made.function("/open", arn)
    made.deploy()
    permit(admin, name, f"{made.arn}/*", SourceAccount="999999999999")
    assert made.call("/open").said == FAILED
    permit(admin, name, f"{made.arn}/*", SourceAccount=made.account)
    assert made.call("/open").status == 201


def policy_of(functions, name):
    try:
        return functions.get_policy(FunctionName=name)["Policy"]
    except ClientError as refused:
        assert refused.response["Error"]["Code"] == "ResourceNotFoundException"
        return None
