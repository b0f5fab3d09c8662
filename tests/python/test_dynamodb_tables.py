"""What tables have beside their items, by boto3: streams, time to live, indexes that come and go, backups, policies."""

import gzip
import json
import time
import uuid
import zlib

import pytest
import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

PATIENCE_SECONDS = 60


@pytest.fixture
def tables(admin):
    return admin("dynamodb")


@pytest.fixture
def streams(admin):
    return admin("dynamodbstreams")


@pytest.fixture
def name(tables):
    name = f"notes-{uuid.uuid4()}"
    yield name
    for made in (name, f"{name}-copy"):
        try:
            tables.update_continuous_backups(
                TableName=made, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False}
            )
            tables.delete_table(TableName=made)
        except ClientError:
            pass


def create(tables, name, **more):
    made = tables.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        **more,
    )
    tables.get_waiter("table_exists").wait(TableName=name)
    return made["TableDescription"]


def put(tables, name, id_, **attributes):
    tables.put_item(TableName=name, Item={"id": {"S": id_}, **attributes})


def refused(call, *args, **kwargs):
    with pytest.raises(ClientError) as error:
        call(*args, **kwargs)
    return error.value.response["Error"]["Code"]


def until(holds):
    """Waits for what is done behind an answer."""
    deadline = time.time() + PATIENCE_SECONDS
    while time.time() < deadline:
        found = holds()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"{holds.__name__} did not come to hold in {PATIENCE_SECONDS} s")


def records_of(streams, arn):
    """All records of a stream, and whether it goes on."""
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    begin = streams.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    iterator, records = begin["ShardIterator"], []
    while iterator:
        answer = streams.get_records(ShardIterator=iterator)
        records += answer["Records"]
        iterator = answer.get("NextShardIterator")
        if not answer["Records"]:
            break
    return records, iterator is not None


def test_a_stream_tells_all_changes_in_order_to_whoever_may_read_it(homeport, admin, tables, streams, name):
    made = create(tables, name, StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"})
    arn = made["LatestStreamArn"]
    for number in range(30):
        put(tables, name, "counter", n={"N": str(number)})
    tables.delete_item(TableName=name, Key={"id": {"S": "counter"}})
    records, goes_on = records_of(streams, arn)
    assert goes_on
    assert [record["eventName"] for record in records] == ["INSERT"] + ["MODIFY"] * 29 + ["REMOVE"]
    numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
    assert numbers == sorted(numbers, key=int)
    assert records[7]["dynamodb"]["OldImage"]["n"] == {"N": "6"}
    assert records[7]["dynamodb"]["NewImage"]["n"] == {"N": "7"}
    user = f"reader-{uuid.uuid4()}"
    admin("iam").create_user(UserName=user)
    key = admin("iam").create_access_key(UserName=user)["AccessKey"]
    reader = homeport.client("dynamodbstreams", key["AccessKeyId"], key["SecretAccessKey"])
    assert refused(reader.describe_stream, StreamArn=arn) == "AccessDeniedException"
    statement = {"Effect": "Allow", "Action": "dynamodb:*Stream*", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    admin("iam").put_user_policy(UserName=user, PolicyName="reads", PolicyDocument=policy)
    assert reader.describe_stream(StreamArn=arn)["StreamDescription"]["StreamStatus"] == "ENABLED"
    assert refused(reader.get_records, ShardIterator=f"{arn}|1|AAAA") in ("AccessDeniedException", "ValidationException")
    tables.update_table(TableName=name, StreamSpecification={"StreamEnabled": False})
    assert records_of(streams, arn) == (records, False)


def test_items_expire_within_a_minute_and_the_stream_says_who_removed_them(tables, streams, name):
    made = create(tables, name, StreamSpecification={"StreamEnabled": True, "StreamViewType": "OLD_IMAGE"})
    put(tables, name, "before", gone={"N": str(int(time.time()) - 1)})
    tables.update_time_to_live(
        TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": "gone"}
    )
    put(tables, name, "after", gone={"N": str(int(time.time()) + 1)})
    put(tables, name, "later", gone={"N": str(int(time.time()) + 3_600)})
    put(tables, name, "never")

    def are_gone():
        found = tables.scan(TableName=name, ConsistentRead=True)["Items"]
        return sorted(item["id"]["S"] for item in found) == ["later", "never"]

    until(are_gone)
    removed = [record for record in records_of(streams, made["LatestStreamArn"])[0] if record["eventName"] == "REMOVE"]
    assert {record["dynamodb"]["Keys"]["id"]["S"] for record in removed} == {"before", "after"}
    assert all(record["userIdentity"]["Type"] == "Service" for record in removed)
    assert tables.describe_time_to_live(TableName=name)["TimeToLiveDescription"] == {
        "TimeToLiveStatus": "ENABLED",
        "AttributeName": "gone",
    }


def test_an_index_is_added_while_items_are_written_and_dropped_again(tables, name):
    create(tables, name)
    for number in range(60):
        put(tables, name, f"{number:03}", color={"S": "red" if number % 2 else "blue"})
    tables.update_table(
        TableName=name,
        AttributeDefinitions=[
            {"AttributeName": "color", "AttributeType": "S"},
            {"AttributeName": "id", "AttributeType": "S"},
        ],
        GlobalSecondaryIndexUpdates=[
            {
                "Create": {
                    "IndexName": "by-color",
                    "KeySchema": [{"AttributeName": "color", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "ALL"},
                }
            }
        ],
    )
    put(tables, name, "late", color={"S": "red"})

    def is_active():
        described = tables.describe_table(TableName=name)["Table"]
        return described["TableStatus"] == "ACTIVE" and described["GlobalSecondaryIndexes"][0]["IndexStatus"] == "ACTIVE"

    until(is_active)
    asked = {
        "TableName": name,
        "IndexName": "by-color",
        "KeyConditionExpression": "color = :c",
        "ExpressionAttributeValues": {":c": {"S": "red"}},
    }
    assert tables.query(**asked)["Count"] == 31
    tables.update_table(TableName=name, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "by-color"}}])
    assert refused(tables.query, **asked) == "ValidationException"
    assert "GlobalSecondaryIndexes" not in tables.describe_table(TableName=name)["Table"]


def test_a_backup_and_a_moment_bring_back_what_was(tables, name):
    create(tables, name)
    copy = f"{name}-copy"
    put(tables, name, "a", v={"S": "kept"})
    tables.update_continuous_backups(
        TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    backup = tables.create_backup(TableName=name, BackupName="nightly")["BackupDetails"]["BackupArn"]
    until(lambda: status_of(tables, backup) == "AVAILABLE")
    time.sleep(1.1)
    moment = time.time()
    time.sleep(1.1)
    put(tables, name, "a", v={"S": "overwritten"})
    put(tables, name, "b", v={"S": "new"})
    tables.restore_table_from_backup(TargetTableName=copy, BackupArn=backup)
    until(lambda: tables.describe_table(TableName=copy)["Table"]["TableStatus"] == "ACTIVE")
    assert tables.scan(TableName=copy)["Items"] == [{"id": {"S": "a"}, "v": {"S": "kept"}}]
    tables.delete_table(TableName=copy)
    tables.restore_table_to_point_in_time(SourceTableName=name, TargetTableName=copy, RestoreDateTime=moment)
    until(lambda: tables.describe_table(TableName=copy)["Table"]["TableStatus"] == "ACTIVE")
    assert tables.scan(TableName=copy)["Items"] == [{"id": {"S": "a"}, "v": {"S": "kept"}}]
    assert refused(
        tables.restore_table_from_backup, TargetTableName=copy, BackupArn=backup
    ) == "TableAlreadyExistsException"
    tables.delete_backup(BackupArn=backup)
    assert refused(tables.describe_backup, BackupArn=backup) == "BackupNotFoundException"


def status_of(tables, backup):
    return tables.describe_backup(BackupArn=backup)["BackupDescription"]["BackupDetails"]["BackupStatus"]


def test_a_tables_policy_lets_in_whom_it_names(homeport, admin, tables, name):
    made = create(tables, name)
    put(tables, name, "a")
    users = {}
    for label in ("named", "other"):
        user = admin("iam").create_user(UserName=f"{label}-{uuid.uuid4()}")["User"]
        key = admin("iam").create_access_key(UserName=user["UserName"])["AccessKey"]
        users[label] = user["Arn"], homeport.client("dynamodb", key["AccessKeyId"], key["SecretAccessKey"])
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": users["named"][0]},
        "Action": "dynamodb:GetItem",
        "Resource": made["TableArn"],
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    revision = tables.put_resource_policy(ResourceArn=made["TableArn"], Policy=policy)["RevisionId"]
    read = {"TableName": name, "Key": {"id": {"S": "a"}}}
    assert users["named"][1].get_item(**read)["Item"]
    assert refused(users["other"][1].get_item, **read) == "AccessDeniedException"
    assert refused(users["named"][1].delete_item, **read) == "AccessDeniedException"
    assert tables.get_resource_policy(ResourceArn=made["TableArn"])["RevisionId"] == revision
    tables.delete_resource_policy(ResourceArn=made["TableArn"])
    assert refused(users["named"][1].get_item, **read) == "AccessDeniedException"
    assert refused(tables.get_resource_policy, ResourceArn=made["TableArn"]) == "PolicyNotFoundException"


def call(homeport, operation, body, **headers):
    """A signed call as it goes over the wire."""
    own = homeport.credentials()
    request = AWSRequest(
        "POST",
        homeport.url,
        data=body,
        headers={
            "X-Amz-Target": f"DynamoDB_20120810.{operation}",
            "Content-Type": "application/x-amz-json-1.0",
            **headers,
        },
    )
    SigV4Auth(Credentials(own["accessKeyId"], own["secretAccessKey"]), "dynamodb", "us-east-1").add_auth(request)
    sent = urllib3.PoolManager().request(
        "POST", homeport.url, body=body, headers=dict(request.headers), decode_content=False
    )
    return sent


def test_bodies_may_be_packed_and_answers_carry_their_checksum(homeport, tables, name):
    create(tables, name)
    put(tables, name, "a", text={"S": "x" * 5_000})
    body = json.dumps({"TableName": name, "Key": {"id": {"S": "a"}}}).encode()
    plain = call(homeport, "GetItem", body)
    assert plain.status == 200 and "content-encoding" not in plain.headers
    assert int(plain.headers["x-amz-crc32"]) == zlib.crc32(plain.data)
    packed = call(homeport, "GetItem", gzip.compress(body), **{"Content-Encoding": "gzip", "Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["x-amz-crc32"]) == zlib.crc32(packed.data)
    assert gzip.decompress(packed.data) == plain.data
    broken = call(homeport, "GetItem", b"\x1f\x8b nothing", **{"Content-Encoding": "gzip"})
    assert broken.status == 400 and b"SerializationException" in broken.data
    bomb = gzip.compress(b" " * (17 << 20))
    assert call(homeport, "GetItem", bomb, **{"Content-Encoding": "gzip"}).status == 413


def test_an_index_with_keys_of_several_attributes_is_asked_from_the_left(tables, name):
    kinds = {"id": "S", "team": "S", "season": "N", "round": "N", "court": "S"}
    tables.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": kind} for key, kind in kinds.items()],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "games",
                "KeySchema": [
                    {"AttributeName": "team", "KeyType": "HASH"},
                    {"AttributeName": "season", "KeyType": "HASH"},
                    {"AttributeName": "round", "KeyType": "RANGE"},
                    {"AttributeName": "court", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    for number, (season, round_, court) in enumerate([(1, 1, "b"), (1, 1, "a"), (1, 2, "a"), (2, 1, "a")]):
        put(tables, name, str(number), team={"S": "x"}, season={"N": str(season)}, round={"N": str(round_)}, court={"S": court})

    def ids(condition, values):
        answer = tables.query(
            TableName=name,
            IndexName="games",
            KeyConditionExpression=condition,
            ExpressionAttributeValues={f":{key}": {kinds[key]: value} for key, value in values.items()},
        )
        return [item["id"]["S"] for item in answer["Items"]]

    of_season = {"team": "x", "season": "1"}
    assert ids("team = :team AND season = :season", of_season) == ["1", "0", "2"]
    both = "team = :team AND season = :season AND round = :round AND court >= :court"
    assert ids(both, {**of_season, "round": "1", "court": "b"}) == ["0"]
    assert refused(ids, "team = :team", {"team": "x"}) == "ValidationException"
