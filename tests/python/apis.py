"""REST APIs as boto3 makes them, and calls to them as any HTTP client makes them."""

import copy
import json
import time

import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

HTTP = urllib3.PoolManager(retries=False)
REGION = "us-east-1"


class Answer:
    """Status, body and headers of an answer."""

    def __init__(self, response):
        self.status, self.text, self.headers = response.status, response.data.decode(), response.headers

    def json(self):
        return json.loads(self.text)

    @property
    def said(self):
        """Status and body: what a client sees of a refusal."""
        return self.status, self.text


class Api:
    """A REST API under construction."""

    def __init__(self, server, name="api"):
        self.server = server
        self.gateway = server.client("apigateway")
        self.id = self.gateway.create_rest_api(name=name)["id"]
        self.account = server.client("sts").get_caller_identity()["Account"]
        self.arn = f"arn:aws:execute-api:{REGION}:{self.account}:{self.id}"
        root = self.gateway.get_resources(restApiId=self.id)["items"][0]["id"]
        self.resources = {"/": root}

    def at(self, server):
        """The same API, called at another node."""
        other = copy.copy(self)
        other.server = server
        return other

    def resource(self, path):
        if path not in self.resources:
            above, _, part = path.rpartition("/")
            parent = self.resource(above or "/")
            made = self.gateway.create_resource(restApiId=self.id, parentId=parent, pathPart=part)
            self.resources[path] = made["id"]
        return self.resources[path]

    def method(self, path, method, authorization):
        place = {"restApiId": self.id, "resourceId": self.resource(path), "httpMethod": method}
        self.gateway.put_method(**place, **{"authorizationType": "NONE", **authorization})
        return place

    def mock(self, path, method="GET", body='{"ok":true}', **authorization):
        place = self.method(path, method, authorization)
        self.gateway.put_integration(
            **place, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'}
        )
        self.gateway.put_method_response(**place, statusCode="200")
        self.gateway.put_integration_response(
            **place, statusCode="200", responseTemplates={"application/json": body}
        )

    def function(self, path, function_arn, method="GET", **authorization):
        place = self.method(path, method, authorization)
        self.gateway.put_integration(
            **place, type="AWS_PROXY", integrationHttpMethod="POST", uri=invocation(function_arn)
        )

    def pool_authorizer(self, *pools, **more):
        made = self.gateway.create_authorizer(
            restApiId=self.id,
            name="users",
            type="COGNITO_USER_POOLS",
            providerARNs=[pool.arn for pool in pools],
            identitySource="method.request.header.Authorization",
            **more,
        )
        return {"authorizationType": "COGNITO_USER_POOLS", "authorizerId": made["id"]}

    def function_authorizer(self, function_arn, **more):
        made = self.gateway.create_authorizer(
            restApiId=self.id,
            name="function",
            type="TOKEN",
            authorizerUri=invocation(function_arn),
            identitySource="method.request.header.Authorization",
            **more,
        )
        return {"authorizationType": "CUSTOM", "authorizerId": made["id"]}

    def deploy(self, stage="prod"):
        self.gateway.create_deployment(restApiId=self.id, stageName=stage)
        return self

    def patch_stage(self, values, stage="prod"):
        """Sets what lies at these paths of a stage."""
        patches = [{"op": "replace", "path": path, "value": value} for path, value in values.items()]
        self.gateway.update_stage(restApiId=self.id, stageName=stage, patchOperations=patches)

    def url(self, path, stage="prod"):
        return f"{self.server.url}/_aws/execute-api/{self.id}/{stage}{path}"

    def call(self, path, token=None, method="GET", stage="prod", headers=None, body=None):
        given = dict(headers or {})
        if token is not None:
            given["Authorization"] = token
        return Answer(HTTP.request(method, self.url(path, stage), headers=given, body=body))

    def signed(self, path, key, secret, token=None, method="GET", stage="prod"):
        request = AWSRequest(method, self.url(path, stage))
        SigV4Auth(Credentials(key, secret, token), "execute-api", REGION).add_auth(request)
        return self.call(path, method=method, stage=stage, headers=dict(request.headers.items()))


def invocation(function_arn):
    """The address of a function, as API Gateway's integrations and authorizers write it."""
    return f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{function_arn}/invocations"


def lines(logs, group, wanted, seconds=10):
    """Messages of a log group, once `wanted` says that they are all there."""
    end = time.monotonic() + seconds
    while True:
        try:
            found = [event["message"] for event in logs.filter_log_events(logGroupName=group)["events"]]
        except logs.exceptions.ResourceNotFoundException:
            found = []
        if wanted(found) or time.monotonic() > end:
            return found
        time.sleep(0.1)
