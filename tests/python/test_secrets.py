"""What a copy of the data folder gives away: secrets planted through the APIs, and a search of every byte for them."""

import base64
import io
import json
import pathlib
import re
import secrets
import zipfile

import postgres
import pytest
from botocore import UNSIGNED
from conftest import NODES

SOURCE = "import os\n\ndef handler(event, context):\n    return len(os.environ['PLANTED'])\n"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def base64_forms(value):
    """The characters that `value` must leave in any base64 text that holds it, whatever stands before and behind."""
    for before in range(3):
        text = base64.b64encode(b"\0" * before + value + b"\0" * (-(before + len(value)) % 3))
        first = -(-before * 8 // 6)
        whole = text[first : (before + len(value)) * 8 // 6]
        yield whole
        yield whole.replace(b"+", b"-").replace(b"/", b"_")


def forms(secret):
    """Every way to write `secret` that is searched for: as it is, as hex, as base64, and decoded where it is base64."""
    value = secret.encode()
    yield value
    yield value.hex().encode()
    yield value.hex().upper().encode()
    yield from base64_forms(value)
    if len(secret) >= 32 and re.fullmatch(r"[A-Za-z0-9+/_-]+=*", secret):
        standard = secret.rstrip("=").replace("-", "+").replace("_", "/")
        if len(standard) % 4 != 1:
            yield base64.b64decode(standard + "=" * (-len(standard) % 4))


def pattern(secret):
    """Finds any form of `secret`; digits alone are no part of a longer number."""
    if secret.isdigit():
        plain, *others = forms(secret)
        alone = rb"(?<![0-9])" + plain + rb"(?![0-9])"
        return re.compile(b"|".join([alone, *(re.escape(form) for form in set(others))]))
    return re.compile(b"|".join(re.escape(form) for form in set(forms(secret))))


def kept(server):
    """All that a server keeps, by name: its files, its log, and on several nodes what their database holds."""
    files = [path for path in server.data.parent.rglob("*") if path.is_file()]
    contents = {path: path.read_bytes() for path in files}
    if NODES > 1:
        contents["database"] = postgres.dump(pathlib.Path(f"{server.data}.database").read_text())
    return contents


def found(server, planted):
    """Which of the planted (name to value) lie in what the server keeps, and where."""
    contents = kept(server).items()
    return {
        name: str(place) for name, value in planted.items() for place, content in contents if pattern(value).search(content)
    }


def plant_in_user_pool(server):
    pools, anyone = server.client("cognito-idp"), server.client("cognito-idp", signature_version=UNSIGNED)
    pool = pools.create_user_pool(PoolName="secrets", AutoVerifiedAttributes=["email"])["UserPool"]["Id"]
    make = pools.create_user_pool_client
    confidential = make(UserPoolId=pool, ClientName="confidential", GenerateSecret=True)["UserPoolClient"]
    app = make(UserPoolId=pool, ClientName="app", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"])
    client = app["UserPoolClient"]["ClientId"]
    password, temporary = (f"Aa1!{secrets.token_hex(16)}" for _ in range(2))
    email = [{"Name": "email", "Value": "ada@example.com"}]
    anyone.sign_up(ClientId=client, Username="ada", Password=password, UserAttributes=email)
    confirmation = server.code("ada@example.com")
    anyone.confirm_sign_up(ClientId=client, Username="ada", ConfirmationCode=confirmation)
    answer = anyone.initiate_auth(
        ClientId=client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters={"USERNAME": "ada", "PASSWORD": password}
    )
    tokens = answer["AuthenticationResult"]
    anyone.forgot_password(ClientId=client, Username="ada")
    pools.admin_create_user(
        UserPoolId=pool, Username="bob", TemporaryPassword=temporary, MessageAction="SUPPRESS"
    )
    return {
        "password": password,
        "temporary password": temporary,
        "client secret": confidential["ClientSecret"],
        "spent confirmation code": confirmation,
        "waiting confirmation code": server.code("ada@example.com"),
        "refresh token": tokens["RefreshToken"],
        "ID token": tokens["IdToken"],
        "access token": tokens["AccessToken"],
        "signature of the ID token": tokens["IdToken"].rsplit(".", 1)[1],
    }


def plant_keys(server):
    iam = server.client("iam")
    iam.create_user(UserName="carol")
    made = iam.create_access_key(UserName="carol")["AccessKey"]
    carol = server.client("sts", made["AccessKeyId"], made["SecretAccessKey"])
    session = carol.get_session_token()["Credentials"]
    server.client("sts", session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"]).get_caller_identity()
    return {
        "administrator's secret": server.credentials()["secretAccessKey"],
        "user's secret": made["SecretAccessKey"],
        "session's secret": session["SecretAccessKey"],
        "session token": session["SessionToken"],
    }


def plant_in_function(server):
    value = secrets.token_hex(20)
    role = server.client("iam").create_role(RoleName="runs", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("planted.py", SOURCE)
    functions = server.client("lambda")
    functions.create_function(
        FunctionName="planted",
        Runtime="python3.12",
        Role=role,
        Handler="planted.handler",
        Code={"ZipFile": package.getvalue()},
        Environment={"Variables": {"PLANTED": value}},
    )
    answer = functions.invoke(FunctionName="planted")
    assert answer["Payload"].read() == b"40", "the function doesn't see its variable"
    return {"function's variable": value}


def plant_in_the_open(server):
    """No secrets: an item's attributes, in each form that is searched for."""
    plain, hexed, coded = (secrets.token_hex(16) for _ in range(3))
    items = server.client("dynamodb")
    items.create_table(
        TableName="open",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    behind = base64.b64encode(b"xy" + coded.encode() + b"z").decode()
    for name, text in {"plain": plain, "hexed": hexed.encode().hex(), "coded": behind}.items():
        items.put_item(TableName="open", Item={"id": {"S": name}, "text": {"S": text}})
    return {"plain": plain, "hexed": hexed, "coded": coded}


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_no_secret_lies_in_the_data_folder(fresh, end):
    server = fresh()
    open_values = plant_in_the_open(server)
    planted = {**plant_in_user_pool(server), **plant_keys(server), **plant_in_function(server)}
    assert all(planted.values()), [name for name, value in planted.items() if not value]
    running = found(server, planted)
    getattr(server, end)()
    assert set(found(server, open_values)) == set(open_values), "the search doesn't find what is there"
    assert (running, found(server, planted)) == ({}, {})
