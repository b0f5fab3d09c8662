"""Signs the cases on stdin with botocore and prints what it would send."""

import datetime
import json
import sys
from urllib.parse import quote, urlencode

import botocore.auth
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

NOW = datetime.datetime(2015, 8, 30, 12, 36, 0)
HOST = "127.0.0.1:4566"
# What a URL's path may hold unencoded, but for what botocore's own URL parser cuts at.
RAW = "/~@:!$&'()*,;=+"

botocore.auth.get_current_datetime = lambda *_, **__: NOW


def signed(case):
    path = quote(case["path"], safe=RAW if case["raw_path"] else "/~")
    query = "&".join(f"{quote(n, safe='-_.~')}={quote(v, safe='-_.~')}" for n, v in case["query"])
    url = f"http://{HOST}{path}"
    pairs = [tuple(pair) for pair in case["query"]]
    arguments = {"params": pairs} if case["form_query"] else {}
    if query and not case["form_query"]:
        url += "?" + query
    request = AWSRequest(case["method"], url, data=case["body"].encode(), **arguments)
    for name, value in case["headers"]:
        request.headers[name] = value
    credentials = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", case["token"])
    s3 = case["service"] == "s3"
    if case["presigned"]:
        kind = S3SigV4QueryAuth if s3 else SigV4QueryAuth
    else:
        kind = S3SigV4Auth if s3 else SigV4Auth
    request.context["client_config"] = None
    kind(credentials, case["service"], "us-east-1").add_auth(request)
    target = request.url.removeprefix(f"http://{HOST}")
    if case["form_query"] and case["query"]:
        target += "?" + urlencode(pairs)
    return {
        "target": target,
        "headers": [["host", HOST], *([n, v] for n, v in request.headers.items() if n.lower() != "host")],
        "body": case["body"],
    }


json.dump([signed(case) for case in json.load(sys.stdin)], sys.stdout)
