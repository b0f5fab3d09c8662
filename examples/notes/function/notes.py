"""The notes API: each signed-in person keeps notes and photos that nobody else can read.

API Gateway has checked the ID token before this runs; the person is whoever its claims say. The table's partition
key is the person's `sub`, and photos lie under it in the bucket, so one person's requests never name another's.
"""

import json
import os
import re
import uuid
from datetime import datetime, timezone

import boto3
from botocore.config import Config

TABLE = boto3.resource("dynamodb").Table(os.environ["TABLE"])
BUCKET = os.environ["BUCKET"]
S3 = boto3.client("s3")
# Links are for browsers, which reach Homeport by another address than this function does.
LINKS = boto3.client("s3", endpoint_url=os.environ["PUBLIC_URL"], config=Config(signature_version="s3v4"))
LINK_SECONDS = 300


def answer(status, body):
    headers = {"Content-Type": "application/json", "Access-Control-Allow-Origin": os.environ["PAGE"]}
    return {"statusCode": status, "headers": headers, "body": json.dumps(body)}


def list_notes(owner):
    found = TABLE.query(
        KeyConditionExpression="#owner = :owner",
        ExpressionAttributeNames={"#owner": "owner"},
        ExpressionAttributeValues={":owner": owner},
    )
    return answer(200, [{"id": note["id"], "text": note["text"]} for note in found["Items"]])


def write_note(owner, event):
    text = json.loads(event.get("body") or "{}").get("text", "")
    if not isinstance(text, str) or not 0 < len(text) <= 4000:
        return answer(400, {"message": "A note has 1 to 4000 characters."})
    note = {"owner": owner, "id": f"{datetime.now(timezone.utc):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}", "text": text}
    TABLE.put_item(Item=note)
    print(f"wrote note {note['id']}")
    return answer(201, {"id": note["id"], "text": text})


def photo_link(owner, event):
    name = json.loads(event.get("body") or "{}").get("name", "")
    if not re.fullmatch(r"[\w.-]{1,80}", name):
        return answer(400, {"message": "A photo's name has letters, digits, dots and hyphens."})
    key = f"{owner}/{name}"
    put = LINKS.generate_presigned_url("put_object", Params={"Bucket": BUCKET, "Key": key}, ExpiresIn=LINK_SECONDS)
    return answer(200, {"put": put})


def list_photos(owner):
    found = S3.list_objects_v2(Bucket=BUCKET, Prefix=f"{owner}/", MaxKeys=100)

    def link(key):
        return LINKS.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": key}, ExpiresIn=LINK_SECONDS)

    photos = [{"name": item["Key"].split("/", 1)[1], "get": link(item["Key"])} for item in found.get("Contents", [])]
    return answer(200, photos)


def handler(event, context):
    owner = event["requestContext"]["authorizer"]["claims"]["sub"]
    match (event["httpMethod"], event["resource"]):
        case ("GET", "/notes"):
            return list_notes(owner)
        case ("POST", "/notes"):
            return write_note(owner, event)
        case ("GET", "/photos"):
            return list_photos(owner)
        case ("POST", "/photos"):
            return photo_link(owner, event)
    return answer(404, {"message": "Not found."})
