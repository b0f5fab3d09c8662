"""Buckets and objects by boto3 and the AWS CLI: streams, checksums, ranges, parts, presigned URLs, listings."""

import datetime
import io
import json
import os
import pathlib
import subprocess
import sys
import urllib.error
import urllib.request
import uuid

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

ODD_KEYS = ["a b/é+~*.txt", "a//b", "./c", "../d", "x%2Fy", "?q&r=1#h", "ü" * 500, "日本/🦀", "trailing/"]


@pytest.fixture
def bucket(admin):
    name = f"photos-{uuid.uuid4()}"
    admin("s3").create_bucket(Bucket=name)
    return name


def refused(call, **arguments):
    with pytest.raises(ClientError) as error:
        call(**arguments)
    return error.value.response["Error"]["Code"], error.value.response["ResponseMetadata"]["HTTPStatusCode"]


def fetch(url, method="GET", data=None, headers=None):
    request = urllib.request.Request(url, data=data, method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_odd_keys_are_put_got_listed_and_deleted(admin, bucket):
    s3 = admin("s3")
    for key in ODD_KEYS:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode(), Metadata={"who": "ada"})
        got = s3.get_object(Bucket=bucket, Key=key)
        assert (got["Body"].read(), got["Metadata"]) == (key.encode(), {"who": "ada"})
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, PaginationConfig={"PageSize": 2})
    listed = [entry["Key"] for page in pages for entry in page["Contents"]]
    assert listed == sorted(ODD_KEYS, key=str.encode)
    folded = s3.list_objects_v2(Bucket=bucket, Delimiter="/")
    assert {"Prefix": "a b/"} in folded["CommonPrefixes"]
    done = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in ODD_KEYS]})
    assert len(done["Deleted"]) == len(ODD_KEYS)
    s3.delete_bucket(Bucket=bucket)
    assert refused(s3.list_objects_v2, Bucket=bucket) == ("NoSuchBucket", 404)


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
def test_checksums_come_back(admin, bucket, algorithm):
    s3 = admin("s3")
    put = s3.put_object(Bucket=bucket, Key="sum", Body=b"x" * 1000, ChecksumAlgorithm=algorithm)
    head = s3.head_object(Bucket=bucket, Key="sum", ChecksumMode="ENABLED")
    assert put[f"Checksum{algorithm}"] == head[f"Checksum{algorithm}"]


def test_a_large_file_goes_in_parts_and_comes_back_in_ranges(admin, bucket):
    s3, content = admin("s3"), os.urandom(23_000_001)
    s3.upload_fileobj(io.BytesIO(content), bucket, "large", Config=TransferConfig(multipart_chunksize=8 << 20))
    assert s3.head_object(Bucket=bucket, Key="large")["ETag"].endswith('-3"')
    into = io.BytesIO()
    s3.download_fileobj(bucket, "large", into, Config=TransferConfig(multipart_chunksize=5 << 20))
    assert into.getvalue() == content
    part = s3.get_object(Bucket=bucket, Key="large", Range="bytes=8388600-8388620")
    assert part["Body"].read() == content[8388600:8388621]


@pytest.mark.parametrize("version", [None, "s3v4"])
def test_presigned_urls_open_one_object_for_one_method(homeport, admin, bucket, version):
    s3 = homeport.client("s3", **({"signature_version": version} if version else {}))
    put = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "a b", "ContentType": "text/x"})
    assert fetch(put, "PUT", b"presigned", {"Content-Type": "text/x"})[0] == 200
    get = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "a b"})
    assert fetch(get) == (200, b"presigned")
    for url, method in [(get.replace("a%20b", "a%20c"), "GET"), (get, "PUT"), (put, "GET"), (get, "DELETE")]:
        status, body = fetch(url, method, b"" if method == "PUT" else None)
        assert status in (400, 403), body
    assert admin("s3").get_object(Bucket=bucket, Key="a b")["Body"].read() == b"presigned"


def test_errors_are_those_of_aws(admin, bucket):
    s3 = admin("s3")
    s3.put_object(Bucket=bucket, Key="a", Body=b"1")
    assert refused(s3.get_object, Bucket=bucket, Key="none") == ("NoSuchKey", 404)
    assert refused(s3.head_object, Bucket=bucket, Key="none") == ("404", 404)
    assert refused(s3.create_bucket, Bucket="Bad_Name") == ("InvalidBucketName", 400)
    assert refused(s3.delete_bucket, Bucket=bucket) == ("BucketNotEmpty", 409)
    assert refused(s3.get_object, Bucket=bucket, Key="a", IfMatch='"x"') == ("PreconditionFailed", 412)
    assert refused(s3.get_object, Bucket=bucket, Key="a", Range="bytes=9-") == ("InvalidRange", 416)
    assert refused(s3.put_object, Bucket=bucket, Key="a", Body=b"2", IfNoneMatch="*") == ("PreconditionFailed", 412)
    assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == b"1"


def test_a_bucket_policy_opens_what_it_names_and_no_more(homeport, admin, bucket):
    s3 = admin("s3")
    for key in ["public/1", "private/1"]:
        s3.put_object(Bucket=bucket, Key=key, Body=b"1")
    statement = {
        "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/public/*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    assert fetch(f"{homeport.url}/{bucket}/public/1")[0] == 403
    s3.put_bucket_policy(Bucket=bucket, Policy=policy)
    assert fetch(f"{homeport.url}/{bucket}/public/1") == (200, b"1")
    assert fetch(f"{homeport.url}/{bucket}/private/1")[0] == 403
    assert fetch(f"{homeport.url}/{bucket}/public/2", "PUT", b"2")[0] == 403
    assert fetch(f"{homeport.url}/{bucket}?list-type=2")[0] == 403


def test_encryption_is_told_to_who_asks_for_it(admin, bucket):
    s3, asked = admin("s3"), {"ServerSideEncryption": "AES256"}
    s3.upload_fileobj(io.BytesIO(b"x"), bucket, "package", ExtraArgs=asked)
    parts = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20)
    s3.upload_fileobj(io.BytesIO(b"x" * (6 << 20)), bucket, "large", ExtraArgs=asked, Config=parts)
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/package", **asked)
    s3.put_object(Bucket=bucket, Key="plain", Body=b"x")
    expected = {"package": "AES256", "large": "AES256", "copy": "AES256", "plain": None}
    for key, told in expected.items():
        assert s3.head_object(Bucket=bucket, Key=key).get("ServerSideEncryption") == told, key
    by_key = {"Bucket": bucket, "Key": "kms", "Body": b"x", "ServerSideEncryption": "aws:kms"}
    assert refused(s3.put_object, **by_key) == ("NotImplemented", 501)
    assert refused(s3.head_object, Bucket=bucket, Key="kms") == ("404", 404)


def test_keys_are_deleted_each_by_its_own_right(homeport, admin, bucket):
    s3, iam, name = admin("s3"), admin("iam"), f"deleter-{uuid.uuid4().hex[:8]}"
    for key in ["own/1", "own/2", "others/1"]:
        s3.put_object(Bucket=bucket, Key=key, Body=b"1")
    allowed = {"Effect": "Allow", "Action": "s3:DeleteObject", "Resource": f"arn:aws:s3:::{bucket}/own/*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="inline", PolicyDocument=policy)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    deleter = homeport.client("s3", key["AccessKeyId"], key["SecretAccessKey"])
    named = [{"Key": key} for key in ["own/1", "others/1", "own/2"]]
    done = deleter.delete_objects(Bucket=bucket, Delete={"Objects": named})
    assert {deleted["Key"] for deleted in done["Deleted"]} == {"own/1", "own/2"}
    assert [(error["Key"], error["Code"]) for error in done["Errors"]] == [("others/1", "AccessDenied")]
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["others/1"]


def test_a_bucket_is_whose_it_is_expected_to_be(admin, bucket):
    s3, own = admin("s3"), admin("sts").get_caller_identity()["Account"]
    objects = {"Objects": [{"Key": "a"}]}
    rules = {"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]}
    copy = {"Key": "b", "CopySource": f"{bucket}/a"}
    for call, given in [
        (s3.head_bucket, {}),
        (s3.put_object, {"Key": "a", "Body": b"1"}),
        (s3.copy_object, copy),
        (s3.put_bucket_cors, {"CORSConfiguration": rules}),
        (s3.delete_bucket_cors, {}),
        (s3.delete_objects, {"Delete": objects}),
        (s3.delete_object, {"Key": "b"}),
        (s3.delete_bucket, {}),
    ]:
        code, status = refused(call, Bucket=bucket, ExpectedBucketOwner="000000000001", **given)
        assert (code, status) == ("403" if call == s3.head_bucket else "AccessDenied", 403), given
        if call == s3.copy_object:
            expected = {"ExpectedBucketOwner": own, "ExpectedSourceBucketOwner": "000000000001"}
            assert refused(call, Bucket=bucket, **given, **expected) == ("AccessDenied", 403)
            given = given | {"ExpectedSourceBucketOwner": own}
        call(Bucket=bucket, ExpectedBucketOwner=own, **given)


def test_a_body_is_what_its_digest_says(admin, bucket):
    s3, rules = admin("s3"), {"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]}
    s3.put_object(Bucket=bucket, Key="a", Body=b"1")
    spoilt = {"name": None, "value": None}

    def spoil(request, **_):
        del request.headers["x-amz-checksum-crc32"]
        del request.headers["x-amz-sdk-checksum-algorithm"]
        if spoilt["name"]:
            request.headers[spoilt["name"]] = spoilt["value"]

    calls = [("DeleteObjects", s3.delete_objects, {"Delete": {"Objects": [{"Key": "a"}]}})]
    calls.append(("PutBucketCors", s3.put_bucket_cors, {"CORSConfiguration": rules}))
    for name, call, given in calls:
        s3.meta.events.register(f"before-sign.s3.{name}", spoil, unique_id=name)
        for spoilt["name"], spoilt["value"], code in [
            ("Content-MD5", "xMpCOKC5I4INzFCab3WEmw==", "BadDigest"),
            ("Content-MD5", "AAAA", "InvalidDigest"),
            ("x-amz-checksum-crc32", "AAAAAA==", "BadDigest"),
        ]:
            assert refused(call, Bucket=bucket, **given) == (code, 400)
        spoilt["name"] = None
        if name == "DeleteObjects":
            assert refused(call, Bucket=bucket, **given) == ("InvalidRequest", 400)
            assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 1
        s3.meta.events.unregister(f"before-sign.s3.{name}", spoil, unique_id=name)
        call(Bucket=bucket, **given)
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_a_copy_with_new_metadata_keeps_when_it_expires(admin, bucket):
    s3 = admin("s3")
    s3.put_object(Bucket=bucket, Key="a", Body=b"1")
    copy = {"Bucket": bucket, "Key": "b", "CopySource": f"{bucket}/a", "MetadataDirective": "REPLACE"}
    when = datetime.datetime(2030, 10, 21, 7, 28, tzinfo=datetime.timezone.utc)
    s3.copy_object(Expires=when, **copy)
    assert s3.head_object(Bucket=bucket, Key="b")["ExpiresString"] == "Mon, 21 Oct 2030 07:28:00 GMT"
    s3.copy_object(**copy)
    assert "ExpiresString" not in s3.head_object(Bucket=bucket, Key="b")


def test_another_region_is_found_by_the_client_itself(homeport, bucket):
    assert homeport.client("s3", region="eu-west-1").list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_what_was_put_outlives_a_kill(fresh):
    server = fresh()
    s3 = server.client("s3")
    s3.create_bucket(Bucket="photos")
    small, large = os.urandom(1000), os.urandom(3_000_000)
    s3.put_object(Bucket="photos", Key="small", Body=small)
    s3.put_object(Bucket="photos", Key="large", Body=large)
    server.kill()
    server.start()
    assert s3.get_object(Bucket="photos", Key="small")["Body"].read() == small
    assert s3.get_object(Bucket="photos", Key="large")["Body"].read() == large


def test_the_aws_cli_copies_and_syncs(homeport, admin, bucket, tmp_path):
    own = homeport.credentials()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "AWS_ENDPOINT_URL": homeport.url,
        "AWS_ACCESS_KEY_ID": own["accessKeyId"],
        "AWS_SECRET_ACCESS_KEY": own["secretAccessKey"],
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    folder = tmp_path / "files"
    (folder / "sub").mkdir(parents=True)
    (folder / "large").write_bytes(os.urandom(9_000_000))
    (folder / "sub" / "small é").write_text("small")

    def aws(*words):
        command = [str(pathlib.Path(sys.executable).parent / "aws"), "s3", *words]
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout

    aws("sync", str(folder), f"s3://{bucket}/files")
    assert "small é" in aws("ls", f"s3://{bucket}/files/sub/")
    back = tmp_path / "back"
    aws("cp", "--recursive", f"s3://{bucket}/files", str(back))
    assert (back / "large").read_bytes() == (folder / "large").read_bytes()
    assert (back / "sub" / "small é").read_text() == "small"
    aws("mv", f"s3://{bucket}/files/large", f"s3://{bucket}/moved")
    assert admin("s3").head_object(Bucket=bucket, Key="moved")["ContentLength"] == 9_000_000
    aws("rb", "--force", f"s3://{bucket}")
    assert refused(admin("s3").list_objects_v2, Bucket=bucket) == ("NoSuchBucket", 404)
