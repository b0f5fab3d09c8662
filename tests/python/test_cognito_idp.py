"""User pools as boto3 uses them: pools, app clients, users, sign-in with a password, recovery, refusals."""

import base64
import hashlib
import hmac
import json
import time

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

PASSWORD = "Correct-horse7"


@pytest.fixture(scope="module")
def idp(homeport):
    return homeport.client("cognito-idp")


def unsigned(homeport):
    config = Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1})
    return boto3.client("cognito-idp", endpoint_url=homeport.url, region_name="us-east-1", config=config)


@pytest.fixture(scope="module")
def public(homeport):
    return unsigned(homeport)


@pytest.fixture(scope="module")
def pool(idp):
    return idp.create_user_pool(PoolName="boto3", AutoVerifiedAttributes=["email"])["UserPool"]["Id"]


@pytest.fixture(scope="module")
def app(idp, pool):
    return new_app(idp, pool)


def new_app(idp, pool):
    flows = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    made = idp.create_user_pool_client(UserPoolId=pool, ClientName="app", ExplicitAuthFlows=flows)
    return made["UserPoolClient"]["ClientId"]


def claims(token):
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def sign_up(homeport, public, app, name):
    address = f"{name}@example.com"
    attributes = [{"Name": "email", "Value": address}]
    public.sign_up(ClientId=app, Username=name, Password=PASSWORD, UserAttributes=attributes)
    public.confirm_sign_up(ClientId=app, Username=name, ConfirmationCode=homeport.code(address))


def sign_in(public, app, name, password=PASSWORD):
    parameters = {"USERNAME": name, "PASSWORD": password}
    answer = public.initiate_auth(ClientId=app, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=parameters)
    return answer["AuthenticationResult"]


def test_a_person_signs_up_confirms_and_signs_in(homeport, public, pool, app):
    sign_up(homeport, public, app, "ann")
    tokens = sign_in(public, app, "ann")
    user = public.get_user(AccessToken=tokens["AccessToken"])
    attributes = {a["Name"]: a["Value"] for a in user["UserAttributes"]}
    assert (user["Username"], attributes["email_verified"]) == ("ann", "true")
    assert claims(tokens["IdToken"])["iss"] == f"{homeport.url}/{pool}"
    parameters = {"REFRESH_TOKEN": tokens["RefreshToken"]}
    public.initiate_auth(ClientId=app, AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters=parameters)


def test_refusals_are_awss_own_exceptions(homeport, public, app):
    sign_up(homeport, public, app, "rob")
    with pytest.raises(public.exceptions.NotAuthorizedException):
        sign_in(public, app, "rob", "Wrong-horse7")
    with pytest.raises(public.exceptions.UsernameExistsException):
        public.sign_up(ClientId=app, Username="rob", Password=PASSWORD)
    with pytest.raises(public.exceptions.InvalidPasswordException):
        public.sign_up(ClientId=app, Username="weak", Password="weakling")
    with pytest.raises(public.exceptions.NotAuthorizedException):
        public.get_user(AccessToken="no.such.token")
    with pytest.raises(ClientError) as short:
        public.initiate_auth(ClientId=app, AuthFlow="USER_PASSWORD_AUTH", AuthParameters={"USERNAME": "rob"})
    assert short.value.response["Error"]["Code"] == "InvalidParameterException"


def test_a_forgotten_password_is_replaced(homeport, public, app):
    sign_up(homeport, public, app, "carol")
    public.forgot_password(ClientId=app, Username="carol")
    code = homeport.code("carol@example.com")
    reset = {"ClientId": app, "Username": "carol", "ConfirmationCode": code, "Password": "Another-horse7"}
    public.confirm_forgot_password(**reset)
    with pytest.raises(public.exceptions.ExpiredCodeException):
        public.confirm_forgot_password(**reset)
    sign_in(public, app, "carol", "Another-horse7")


def test_signing_out_everywhere_ends_every_token(homeport, public, app):
    sign_up(homeport, public, app, "dan")
    tokens = sign_in(public, app, "dan")
    public.global_sign_out(AccessToken=tokens["AccessToken"])
    with pytest.raises(public.exceptions.NotAuthorizedException):
        public.get_user(AccessToken=tokens["AccessToken"])
    parameters = {"REFRESH_TOKEN": tokens["RefreshToken"]}
    with pytest.raises(public.exceptions.NotAuthorizedException, match="Refresh Token has been revoked"):
        public.initiate_auth(ClientId=app, AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters=parameters)


def test_a_revoked_token_says_so_and_ends_its_own_sign_in_alone(homeport, public, app):
    sign_up(homeport, public, app, "ida")
    revoked, other = sign_in(public, app, "ida"), sign_in(public, app, "ida")

    def refresh(token):
        parameters = {"REFRESH_TOKEN": token}
        return public.initiate_auth(ClientId=app, AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters=parameters)

    refresh(revoked["RefreshToken"])
    public.revoke_token(ClientId=app, Token=revoked["RefreshToken"])
    with pytest.raises(public.exceptions.NotAuthorizedException, match="Refresh Token has been revoked"):
        refresh(revoked["RefreshToken"])
    with pytest.raises(public.exceptions.NotAuthorizedException, match="Invalid Refresh Token"):
        refresh("unheard-of")
    refresh(other["RefreshToken"])


def test_an_administrator_invites_groups_and_lists(idp, public, pool, app):
    made = idp.admin_create_user(
        UserPoolId=pool, Username="eve", TemporaryPassword=PASSWORD, MessageAction="SUPPRESS"
    )
    assert made["User"]["UserStatus"] == "FORCE_CHANGE_PASSWORD"
    parameters = {"USERNAME": "eve", "PASSWORD": PASSWORD}
    asked = public.initiate_auth(ClientId=app, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=parameters)
    assert asked["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    answers = {"USERNAME": "eve", "NEW_PASSWORD": "Another-horse7"}
    public.respond_to_auth_challenge(
        ClientId=app, ChallengeName="NEW_PASSWORD_REQUIRED", Session=asked["Session"], ChallengeResponses=answers
    )
    idp.create_group(UserPoolId=pool, GroupName="editors", Precedence=1)
    idp.admin_add_user_to_group(UserPoolId=pool, Username="eve", GroupName="editors")
    tokens = sign_in(public, app, "eve", "Another-horse7")
    assert claims(tokens["AccessToken"])["cognito:groups"] == ["editors"]
    found = idp.list_users(UserPoolId=pool, Filter='username ^= "ev"')["Users"]
    assert [user["Username"] for user in found] == ["eve"]
    pages = idp.get_paginator("list_users").paginate(UserPoolId=pool, PaginationConfig={"PageSize": 1})
    names = [user["Username"] for page in pages for user in page["Users"]]
    assert names == sorted(names) and "eve" in names


def test_a_secret_client_proves_its_secret(idp, public, homeport, pool, app):
    sign_up(homeport, public, app, "fay")
    made = idp.create_user_pool_client(
        UserPoolId=pool, ClientName="server", GenerateSecret=True, ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"]
    )["UserPoolClient"]
    message = ("fay" + made["ClientId"]).encode()
    digest = hmac.new(made["ClientSecret"].encode(), message, hashlib.sha256).digest()
    parameters = {"USERNAME": "fay", "PASSWORD": PASSWORD, "SECRET_HASH": base64.b64encode(digest).decode()}
    public.initiate_auth(ClientId=made["ClientId"], AuthFlow="USER_PASSWORD_AUTH", AuthParameters=parameters)
    del parameters["SECRET_HASH"]
    with pytest.raises(public.exceptions.NotAuthorizedException):
        public.initiate_auth(ClientId=made["ClientId"], AuthFlow="USER_PASSWORD_AUTH", AuthParameters=parameters)


def test_five_wrong_passwords_lock_the_right_one_out(homeport, public, app):
    sign_up(homeport, public, app, "gil")
    for _ in range(5):
        with pytest.raises(public.exceptions.NotAuthorizedException, match="Incorrect username or password"):
            sign_in(public, app, "gil", "Wrong-horse7")
    with pytest.raises(public.exceptions.NotAuthorizedException, match="Password attempts exceeded"):
        sign_in(public, app, "gil")
    time.sleep(1.1)
    sign_in(public, app, "gil")


def test_users_and_pools_survive_a_kill(fresh):
    server = fresh()
    idp, public = server.client("cognito-idp"), unsigned(server)
    pool = idp.create_user_pool(PoolName="kept", AutoVerifiedAttributes=["email"])["UserPool"]["Id"]
    app = new_app(idp, pool)
    sign_up(server, public, app, "hal")
    tokens = sign_in(public, app, "hal")
    server.kill()
    server.start()
    assert public.get_user(AccessToken=tokens["AccessToken"])["Username"] == "hal"
    sign_in(public, app, "hal")
    assert idp.describe_user_pool(UserPoolId=pool)["UserPool"]["Name"] == "kept"
