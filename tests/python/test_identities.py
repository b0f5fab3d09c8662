"""Identity pools: whose tokens they take, and that guests and users reach their own items and files and no others."""

import time

import pytest
from botocore import UNSIGNED
from botocore.exceptions import ClientError
from identities import COGNITO, IdentityPool
from pools import PASSWORD, WRONG, UserPool, forgeries


@pytest.fixture(scope="module")
def people(homeport):
    pool = UserPool(homeport, "identities")
    for name in ("ann", "bob"):
        pool.user(name)
    return pool


@pytest.fixture(scope="module")
def notes(homeport, admin, people):
    """The pool with its table and bucket, in which the administrator keeps one public row."""
    pool = IdentityPool(homeport, people)
    admin("dynamodb").create_table(
        TableName=pool.table,
        KeySchema=[{"AttributeName": "owner", "KeyType": "HASH"}, {"AttributeName": "id", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("owner", "id")],
        BillingMode="PAY_PER_REQUEST",
    )
    admin("dynamodb").get_waiter("table_exists").wait(TableName=pool.table)
    admin("dynamodb").put_item(TableName=pool.table, Item={**key("public"), "text": {"S": "Welcome."}})
    admin("s3").create_bucket(Bucket=pool.bucket)
    return pool


class Holder:
    """Somebody with credentials of the pool."""

    def __init__(self, notes, token=None):
        self.identity = notes.id(token)
        keys = notes.credentials(self.identity, token)
        self.rows, self.files, self.sts = (notes.client(service, keys) for service in ("dynamodb", "s3", "sts"))


def key(owner, id="1"):
    return {"owner": {"S": owner}, "id": {"S": id}}


def refused(code, call, *arguments, **named):
    with pytest.raises(ClientError) as error:
        call(*arguments, **named)
    assert error.value.response["Error"]["Code"] == code, error.value
    return error.value.response["Error"]["Message"]


def kept(admin, notes):
    """Every row and every file."""
    rows = admin("dynamodb").scan(TableName=notes.table, ConsistentRead=True)["Items"]
    files = admin("s3").list_objects_v2(Bucket=notes.bucket).get("Contents", [])
    return sorted(map(str, rows)), [(file["Key"], file["ETag"]) for file in files]


def test_only_a_configured_clients_id_token_is_a_login(homeport, people, notes):
    tokens = people.sign_in("ann")
    own = notes.id(tokens["IdToken"])
    assert notes.id(tokens["IdToken"], people.issuer.removeprefix("http://")) == own
    foreign = UserPool(homeport, "identities-foreign").user("ann").sign_in("ann")["IdToken"]
    wrong = {
        **forgeries(tokens["IdToken"]),
        "an access token": tokens["AccessToken"],
        "a refresh token": tokens["RefreshToken"],
        "another client's": people.sign_in("ann", app=people.new_app())["IdToken"],
        "another pool's": foreign,
    }
    before = notes.known()
    for name, token in wrong.items():
        for call in (
            lambda: notes.id(token),
            lambda: notes.credentials(own, token),
            lambda: notes.open_id(own, token),
        ):
            message = refused("NotAuthorizedException", call)
            assert own not in message, name
    for login in ("graph.facebook.com", "cognito-idp.us-east-1.amazonaws.com/us-east-1_Another00"):
        refused("NotAuthorizedException", notes.id, tokens["IdToken"], login)
    assert notes.known() == before
    notes.credentials(own, tokens["IdToken"])


def test_an_identity_gives_credentials_to_its_own_user_alone(people, notes):
    ann, bob = (people.sign_in(name)["IdToken"] for name in ("ann", "bob"))
    anns = notes.id(ann)
    assert notes.id(bob) != anns
    for token in (None, bob):
        refused("NotAuthorizedException", notes.credentials, anns, token)
        refused("NotAuthorizedException", notes.open_id, anns, token)
    refused("ResourceNotFoundException", notes.credentials, "us-east-1:00000000-0000-4000-8000-000000000000")
    notes.credentials(anns, ann)


def test_a_guest_and_another_user_reach_nobodys_item(admin, people, notes):
    ann, bob = (Holder(notes, people.sign_in(name)["IdToken"]) for name in ("ann", "bob"))
    guest = Holder(notes)
    table = notes.table
    secret = {**key(ann.identity), "text": {"S": "secret"}}
    ann.rows.put_item(TableName=table, Item=secret)
    before = kept(admin, notes)
    own = {"TableName": table, "Key": key(ann.identity)}
    of_owner = {"KeyConditionExpression": "#o = :o", "ExpressionAttributeNames": {"#o": "owner"}}
    for who in (bob, guest):
        mine = key(who.identity)
        for call in (
            lambda: who.rows.get_item(**own),
            lambda: who.rows.put_item(TableName=table, Item=key(ann.identity)),
            lambda: who.rows.update_item(
                **own, UpdateExpression="SET #t = :t", ExpressionAttributeNames={"#t": "text"},
                ExpressionAttributeValues={":t": {"S": "taken"}},
            ),
            lambda: who.rows.delete_item(**own),
            lambda: who.rows.query(
                TableName=table, **of_owner, ExpressionAttributeValues={":o": {"S": ann.identity}}
            ),
            lambda: who.rows.scan(TableName=table),
            lambda: who.rows.batch_get_item(RequestItems={table: {"Keys": [mine, key(ann.identity)]}}),
            lambda: who.rows.batch_write_item(
                RequestItems={table: [{"PutRequest": {"Item": item}} for item in (mine, key(ann.identity))]}
            ),
            lambda: who.rows.batch_write_item(RequestItems={table: [{"DeleteRequest": {"Key": key(ann.identity)}}]}),
            lambda: who.rows.transact_get_items(TransactItems=[{"Get": own}]),
            lambda: who.rows.transact_write_items(TransactItems=[{"Delete": own}]),
            lambda: who.rows.transact_write_items(
                TransactItems=[{"Put": {"TableName": table, "Item": mine}}, {"Delete": own}]
            ),
            lambda: who.rows.describe_table(TableName=table),
            lambda: who.rows.delete_table(TableName=table),
        ):
            refused("AccessDeniedException", call)
    refused("AccessDeniedException", guest.rows.put_item, TableName=table, Item=key("public"))
    refused("AccessDeniedException", guest.rows.put_item, TableName=table, Item=key(guest.identity))
    assert kept(admin, notes) == before
    assert ann.rows.get_item(**own)["Item"] == secret
    assert guest.rows.get_item(TableName=table, Key=key("public"))["Item"]["text"]["S"] == "Welcome."
    bob.rows.put_item(TableName=table, Item=key(bob.identity))
    found = bob.rows.query(TableName=table, **of_owner, ExpressionAttributeValues={":o": {"S": bob.identity}})
    assert found["Items"] == [key(bob.identity)]


def test_a_guest_and_another_user_reach_nobodys_prefix(admin, people, notes):
    ann, bob = (Holder(notes, people.sign_in(name)["IdToken"]) for name in ("ann", "bob"))
    guest, bucket = Holder(notes), notes.bucket
    ann.files.put_object(Bucket=bucket, Key=f"{ann.identity}/secret", Body=b"secret")
    before = kept(admin, notes)
    place = {"Bucket": bucket, "Key": f"{ann.identity}/secret"}
    source = f"{bucket}/{place['Key']}"
    for who in (bob, guest):
        for call in (
            lambda: who.files.get_object(**place),
            lambda: who.files.put_object(**place, Body=b"taken"),
            lambda: who.files.delete_object(**place),
            lambda: who.files.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": place["Key"]}]}),
            lambda: who.files.copy_object(Bucket=bucket, Key=f"{who.identity}/copy", CopySource=source),
            lambda: who.files.create_multipart_upload(**place),
            lambda: who.files.list_objects_v2(Bucket=bucket),
            lambda: who.files.list_objects_v2(Bucket=bucket, Prefix=f"{ann.identity}/"),
            lambda: who.files.list_objects_v2(Bucket=bucket, Prefix=f"{who.identity}"),
            lambda: who.files.put_object(Bucket=bucket, Key=f"{ann.identity}/../{who.identity}", Body=b""),
            lambda: who.files.put_object(Bucket=bucket, Key=who.identity, Body=b""),
            lambda: who.files.put_bucket_policy(Bucket=bucket, Policy="{}"),
            lambda: who.files.delete_bucket(Bucket=bucket),
        ):
            code = called(call)
            assert code == "AccessDenied", code
        # The whole body of `HEAD` is its status.
        refused("403", who.files.head_object, **place)
    refused("AccessDenied", guest.files.put_object, Bucket=bucket, Key=f"{guest.identity}/own", Body=b"")
    assert kept(admin, notes) == before
    assert ann.files.get_object(**place)["Body"].read() == b"secret"
    bob.files.put_object(Bucket=bucket, Key=f"{bob.identity}/own", Body=b"mine")
    listed = bob.files.list_objects_v2(Bucket=bucket, Prefix=f"{bob.identity}/")
    assert [file["Key"] for file in listed["Contents"]] == [f"{bob.identity}/own"]


def called(call):
    """The code of a refusal; of `DeleteObjects`, which answers for each key, that of its only one."""
    try:
        answer = call()
    except ClientError as error:
        return error.response["Error"]["Code"]
    return answer["Errors"][0]["Code"] if answer.get("Errors") else answer


@pytest.mark.parametrize("end", ["disabled", "signed out", "signed out by themselves", "deleted"])
def test_credentials_end_with_their_user(people, notes, end):
    name = f"user-{end.replace(' ', '-')}"
    people.user(name)
    tokens = people.sign_in(name)
    ann, holder = Holder(notes, people.sign_in("ann")["IdToken"]), Holder(notes, tokens["IdToken"])
    item = {"TableName": notes.table, "Key": key(holder.identity)}
    place = {"Bucket": notes.bucket, "Key": f"{holder.identity}/own"}
    holder.rows.get_item(**item)
    holder.files.put_object(**place, Body=b"1")
    user = {"UserPoolId": people.id, "Username": name}
    {
        "disabled": lambda: people.admin.admin_disable_user(**user),
        "signed out": lambda: people.admin.admin_user_global_sign_out(**user),
        "signed out by themselves": lambda: people.public.global_sign_out(AccessToken=tokens["AccessToken"]),
        "deleted": lambda: people.admin.admin_delete_user(**user),
    }[end]()
    ended = time.monotonic() + 1
    while time.monotonic() < ended and not ends(holder.sts):
        time.sleep(0.02)
    refused("InvalidClientTokenId", holder.sts.get_caller_identity)
    refused("UnrecognizedClientException", holder.rows.get_item, **item)
    refused("UnrecognizedClientException", holder.rows.put_item, TableName=notes.table, Item=key(holder.identity))
    refused("InvalidToken", holder.files.put_object, **place, Body=b"2")
    refused("NotAuthorizedException", notes.id, tokens["IdToken"])
    # With a deleted user goes the identity.
    code = "ResourceNotFoundException" if end == "deleted" else "NotAuthorizedException"
    refused(code, notes.credentials, holder.identity, tokens["IdToken"])
    ann.sts.get_caller_identity()
    if end.startswith("signed out"):
        again = people.sign_in(name)["IdToken"]
        assert Holder(notes, again).files.get_object(**place)["Body"].read() == b"1"


def ends(sts):
    try:
        sts.get_caller_identity()
        return False
    except ClientError:
        return True


def own_calls(public, token):
    """What users do about themselves, with this as their access token."""
    attributes = [{"Name": "nickname", "Value": "taken"}]
    return (
        lambda: public.get_user(AccessToken=token),
        lambda: public.update_user_attributes(AccessToken=token, UserAttributes=attributes),
        lambda: public.delete_user_attributes(AccessToken=token, UserAttributeNames=["nickname"]),
        lambda: public.change_password(AccessToken=token, PreviousPassword=PASSWORD, ProposedPassword=WRONG),
        lambda: public.global_sign_out(AccessToken=token),
        lambda: public.delete_user(AccessToken=token),
    )


def test_a_users_own_calls_take_that_users_access_token_alone(homeport, people):
    people.user("dan")
    tokens = people.sign_in("dan")
    public = people.public
    wrong = {
        **forgeries(tokens["AccessToken"]),
        "an ID token": tokens["IdToken"],
        "a refresh token": tokens["RefreshToken"],
    }
    before = people.status("dan")
    for token in wrong.values():
        for call in own_calls(public, token):
            assert called(call) in ("NotAuthorizedException", "InvalidParameterException")
    assert people.status("dan") == before
    assert public.get_user(AccessToken=tokens["AccessToken"])["Username"] == "dan"
    people.sign_in("dan")
    foreign = UserPool(homeport, "identities-own").user("dan").sign_in("dan")["AccessToken"]
    assert public.get_user(AccessToken=foreign)["Username"] == "dan"
    assert people.status("dan") == before


def assume(server, role, token):
    """Takes a role with an OpenID token of an identity pool; gives the identity that the session is of."""
    ask = server.client("sts", signature_version=UNSIGNED).assume_role_with_web_identity
    answer = ask(RoleArn=role, RoleSessionName="app", WebIdentityToken=token)
    assert answer["Provider"] == COGNITO
    keys = answer["Credentials"]
    server.client("sts", keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"]).get_caller_identity()
    return answer["SubjectFromWebIdentityToken"]


def test_an_open_id_token_is_neither_an_access_token_nor_a_login(homeport, people, notes):
    people.user("eve")
    tokens = people.sign_in("eve")
    own, guest = notes.id(tokens["IdToken"]), notes.id()
    of_user, of_guest = notes.open_id(own, tokens["IdToken"]), notes.open_id(guest)
    before = people.status("eve"), notes.known()
    for token in (of_user, of_guest):
        for call in own_calls(people.public, token):
            refused("NotAuthorizedException", call)
        for login in (people.login, people.issuer.removeprefix("http://"), COGNITO):
            refused("NotAuthorizedException", notes.id, token, login)
            refused("NotAuthorizedException", notes.credentials, own, token, login)
            refused("NotAuthorizedException", notes.open_id, own, token, login)
    assert (people.status("eve"), notes.known()) == before
    assert people.public.get_user(AccessToken=tokens["AccessToken"])["Username"] == "eve"
    assert notes.id(tokens["IdToken"]) == own
    notes.credentials(own, tokens["IdToken"])
    assert assume(homeport, notes.roles["authenticated"], of_user) == own
    assert assume(homeport, notes.roles["unauthenticated"], of_guest) == guest


def test_a_role_for_identities_takes_their_pools_open_id_token_alone(homeport, people, notes):
    tokens = people.sign_in("ann")
    own, guest = notes.id(tokens["IdToken"]), notes.id()
    of_user, of_guest = notes.open_id(own, tokens["IdToken"]), notes.open_id(guest)
    other = IdentityPool(homeport, people)
    of_other = other.open_id(other.id(tokens["IdToken"]), tokens["IdToken"])
    for_users, for_guests = notes.roles["authenticated"], notes.roles["unauthenticated"]
    kinds = {kind: tokens[kind] for kind in ("IdToken", "AccessToken", "RefreshToken")}
    for name, token in {**forgeries(of_user), **kinds}.items():
        code = called(lambda: assume(homeport, for_users, token))
        assert code == "InvalidIdentityToken", (name, code)
    for role, token in ((for_users, of_guest), (for_guests, of_user), (for_users, of_other)):
        refused("AccessDenied", assume, homeport, role, token)
    assert assume(homeport, for_users, of_user) == own
    assert assume(homeport, for_guests, of_guest) == guest
    assume(homeport, other.roles["authenticated"], of_other)
