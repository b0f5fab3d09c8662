"""User pools with users, what they are given, and what others make of it."""

import base64
import copy
import json

import jwt
from botocore import UNSIGNED
from cryptography.hazmat.primitives.asymmetric import rsa

PASSWORD = "Correct-horse7"
WRONG = "Wrong-horse7"
# The key of somebody who signs what looks like a pool's token, and how a token would bring it.
FOREIGN = rsa.generate_private_key(public_exponent=65537, key_size=2048)
BROUGHT = jwt.algorithms.RSAAlgorithm.to_jwk(FOREIGN.public_key(), as_dict=True)
FLOWS = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]


class UserPool:
    """A user pool with an app client; its users are made by the administrator."""

    def __init__(self, server, name="pool", client=None, **settings):
        self.server = server
        self.admin = server.client("cognito-idp")
        self.public = server.client("cognito-idp", signature_version=UNSIGNED)
        made = self.admin.create_user_pool(PoolName=name, **settings)["UserPool"]
        self.id, self.arn = made["Id"], made["Arn"]
        self.issuer = f"{server.url}/{self.id}"
        self.login = f"cognito-idp.us-east-1.amazonaws.com/{self.id}"
        self.app = self.new_app(**(client or {}))

    def at(self, server):
        """The same pool, asked at another node."""
        other = copy.copy(self)
        other.server, other.admin = server, server.client("cognito-idp")
        other.public = server.client("cognito-idp", signature_version=UNSIGNED)
        return other

    def new_app(self, **settings):
        given = {"ExplicitAuthFlows": FLOWS, **settings}
        made = self.admin.create_user_pool_client(UserPoolId=self.id, ClientName="app", **given)
        return made["UserPoolClient"]["ClientId"]

    def user(self, name, **attributes):
        given = [{"Name": key, "Value": value} for key, value in attributes.items()]
        self.admin.admin_create_user(
            UserPoolId=self.id, Username=name, MessageAction="SUPPRESS", UserAttributes=given
        )
        self.admin.admin_set_user_password(UserPoolId=self.id, Username=name, Password=PASSWORD, Permanent=True)
        return self

    def sign_in(self, name, password=PASSWORD, app=None):
        """`IdToken`, `AccessToken` and `RefreshToken`."""
        answer = self.public.initiate_auth(
            ClientId=app or self.app,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": name, "PASSWORD": password},
        )
        return answer["AuthenticationResult"]

    def status(self, name):
        """All that an administrator sees of a user: what a refused call must leave as it was."""
        shown = self.admin.admin_get_user(UserPoolId=self.id, Username=name)
        shown.pop("ResponseMetadata")
        return shown


def claims(token):
    return json.loads(decoded(token.split(".")[1]))


def decoded(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def encoded(value):
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def forgeries(token):
    """By name, every token that somebody makes who has this one and not the pool's key."""
    head, payload, signature = token.split(".")
    header, said = json.loads(decoded(head)), claims(token)
    raised = {**said, "cognito:groups": ["admins"], "username": "admin", "cognito:username": "admin"}
    later = {**said, "exp": said["exp"] + 86_400}
    flipped = signature[:-6] + ("A" if signature[-6] != "A" else "B") + signature[-5:]
    return {
        "payload altered": f"{head}.{encoded(raised)}.{signature}",
        "life prolonged": f"{head}.{encoded(later)}.{signature}",
        "signature altered": f"{head}.{payload}.{flipped}",
        "signature cut off": f"{head}.{payload}.",
        "two parts": f"{head}.{payload}",
        "alg none": f"{encoded({**header, 'alg': 'none'})}.{payload}.",
        "alg None": f"{encoded({**header, 'alg': 'None'})}.{payload}.{signature}",
        "a shared secret": jwt.encode(said, "0" * 32, "HS256", headers={"kid": header["kid"]}),
        "another key of the same id": jwt.encode(said, FOREIGN, "RS256", headers={"kid": header["kid"]}),
        "a key of an unknown id": jwt.encode(said, FOREIGN, "RS256", headers={"kid": "unknown"}),
        "a key that it brings": jwt.encode(said, FOREIGN, "RS256", headers={"kid": header["kid"], "jwk": BROUGHT}),
        "no token": "no.such.token",
    }
