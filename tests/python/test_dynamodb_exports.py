"""Tables out into buckets and in again, by boto3: exports, imports, and what refuses them."""

import base64
import gzip
import hashlib
import json
import time
import uuid

import pytest
from botocore.exceptions import ClientError

PATIENCE_SECONDS = 60


@pytest.fixture
def tables(admin):
    return admin("dynamodb")


@pytest.fixture
def objects(admin):
    return admin("s3")


@pytest.fixture
def bucket(objects):
    name = f"exports-{uuid.uuid4()}"
    objects.create_bucket(Bucket=name)
    return name


def definition(name, indexed=False):
    table = {
        "TableName": name,
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
    }
    if indexed:
        table["AttributeDefinitions"].append({"AttributeName": "n", "AttributeType": "N"})
        key = [{"AttributeName": "n", "KeyType": "HASH"}, {"AttributeName": "id", "KeyType": "RANGE"}]
        table["GlobalSecondaryIndexes"] = [
            {"IndexName": "by-n", "KeySchema": key, "Projection": {"ProjectionType": "ALL"}}
        ]
    return table


def recoverable(tables, name):
    tables.create_table(**definition(name))
    tables.get_waiter("table_exists").wait(TableName=name)
    tables.update_continuous_backups(
        TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    return tables.describe_table(TableName=name)["Table"]["TableArn"]


def item(number, **more):
    return {
        "id": {"S": f"{number:05}"},
        "n": {"N": str(number % 5)},
        "text": {"S": "é\n\"" * (number % 50)},
        "bytes": {"B": bytes([number % 256])},
        "set": {"SS": [f"a{number}", "b"]},
        "deep": {"M": {"list": {"L": [{"NULL": True}, {"BOOL": number % 2 == 0}, {"N": "1.50"}]}}},
        **more,
    }


def fill(tables, name, items):
    for at in range(0, len(items), 25):
        requests = [{"PutRequest": {"Item": one}} for one in items[at : at + 25]]
        assert not tables.batch_write_item(RequestItems={name: requests})["UnprocessedItems"]


def ended(describe):
    """Waits until what `describe` tells of is not in progress any more."""
    deadline = time.time() + PATIENCE_SECONDS
    while time.time() < deadline:
        told = describe()
        status = told.get("ExportStatus") or told["ImportStatus"]
        if status != "IN_PROGRESS":
            return told
        time.sleep(0.1)
    raise AssertionError(f"still in progress after {PATIENCE_SECONDS} s")


def exported(client, **asked):
    begun = client.export_table_to_point_in_time(**asked)["ExportDescription"]
    return ended(lambda: client.describe_export(ExportArn=begun["ExportArn"])["ExportDescription"])


def imported(client, name, bucket, prefix, form="DYNAMODB_JSON", indexed=False, **more):
    begun = client.import_table(
        S3BucketSource={"S3Bucket": bucket, "S3KeyPrefix": prefix},
        InputFormat=form,
        TableCreationParameters=definition(name, indexed),
        **more,
    )["ImportTableDescription"]
    return ended(lambda: client.describe_import(ImportArn=begun["ImportArn"])["ImportTableDescription"])


def everything(tables, name):
    pages = tables.get_paginator("scan").paginate(TableName=name)
    return {one["id"]["S"]: plain(one) for page in pages for one in page["Items"]}


def plain(value):
    """A value in a form that doesn't go by the order of sets."""
    if isinstance(value, dict):
        return {name: sorted(part) if name in ("SS", "NS", "BS") else plain(part) for name, part in value.items()}
    return [plain(part) for part in value] if isinstance(value, list) else value


def typed(value):
    """A value of DynamoDB JSON as boto3 has it: bytes for Base64."""
    (kind, given), = value.items()
    if kind == "B":
        return {kind: base64.b64decode(given)}
    if kind == "M":
        return {kind: {name: typed(part) for name, part in given.items()}}
    if kind == "L":
        return {kind: [typed(part) for part in given]}
    return value


def body(objects, bucket, key):
    return objects.get_object(Bucket=bucket, Key=key)["Body"].read()


def md5(content):
    return base64.b64encode(hashlib.md5(content).digest()).decode()


def data_of(objects, bucket, export):
    """All items in the data files of an export; every checksum is compared."""
    folder = export["ExportManifest"].removesuffix("manifest-summary.json")
    for name in ("manifest-summary", "manifest-files"):
        content = body(objects, bucket, f"{folder}{name}.json")
        assert body(objects, bucket, f"{folder}{name}.md5").decode() == md5(content)
    summary = json.loads(body(objects, bucket, export["ExportManifest"]))
    assert summary["exportArn"] == export["ExportArn"] and summary["itemCount"] == export["ItemCount"]
    assert body(objects, bucket, f"{folder}_started") == b""
    found, counted = {}, 0
    for line in body(objects, bucket, summary["manifestFilesS3Key"]).decode().splitlines():
        file = json.loads(line)
        content = body(objects, bucket, file["dataFileS3Key"])
        assert file["md5Checksum"] == md5(content) and file["etag"] == hashlib.md5(content).hexdigest()
        lines = gzip.decompress(content).decode().splitlines()
        assert len(lines) == file["itemCount"]
        counted += len(lines)
        for one in map(json.loads, lines):
            one = {name: typed(value) for name, value in one["Item"].items()}
            found[one["id"]["S"]] = plain(one)
    assert counted == len(found) == export["ItemCount"]
    return found


def refused(call, **asked):
    with pytest.raises(ClientError) as error:
        call(**asked)
    return error.value.response["Error"]["Code"]


def somebody(homeport, admin, *actions):
    user = f"mover-{uuid.uuid4()}"
    admin("iam").create_user(UserName=user)
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    admin("iam").put_user_policy(UserName=user, PolicyName="moves", PolicyDocument=policy)
    key = admin("iam").create_access_key(UserName=user)["AccessKey"]
    return homeport.client("dynamodb", key["AccessKeyId"], key["SecretAccessKey"])


def test_an_export_as_of_a_moment_is_imported_with_indexes(tables, objects, bucket):
    name = f"notes-{uuid.uuid4()}"
    arn = recoverable(tables, name)
    items = [item(number) for number in range(1_000)]
    fill(tables, name, items)
    time.sleep(1.1)
    moment = int(time.time() * 1_000) / 1_000
    time.sleep(0.1)
    tables.put_item(TableName=name, Item=item(3, changed={"BOOL": True}))
    tables.put_item(TableName=name, Item=item(5_000))
    tables.delete_item(TableName=name, Key={"id": {"S": "00004"}})
    expected = {one["id"]["S"]: plain(one) for one in items}
    told = exported(tables, TableArn=arn, S3Bucket=bucket, S3Prefix="nightly", ExportTime=moment)
    assert told["ExportStatus"] == "COMPLETED" and told["S3Prefix"] == "nightly"
    assert told["ExportManifest"].startswith("nightly/AWSDynamoDB/")
    for one in expected.values():
        one["deep"]["M"]["list"]["L"][2] = {"N": "1.5"}
    assert data_of(objects, bucket, told) == expected
    data = told["ExportManifest"].replace("manifest-summary.json", "data/")
    done = imported(tables, f"{name}-copy", bucket, data, indexed=True, InputCompressionType="GZIP")
    assert done["ImportStatus"] == "COMPLETED" and done["ErrorCount"] == 0
    assert done["ProcessedItemCount"] == done["ImportedItemCount"] == 1_000
    assert everything(tables, f"{name}-copy") == expected
    by_index = tables.query(
        TableName=f"{name}-copy",
        IndexName="by-n",
        KeyConditionExpression="n = :n",
        ExpressionAttributeValues={":n": {"N": "2"}},
        Select="COUNT",
    )
    assert by_index["Count"] == 200
    table = tables.describe_table(TableName=f"{name}-copy")["Table"]
    assert (table["TableStatus"], table["TableId"], table["ItemCount"]) == ("ACTIVE", done["TableId"], 1_000)
    # And by Ion the same.
    told = exported(tables, TableArn=table["TableArn"].replace("-copy", ""), S3Bucket=bucket, ExportFormat="ION", ExportTime=moment)
    data = told["ExportManifest"].replace("manifest-summary.json", "data/")
    done = imported(tables, f"{name}-ion", bucket, data, form="ION", InputCompressionType="GZIP")
    assert done["ImportStatus"] == "COMPLETED", done
    assert everything(tables, f"{name}-ion") == expected


def test_csv_with_errors_is_told_and_logged(admin, tables, objects, bucket):
    name = f"csv-{uuid.uuid4()}"
    text = 'id,n,title\r\na,1,"one, ""two"""\nb,x,bad number\nc,3\n,4,no key\nd,5,fine\n'
    objects.put_object(Bucket=bucket, Key="in/1.csv", Body=text.encode())
    done = imported(tables, name, bucket, "in/", form="CSV", indexed=True)
    assert (done["ImportStatus"], done["FailureCode"]) == ("FAILED", "ItemValidationError")
    assert (done["ProcessedItemCount"], done["ImportedItemCount"], done["ErrorCount"]) == (5, 2, 3)
    assert done["ProcessedSizeBytes"] == len(text)
    assert everything(tables, name) == {
        "a": {"id": {"S": "a"}, "n": {"N": "1"}, "title": {"S": 'one, "two"'}},
        "d": {"id": {"S": "d"}, "n": {"N": "5"}, "title": {"S": "fine"}},
    }
    group, stream = "/aws-dynamodb/imports", done["ImportArn"].rsplit("/", 1)[1] + "/error"
    assert done["CloudWatchLogGroupArn"].endswith(f":log-group:{group}:*")
    events = admin("logs").get_log_events(logGroupName=group, logStreamName=stream)["events"]
    logged = [json.loads(event["message"]) for event in events]
    assert [one["itemS3Pointer"]["itemIndex"] for one in logged] == [1, 2, 3]
    assert "cannot be converted to a numeric value: x" in logged[0]["errorMessages"][0]


def test_who_may_not_write_or_read_the_bucket_moves_nothing(homeport, admin, tables, objects, bucket):
    name = f"notes-{uuid.uuid4()}"
    arn = recoverable(tables, name)
    fill(tables, name, [item(number) for number in range(3)])
    mover = somebody(homeport, admin, "dynamodb:*")
    told = exported(mover, TableArn=arn, S3Bucket=bucket)
    assert (told["ExportStatus"], told["FailureCode"]) == ("FAILED", "S3AccessDenied")
    assert "s3:PutObject" in told["FailureMessage"] and "ExportManifest" not in told
    assert "Contents" not in objects.list_objects_v2(Bucket=bucket)
    done = imported(mover, f"{name}-copy", bucket, "in/")
    assert (done["ImportStatus"], done["FailureCode"]) == ("FAILED", "S3AccessDenied")
    assert refused(tables.describe_table, TableName=f"{name}-copy") == "ResourceNotFoundException"
    reader = somebody(homeport, admin, "dynamodb:Describe*", "dynamodb:List*", "s3:*")
    assert refused(reader.export_table_to_point_in_time, TableArn=arn, S3Bucket=bucket) == "AccessDeniedException"
    asked = {"S3BucketSource": {"S3Bucket": bucket}, "InputFormat": "ION", "TableCreationParameters": definition("x" * 5)}
    assert refused(reader.import_table, **asked) == "AccessDeniedException"
    allowed = somebody(homeport, admin, "dynamodb:ExportTableToPointInTime", "dynamodb:DescribeExport", "s3:PutObject")
    assert exported(allowed, TableArn=arn, S3Bucket=bucket)["ExportStatus"] == "COMPLETED"


def test_buckets_tokens_and_lists(tables, objects, bucket):
    name = f"notes-{uuid.uuid4()}"
    arn = recoverable(tables, name)
    told = exported(tables, TableArn=arn, S3Bucket=f"missing-{uuid.uuid4()}")
    assert (told["ExportStatus"], told["FailureCode"]) == ("FAILED", "S3NoSuchBucket")
    assert told["FailureMessage"].startswith("The specified bucket does not exist")
    told = exported(tables, TableArn=arn, S3Bucket=bucket, S3BucketOwner="000000000001")
    assert told["FailureCode"] == "S3AccessDenied"
    token = str(uuid.uuid4())
    first = exported(tables, TableArn=arn, S3Bucket=bucket, ClientToken=token)
    assert first["ItemCount"] == 0 and first["ClientToken"] == token
    again = tables.export_table_to_point_in_time(TableArn=arn, S3Bucket=bucket, ClientToken=token)
    assert again["ExportDescription"]["ExportArn"] == first["ExportArn"]
    other = {"TableArn": arn, "S3Bucket": bucket, "ClientToken": token, "ExportFormat": "ION"}
    assert refused(tables.export_table_to_point_in_time, **other) == "ExportConflictException"
    listed, more = [], {}
    while more is not None:
        page = tables.list_exports(TableArn=arn, MaxResults=2, **more)
        listed += page["ExportSummaries"]
        more = {"NextToken": page["NextToken"]} if "NextToken" in page else None
    arns = [one["ExportArn"] for one in listed]
    assert len(listed) == 3 and arns == sorted(arns, reverse=True) and first["ExportArn"] in arns
    assert {one["ExportStatus"] for one in listed} == {"COMPLETED", "FAILED"}
    unknown = f"{arn}/export/01489602797149-73d8d5bc"
    assert refused(tables.describe_export, ExportArn=unknown) == "ExportNotFoundException"
    unknown = f"{arn}/import/01489602797149-73d8d5bc"
    assert refused(tables.describe_import, ImportArn=unknown) == "ImportNotFoundException"
    plain = f"plain-{uuid.uuid4()}"
    tables.create_table(**definition(plain))
    asked = {"TableArn": arn.replace(name, plain), "S3Bucket": bucket}
    assert refused(tables.export_table_to_point_in_time, **asked) == "PointInTimeRecoveryUnavailableException"
    asked = {"TableArn": arn, "S3Bucket": bucket, "ExportTime": time.time() + 3_600}
    assert refused(tables.export_table_to_point_in_time, **asked) == "InvalidExportTimeException"
    source = {"S3BucketSource": {"S3Bucket": bucket}, "InputFormat": "DYNAMODB_JSON"}
    taken = {**source, "TableCreationParameters": definition(name)}
    assert refused(tables.import_table, **taken) == "ResourceInUseException"
    done = imported(tables, f"{name}-empty", bucket, "nothing/")
    assert done["ImportStatus"] == "COMPLETED" and everything(tables, f"{name}-empty") == {}
    mine = tables.list_imports(TableArn=done["TableArn"], PageSize=1)["ImportSummaryList"]
    assert [one["ImportArn"] for one in mine] == [done["ImportArn"]]


def test_a_kill_in_the_midst_of_an_export_and_of_an_import_does_no_harm(fresh):
    server = fresh(name="killed")
    tables, objects = server.client("dynamodb"), server.client("s3")
    objects.create_bucket(Bucket="exports")
    arn = recoverable(tables, "notes")
    # Some 60 MB, so that there are several files.
    items = [item(number, pad={"S": f"{number:05}" * 4_000}) for number in range(3_000)]
    fill(tables, "notes", items)
    expected = everything(tables, "notes")
    begun = tables.export_table_to_point_in_time(TableArn=arn, S3Bucket="exports")["ExportDescription"]
    kills = 0
    for delay in (0.05, 0.2, 0.4):
        time.sleep(delay)
        status = tables.describe_export(ExportArn=begun["ExportArn"])["ExportDescription"]["ExportStatus"]
        server.kill()
        kills += status == "IN_PROGRESS"
        server.spawn().wait_until_ready()
    assert kills, "the export was over before it was killed"
    told = ended(lambda: tables.describe_export(ExportArn=begun["ExportArn"])["ExportDescription"])
    assert told["ExportStatus"] == "COMPLETED" and told["ItemCount"] == 3_000
    assert data_of(objects, "exports", told) == expected
    data = told["ExportManifest"].replace("manifest-summary.json", "data/")
    begun = tables.import_table(
        S3BucketSource={"S3Bucket": "exports", "S3KeyPrefix": data},
        InputFormat="DYNAMODB_JSON",
        InputCompressionType="GZIP",
        TableCreationParameters=definition("copy", indexed=True),
    )["ImportTableDescription"]
    kills = 0
    for delay in (0.05, 0.2, 0.4):
        time.sleep(delay)
        status = tables.describe_import(ImportArn=begun["ImportArn"])["ImportTableDescription"]["ImportStatus"]
        server.kill()
        kills += status == "IN_PROGRESS"
        server.spawn().wait_until_ready()
    assert kills, "the import was over before it was killed"
    done = ended(lambda: tables.describe_import(ImportArn=begun["ImportArn"])["ImportTableDescription"])
    assert (done["ImportStatus"], done["ImportedItemCount"], done["ErrorCount"]) == ("COMPLETED", 3_000, 0)
    assert everything(tables, "copy") == expected
    assert tables.describe_table(TableName="copy")["Table"]["ItemCount"] == 3_000
