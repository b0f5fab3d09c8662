"""What botocore makes of the same models: sample requests as it writes them, and our answers as it reads them.

`oracle.py requests SERVICE...`  prints one JSON line per operation: the request on the wire, and its parameters.
`oracle.py outputs SERVICE...`   prints one JSON line per operation: a sample output.
`oracle.py answers`              reads JSON lines with our answers and prints what botocore reads in them.
"""

import base64
import datetime
import json
import random
import re
import sys
import urllib.parse

import botocore.awsrequest
import botocore.loaders
import botocore.model
import botocore.parsers
import botocore.serialize

LOADER = botocore.loaders.Loader()
MODELS = {}
# RPC v2 CBOR is not spoken yet; SDKs of today speak JSON to such a service.
PROTOCOLS = {"smithy-rpc-v2-cbor": "json"}
# botocore makes a time of S3's text `Expires`, and counts the body by itself.
PATCHED = ("Expires", "ContentLength")
# One element is two members: `Event` and `Events`.
AMBIGUOUS = ("PutBucketNotification", "GetBucketNotification")
WORDS = ["a", "two words", "1+1=2", "ä/ö?%41&x=\"y\"", "<tag>&amp;", "x" * 40]
HEADER_WORDS = ["a", "two words", "1+1=2", "text/plain;q=1"]


def service(name):
    if name not in MODELS:
        MODELS[name] = botocore.model.ServiceModel(LOADER.load_service_model(name, "service-2"), name)
    model = MODELS[name]
    return model, PROTOCOLS.get(model.metadata["protocol"], model.metadata["protocol"])


def sample(rng, shape, depth, location=None, protocol=None):
    kind = shape.type_name
    if kind == "structure":
        return structure(rng, shape, depth, protocol)
    if kind == "list":
        count = rng.randint(1, 3) if depth < 5 else 1
        return [sample(rng, shape.member, depth + 1, location, protocol) for _ in range(count)]
    if kind == "map":
        keys = ["k1", "k-2"] if location else WORDS[: rng.randint(1, 3)]
        return {key: sample(rng, shape.value, depth + 1, location, protocol) for key in keys}
    if kind == "string":
        if shape.enum:
            return rng.choice(shape.enum)
        return rng.choice(HEADER_WORDS if location in ("header", "headers") else WORDS)
    if kind in ("integer", "long"):
        return rng.choice([0, 1, 42, 2**31 - 1])
    if kind in ("float", "double"):
        return rng.choice([0.5, 1.25, 3.0])
    if kind == "boolean":
        return rng.random() < 0.5
    if kind == "blob":
        return bytes(rng.randrange(256) for _ in range(rng.randint(1, 9)))
    if kind == "timestamp":
        return datetime.datetime.fromtimestamp(1440938160 + rng.randint(0, 10**8), datetime.timezone.utc)
    raise ValueError(kind)


def structure(rng, shape, depth, protocol):
    value = {}
    members = list(shape.members.items())
    if shape.is_tagged_union:
        members = members[:1] if depth > 5 else [rng.choice(members)]
    for name, member in members:
        # botocore reads a payload and a status even where there is none.
        always = name == shape.serialization.get("payload") or member.serialization.get("location") == "statusCode"
        required = always or name in shape.required_members or shape.is_tagged_union
        if not required and (depth > 4 or rng.random() < 0.3):
            continue
        if depth > 12 or member.serialization.get("streaming") or member.serialization.get("eventstream"):
            continue
        if getattr(member, "is_document_type", False):
            continue
        if protocol == "rest-xml" and name in PATCHED:
            continue
        location = member.serialization.get("location")
        if location == "statusCode":
            value[name] = 200
            continue
        if location == "headers" and member.type_name == "list":
            continue
        value[name] = sample(rng, member, depth + 1, location, protocol)
    if not value and protocol == "query" and members:
        # A form cannot say that a structure is there and empty.
        name, member = members[0]
        value[name] = sample(rng, member, depth + 1, None, protocol)
    return value


def canonical(value):
    if isinstance(value, dict):
        return {key: canonical(item) for key, item in value.items() if item is not None}
    if isinstance(value, (list, tuple)):
        return [canonical(item) for item in value]
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime.datetime):
        return int(value.timestamp())
    return value


def raw_payload(shape):
    """The member that is a body of bytes: a stream is not compared, and botocore decodes other bytes as text."""
    payload = shape.serialization.get("payload") if shape else None
    return payload if payload and shape.members[payload].type_name == "blob" else None


def target(url):
    parts = urllib.parse.urlsplit(url)
    return (parts.path or "/") + ("?" + parts.query if parts.query else "")


def cases(names):
    for name in names:
        model, protocol = service(name)
        for operation in model.operation_names:
            yield name, protocol, model.operation_model(operation), random.Random(f"{name} {operation}")


def requests(names):
    for name, protocol, operation, rng in cases(names):
        if operation.name in AMBIGUOUS:
            continue
        shape = operation.input_shape
        params = sample(rng, shape, 0, None, protocol) if shape else {}
        for member in re.findall("{(.*?)}", (operation.endpoint or {}).get("hostPrefix", "")):
            params[member] = "label"
        serializer = botocore.serialize.create_serializer(protocol, False)
        request = serializer.serialize_to_request(params, operation)
        botocore.awsrequest.prepare_request_dict(request, "http://host")
        prepared = botocore.awsrequest.create_request_object(request).prepare()
        body = prepared.body or b""
        body = body if isinstance(body, (bytes, bytearray)) else str(body).encode()
        headers = [
            [key, item.decode() if isinstance(item, bytes) else str(item)] for key, item in prepared.headers.items()
        ]
        line = {
            "service": name,
            "operation": operation.name,
            "method": prepared.method,
            "target": target(prepared.url),
            "headers": [header for header in headers if header[0].lower() != "content-length"],
            "body": base64.b64encode(body).decode(),
            "params": canonical(params),
        }
        print(json.dumps(line))


def outputs(names):
    for name, protocol, operation, rng in cases(names):
        shape = operation.output_shape
        if operation.has_event_stream_output or operation.name in ("GetBucketLocation", *AMBIGUOUS):
            continue
        params = sample(rng, shape, 0, None, protocol) if shape else {}
        params.pop(raw_payload(shape), None)
        print(json.dumps({"service": name, "operation": operation.name, "output": canonical(params)}))


def answers():
    for line in sys.stdin:
        answer = json.loads(line)
        model, protocol = service(answer["service"])
        shape = model.operation_model(answer["operation"]).output_shape
        parser = botocore.parsers.create_parser(protocol)
        response = {
            "status_code": answer["status"],
            "headers": botocore.awsrequest.HeadersDict(dict(answer["headers"])),
            "body": base64.b64decode(answer["body"]),
            "context": {"operation_name": answer["operation"]},
        }
        parsed = parser.parse(response, shape)
        metadata = parsed.pop("ResponseMetadata", {})
        parsed.pop(raw_payload(shape), None)
        print(json.dumps({"output": canonical(parsed), "request_id": metadata.get("RequestId"), "error": parsed.get("Error")}))


if __name__ == "__main__":
    mode, names = sys.argv[1], sys.argv[2:]
    {"requests": lambda: requests(names), "outputs": lambda: outputs(names), "answers": answers}[mode]()
