"""An identity pool whose users own the rows and files under their identity, and whose guests read one public row."""

import json
import uuid

from botocore import UNSIGNED

COGNITO = "cognito-identity.amazonaws.com"
ITEM_CALLS = ("Get", "Put", "Update", "Delete", "BatchGet", "BatchWrite")
SUB = "${cognito-identity.amazonaws.com:sub}"


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **s} for s in statements]})


class IdentityPool:
    """Made with its two roles; `table` and `bucket` are what the roles speak of."""

    def __init__(self, server, people, clients=None):
        self.server, self.people, self.login = server, people, people.login
        self.admin = server.client("cognito-identity")
        self.public = server.client("cognito-identity", signature_version=UNSIGNED)
        mark = uuid.uuid4().hex[:8]
        self.table, self.bucket = f"notes-{mark}", f"notes-{mark}"
        providers = [{"ProviderName": people.login, "ClientId": client} for client in clients or [people.app]]
        self.pool = self.admin.create_identity_pool(
            IdentityPoolName="notes", AllowUnauthenticatedIdentities=True, CognitoIdentityProviders=providers
        )["IdentityPoolId"]
        self.roles = {
            "authenticated": self.role(f"user-{mark}", "authenticated", self.users_policy()),
            "unauthenticated": self.role(f"guest-{mark}", "unauthenticated", self.guests_policy()),
        }
        self.admin.set_identity_pool_roles(IdentityPoolId=self.pool, Roles=self.roles)

    def role(self, name, amr, allowed):
        iam = self.server.client("iam")
        trust = policy(
            {
                "Principal": {"Federated": COGNITO},
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": {
                    "StringEquals": {f"{COGNITO}:aud": self.pool},
                    "ForAnyValue:StringLike": {f"{COGNITO}:amr": amr},
                },
            }
        )
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=allowed)
        return arn

    def users_policy(self):
        return policy(
            {
                "Action": ["dynamodb:Query", *(f"dynamodb:{name}Item" for name in ITEM_CALLS)],
                "Resource": f"arn:aws:dynamodb:*:*:table/{self.table}",
                "Condition": {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [SUB]}},
            },
            {
                "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
                "Resource": f"arn:aws:s3:::{self.bucket}/{SUB}/*",
            },
            {
                "Action": "s3:ListBucket",
                "Resource": f"arn:aws:s3:::{self.bucket}",
                "Condition": {"StringLike": {"s3:prefix": f"{SUB}/*"}},
            },
        )

    def guests_policy(self):
        return policy(
            {
                "Action": "dynamodb:GetItem",
                "Resource": f"arn:aws:dynamodb:*:*:table/{self.table}",
                "Condition": {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["public"]}},
            }
        )

    def logins(self, token, login=None):
        return {"Logins": {login or self.login: token}} if token else {}

    def id(self, token=None, login=None):
        return self.public.get_id(IdentityPoolId=self.pool, **self.logins(token, login))["IdentityId"]

    def credentials(self, identity, token=None, login=None):
        asked = self.logins(token, login)
        return self.public.get_credentials_for_identity(IdentityId=identity, **asked)["Credentials"]

    def open_id(self, identity, token=None, login=None):
        return self.public.get_open_id_token(IdentityId=identity, **self.logins(token, login))["Token"]

    def known(self):
        """All identities of the pool: what a refused call must leave as it was."""
        found = self.admin.list_identities(IdentityPoolId=self.pool, MaxResults=60)["Identities"]
        return sorted(json.dumps(identity, default=str, sort_keys=True) for identity in found)

    def client(self, service, keys):
        return self.server.client(service, keys["AccessKeyId"], keys["SecretKey"], keys["SessionToken"])
