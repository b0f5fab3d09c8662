"""Tables and items by boto3 (client and resource) and the AWS CLI."""

import decimal
import json
import os
import pathlib
import subprocess
import sys
import uuid

import boto3
import pytest
from boto3.dynamodb.conditions import Attr, Key
from botocore.exceptions import ClientError

LEADING_KEYS = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["ada"]}}


@pytest.fixture
def resource(homeport):
    own = homeport.credentials()
    return boto3.resource(
        "dynamodb",
        endpoint_url=homeport.url,
        region_name="us-east-1",
        aws_access_key_id=own["accessKeyId"],
        aws_secret_access_key=own["secretAccessKey"],
    )


@pytest.fixture
def table(resource):
    made = resource.create_table(
        TableName=f"notes-{uuid.uuid4()}",
        KeySchema=[{"AttributeName": "owner", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "owner", "AttributeType": "S"},
            {"AttributeName": "at", "AttributeType": "N"},
            {"AttributeName": "color", "AttributeType": "S"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-color",
                "KeySchema": [{"AttributeName": "color", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    made.wait_until_exists()
    yield made
    made.delete()
    made.wait_until_not_exists()


def refused(call, *args, **kwargs):
    with pytest.raises(ClientError) as error:
        call(*args, **kwargs)
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


def test_an_item_of_every_type_comes_back(table):
    item = {
        "owner": "ada",
        "at": decimal.Decimal("1.5"),
        "text": "ä \u0001 \"quoted\"",
        "big": decimal.Decimal("12345678901234567890123456789012345678"),
        "bytes": boto3.dynamodb.types.Binary(bytes(range(256))),
        "list": [True, None, {"deep": {1, 2}}],
        "words": {"a", "b"},
    }
    table.put_item(Item=item)
    assert table.get_item(Key={"owner": "ada", "at": decimal.Decimal("1.5")})["Item"] == item


def test_pages_filters_and_indexes(table):
    with table.batch_writer() as batch:
        for n in range(60):
            batch.put_item(Item={"owner": "ada", "at": n, "color": ["red", "blue", "green"][n % 3]})
    stretch = Key("owner").eq("ada") & Key("at").between(10, 20)
    found = table.query(KeyConditionExpression=stretch, FilterExpression=Attr("color").eq("red"))
    assert ([int(item["at"]) for item in found["Items"]], found["ScannedCount"]) == ([12, 15, 18], 11)
    code, said = refused(table.query, KeyConditionExpression=stretch, FilterExpression=Attr("at").eq(11))
    assert code == "ValidationException" and said.endswith("Primary key attribute: at")
    indexed = table.query(IndexName="by-color", KeyConditionExpression=Key("color").eq("blue"), Limit=3)
    assert [int(item["at"]) for item in indexed["Items"]] == [1, 4, 7]
    client = table.meta.client
    pages = client.get_paginator("scan").paginate(TableName=table.name, PaginationConfig={"PageSize": 7})
    assert sum(len(page["Items"]) for page in pages) == 60
    segments = [table.scan(Segment=n, TotalSegments=4)["Count"] for n in range(4)]
    assert sum(segments) == 60


def test_a_condition_that_fails_shows_the_item(table):
    table.put_item(Item={"owner": "ada", "at": 1, "v": "first"})
    with pytest.raises(table.meta.client.exceptions.ConditionalCheckFailedException) as failed:
        table.put_item(
            Item={"owner": "ada", "at": 1},
            ConditionExpression=Attr("owner").not_exists(),
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    assert failed.value.response["Item"]["v"] == {"S": "first"}


def test_an_update_that_only_removes_makes_no_item(table):
    nobody = {"owner": "removed", "at": 1}
    table.update_item(Key=nobody, UpdateExpression="REMOVE #t", ExpressionAttributeNames={"#t": "text"})
    assert "Item" not in table.get_item(Key=nobody, ConsistentRead=True)
    setting = {"UpdateExpression": "SET #t = :t", "ExpressionAttributeNames": {"#t": "text"}}
    table.update_item(Key=nobody, **setting, ExpressionAttributeValues={":t": "x"})
    table.update_item(Key=nobody, UpdateExpression="REMOVE #t", ExpressionAttributeNames={"#t": "text"})
    assert table.get_item(Key=nobody, ConsistentRead=True)["Item"] == nobody


def test_a_transaction_is_all_or_nothing(table):
    client = table.meta.client
    table.put_item(Item={"owner": "ada", "at": 1})
    new = {"Put": {"TableName": table.name, "Item": {"owner": "ada", "at": 2}}}
    taken = {
        "Put": {
            "TableName": table.name,
            "Item": {"owner": "ada", "at": 1},
            "ConditionExpression": "attribute_not_exists(#o)",
            "ExpressionAttributeNames": {"#o": "owner"},
        }
    }
    with pytest.raises(client.exceptions.TransactionCanceledException) as cancelled:
        client.transact_write_items(TransactItems=[new, taken])
    codes = [reason["Code"] for reason in cancelled.value.response["CancellationReasons"]]
    assert codes == ["None", "ConditionalCheckFailed"]
    assert "Item" not in table.get_item(Key={"owner": "ada", "at": 2})
    client.transact_write_items(TransactItems=[new])
    assert "Item" in table.get_item(Key={"owner": "ada", "at": 2})


def test_leading_keys_hold_a_user_to_their_rows(homeport, table, admin):
    name = f"ada-{uuid.uuid4()}"
    iam = admin("iam")
    iam.create_user(UserName=name)
    statement = {"Effect": "Allow", "Action": "dynamodb:*", "Resource": table.table_arn, "Condition": LEADING_KEYS}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName=name, PolicyName="own-rows", PolicyDocument=policy)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    ada = homeport.client("dynamodb", key["AccessKeyId"], key["SecretAccessKey"])
    own, other = ({"owner": {"S": who}, "at": {"N": "1"}} for who in ("ada", "bob"))
    ada.put_item(TableName=table.name, Item=own)
    assert ada.get_item(TableName=table.name, Key=own)["Item"] == own
    for call in (
        lambda: ada.put_item(TableName=table.name, Item=other),
        lambda: ada.get_item(TableName=table.name, Key=other),
        lambda: ada.delete_item(TableName=table.name, Key=other),
        lambda: ada.batch_get_item(RequestItems={table.name: {"Keys": [own, other]}}),
        lambda: ada.transact_write_items(TransactItems=[{"Put": {"TableName": table.name, "Item": other}}]),
    ):
        assert refused(call)[0] == "AccessDeniedException"
    assert table.scan()["Count"] == 1


def test_the_aws_cli_speaks_to_it(homeport, table):
    own = homeport.credentials()
    environment = {
        **os.environ,
        "AWS_ENDPOINT_URL": homeport.url,
        "AWS_ACCESS_KEY_ID": own["accessKeyId"],
        "AWS_SECRET_ACCESS_KEY": own["secretAccessKey"],
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_PAGER": "",
    }

    def aws(*words):
        program = pathlib.Path(sys.executable).parent / "aws"
        run = subprocess.run(
            [program, "dynamodb", *words, "--output", "json"], env=environment, capture_output=True, text=True, timeout=60
        )
        return run.returncode, run.stdout, run.stderr

    item = json.dumps({"owner": {"S": "cli"}, "at": {"N": "7"}, "color": {"S": "red"}})
    assert aws("put-item", "--table-name", table.name, "--item", item)[0] == 0
    status, out, _ = aws(
        "query", "--table-name", table.name, "--index-name", "by-color",
        "--key-condition-expression", "color = :c", "--expression-attribute-values", '{":c": {"S": "red"}}',
    )
    assert status == 0 and json.loads(out)["Items"] == [json.loads(item)]
    status, _, said = aws("get-item", "--table-name", "absent", "--key", '{"p": {"S": "a"}}')
    assert status != 0 and "ResourceNotFoundException" in said


def test_items_are_there_after_a_kill(fresh):
    server = fresh()
    client = server.client("dynamodb")
    client.create_table(
        TableName="kept",
        KeySchema=[{"AttributeName": "p", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "p", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    for n in range(20):
        client.put_item(TableName="kept", Item={"p": {"S": str(n)}})
    server.kill()
    server.start()
    assert server.client("dynamodb").scan(TableName="kept")["Count"] == 20
