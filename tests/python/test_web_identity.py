"""Tokens of user pools and identity pools for temporary credentials, and how those end with whom they were for."""

import base64
import json

import pytest
from botocore import UNSIGNED
from botocore.exceptions import ClientError

COGNITO = "cognito-identity.amazonaws.com"
PASSWORD = "Correct-Horse-1"


def trust(provider, audience_key, audience):
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": provider},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {audience_key: audience}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def refused(code, call, *arguments, **named):
    with pytest.raises(ClientError) as error:
        call(*arguments, **named)
    assert error.value.response["Error"]["Code"] == code, error.value


class SignedIn:
    """A user pool with one signed-in user."""

    def __init__(self, homeport, admin):
        self.homeport, self.admin = homeport, admin
        pools = admin("cognito-idp")
        self.pool = pools.create_user_pool(PoolName="web-identity")["UserPool"]["Id"]
        made = pools.create_user_pool_client(
            UserPoolId=self.pool, ClientName="app", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"]
        )
        self.client = made["UserPoolClient"]["ClientId"]
        pools.admin_create_user(UserPoolId=self.pool, Username="ada", MessageAction="SUPPRESS")
        pools.admin_set_user_password(UserPoolId=self.pool, Username="ada", Password=PASSWORD, Permanent=True)
        answer = self.anyone("cognito-idp").initiate_auth(
            ClientId=self.client,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": "ada", "PASSWORD": PASSWORD},
        )
        self.tokens = answer["AuthenticationResult"]

    def anyone(self, service):
        return self.homeport.client(service, signature_version=UNSIGNED)

    def issuer(self):
        payload = self.tokens["IdToken"].split(".")[1]
        return json.loads(base64.urlsafe_b64decode(payload + "=="))["iss"]

    def session(self, keys):
        secret = keys.get("SecretAccessKey") or keys["SecretKey"]
        return self.homeport.client("sts", keys["AccessKeyId"], secret, keys["SessionToken"])

    def disable(self):
        self.admin("cognito-idp").admin_disable_user(UserPoolId=self.pool, Username="ada")


@pytest.fixture
def ada(homeport, admin):
    return SignedIn(homeport, admin)


@pytest.fixture
def role(admin):
    """Makes roles for web identities, and removes them."""
    made = []

    def make(name, document):
        made.append(name)
        return admin("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]

    yield make
    for name in made:
        admin("iam").delete_role(RoleName=name)


def test_a_user_pools_id_token_gets_a_role_until_the_user_is_disabled(admin, ada, role):
    provider = admin("iam").create_open_id_connect_provider(Url=ada.issuer(), ClientIDList=[ada.client])
    arn = provider["OpenIDConnectProviderArn"]
    name = arn.split(":oidc-provider/")[1]
    web = role("web", trust(arn, f"{name}:aud", ada.client))
    ask = ada.anyone("sts").assume_role_with_web_identity
    asked = {"RoleArn": web, "RoleSessionName": "ada"}
    answer = ask(WebIdentityToken=ada.tokens["IdToken"], **asked)
    assert (answer["Provider"], answer["Audience"]) == (arn, ada.client)
    session = ada.session(answer["Credentials"])
    assert session.get_caller_identity()["Arn"].endswith(":assumed-role/web/ada")
    refused("InvalidIdentityToken", ask, WebIdentityToken=ada.tokens["AccessToken"], **asked)
    refused("InvalidIdentityToken", ask, WebIdentityToken=ada.tokens["IdToken"][:-8] + "AAAAAAAA", **asked)
    ada.disable()
    refused("InvalidClientTokenId", session.get_caller_identity)
    refused("InvalidIdentityToken", ask, WebIdentityToken=ada.tokens["IdToken"], **asked)


def test_a_role_for_another_audience_is_refused(admin, ada, role):
    provider = admin("iam").create_open_id_connect_provider(Url=ada.issuer(), ClientIDList=[ada.client])
    arn = provider["OpenIDConnectProviderArn"]
    other = role("other", trust(arn, f"{arn.split(':oidc-provider/')[1]}:aud", "another-client"))
    ask = ada.anyone("sts").assume_role_with_web_identity
    refused("AccessDenied", ask, RoleArn=other, RoleSessionName="ada", WebIdentityToken=ada.tokens["IdToken"])


def test_sessions_of_an_identity_pool_end_with_identity_and_user(admin, ada, role):
    identities = admin("cognito-identity")
    login = f"cognito-idp.us-east-1.amazonaws.com/{ada.pool}"
    pool = identities.create_identity_pool(
        IdentityPoolName="web-identity",
        AllowUnauthenticatedIdentities=True,
        CognitoIdentityProviders=[{"ProviderName": login, "ClientId": ada.client}],
    )["IdentityPoolId"]
    app = role("app-of-pool", trust(COGNITO, f"{COGNITO}:aud", pool))
    identities.set_identity_pool_roles(IdentityPoolId=pool, Roles={"authenticated": app, "unauthenticated": app})
    anyone, logins = ada.anyone("cognito-identity"), {login: ada.tokens["IdToken"]}
    guest_id = anyone.get_id(IdentityPoolId=pool)["IdentityId"]
    own_id = anyone.get_id(IdentityPoolId=pool, Logins=logins)["IdentityId"]
    guest = ada.session(anyone.get_credentials_for_identity(IdentityId=guest_id)["Credentials"])
    own = ada.session(anyone.get_credentials_for_identity(IdentityId=own_id, Logins=logins)["Credentials"])
    token = anyone.get_open_id_token(IdentityId=own_id, Logins=logins)["Token"]
    answer = ada.anyone("sts").assume_role_with_web_identity(
        RoleArn=app, RoleSessionName="classic", WebIdentityToken=token
    )
    assert (answer["Provider"], answer["SubjectFromWebIdentityToken"]) == (COGNITO, own_id)
    classic = ada.session(answer["Credentials"])
    for session in (guest, own, classic):
        assert ":assumed-role/app-of-pool/" in session.get_caller_identity()["Arn"]
    identities.delete_identities(IdentityIdsToDelete=[guest_id])
    refused("InvalidClientTokenId", guest.get_caller_identity)
    ada.disable()
    refused("InvalidClientTokenId", own.get_caller_identity)
    refused("InvalidClientTokenId", classic.get_caller_identity)
