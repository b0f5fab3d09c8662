"""Carries events from the Runtime API to a Python handler and its answers back. Standard library only."""
import http.client
import importlib
import json
import logging
import os
import sys
import time
import traceback
from types import SimpleNamespace

API = "/2018-06-01/runtime/"
TASK = os.environ["LAMBDA_TASK_ROOT"]
now = SimpleNamespace(request_id="")


class Api:
    """One connection to the Runtime API, kept."""

    def __init__(self):
        self.connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])

    def call(self, method, path, body=None, headers=None):
        if body is not None:
            headers = {"Content-Type": "application/json", **(headers or {})}
        self.connection.request(method, API + path, body, headers or {})
        answer = self.connection.getresponse()
        return answer, answer.read()

    def next(self):
        return self.call("GET", "invocation/next")

    def respond(self, request_id, body):
        self.call("POST", f"invocation/{request_id}/response", body)

    def fail(self, request_id, error):
        self.call("POST", f"invocation/{request_id}/error", json.dumps(error).encode(), kind(error))

    def fail_to_start(self, error):
        self.call("POST", "init/error", json.dumps(error).encode(), kind(error))


def kind(error):
    return {"Lambda-Runtime-Function-Error-Type": error.get("errorType", "Unhandled")}


class Context:
    """What a handler is told of its invocation, as on AWS."""

    def __init__(self, headers):
        self.aws_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        self.invoked_function_arn = headers["Lambda-Runtime-Invoked-Function-Arn"]
        self._deadline = int(headers["Lambda-Runtime-Deadline-Ms"])
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.client_context = client_context(headers.get("Lambda-Runtime-Client-Context"))
        identity = json.loads(headers.get("Lambda-Runtime-Cognito-Identity") or "{}")
        self.identity = SimpleNamespace(
            cognito_identity_id=identity.get("cognitoIdentityId"),
            cognito_identity_pool_id=identity.get("cognitoIdentityPoolId"),
        )

    def get_remaining_time_in_millis(self):
        return max(self._deadline - int(time.time() * 1000), 0)

    def log(self, message):
        sys.stdout.write(str(message))


def client_context(text):
    if not text:
        return None
    told = json.loads(text)
    client = told.get("client") or {}
    return SimpleNamespace(
        custom=told.get("custom"),
        env=told.get("env"),
        client=SimpleNamespace(
            installation_id=client.get("installation_id"),
            app_title=client.get("app_title"),
            app_version_name=client.get("app_version_name"),
            app_version_code=client.get("app_version_code"),
            app_package_name=client.get("app_package_name"),
        ),
    )


class ToLog(logging.Handler):
    """AWS's format for the root logger."""

    def emit(self, record):
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        text = f"[{record.levelname}]\t{moment}.{int(record.msecs):03d}Z\t{now.request_id}\t{record.getMessage()}"
        if record.exc_info:
            text += "\n" + "".join(traceback.format_exception(*record.exc_info)).rstrip()
        say(text)


def say(text):
    """One event of the log: its lines are kept together."""
    sys.stdout.write(text.replace("\n", "\r") + "\n")
    sys.stdout.flush()


def load(name):
    if "." not in name:
        raise Fault("Runtime.MalformedHandlerName", f"Bad handler '{name}': not enough values to unpack (expected 2, got 1)")
    module_name, function_name = name.rsplit(".", 1)
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        raise Fault("Runtime.ImportModuleError", f"Unable to import module '{module_name}': {error}") from error
    except SyntaxError as error:
        trace = [f'  File "{error.filename}" Line {error.lineno}\n    {(error.text or "").strip()}\n']
        raise Fault("Runtime.UserCodeSyntaxError", f"Syntax error in module '{module_name}': {error}", trace) from error
    if not hasattr(module, function_name):
        raise Fault("Runtime.HandlerNotFound", f"Handler '{function_name}' missing on module '{module_name}'")
    return getattr(module, function_name)


class Fault(Exception):
    """A fault that has a type and a sentence of AWS's own."""

    def __init__(self, error_type, message, trace=()):
        super().__init__(message)
        self.error = {"errorMessage": message, "errorType": error_type, "requestId": "", "stackTrace": list(trace)}


def described(error):
    """A handler's exception as AWS's Python runtime tells it; frames of this file are left out."""
    if isinstance(error, Fault):
        return {**error.error, "requestId": now.request_id}
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    return {
        "errorMessage": str(error),
        "errorType": type(error).__name__,
        "requestId": now.request_id,
        "stackTrace": traceback.format_list(frames),
    }


def log_error(told):
    lines = [f"[ERROR] {told['errorType']}: {told['errorMessage']}"]
    if told["stackTrace"]:
        lines += ["Traceback (most recent call last):"] + [frame.rstrip("\n") for frame in told["stackTrace"]]
    say("\n".join(lines))


def answer_to(handler, event, context):
    answer = handler(json.loads(event), context)
    try:
        return json.dumps(answer, ensure_ascii=False).encode()
    except (TypeError, ValueError) as error:
        raise Fault("Runtime.MarshalError", f"Unable to marshal response: {error}") from error


def main():
    # What is printed is told line by line: a handler that is ended in the midst has said what it said.
    sys.stdout.reconfigure(line_buffering=True)
    sys.path[0:1] = [TASK, "/opt/python", *filter(None, os.environ.get("HOMEPORT_PYTHON_LIBRARIES", "").split(":"))]
    os.environ.pop("HOMEPORT_PYTHON_LIBRARIES", None)
    logging.getLogger().addHandler(ToLog())
    api = Api()
    try:
        handler = load(os.environ["_HANDLER"])
    except Exception as error:  # whatever a module does when it is imported
        told = described(error)
        log_error(told)
        api.fail_to_start(told)
        sys.exit(1)
    while True:
        answer, event = api.next()
        context = Context(answer.headers)
        now.request_id = context.aws_request_id
        os.environ["_X_AMZN_TRACE_ID"] = answer.headers.get("Lambda-Runtime-Trace-Id") or ""
        try:
            body = answer_to(handler, event, context)
        except Exception as error:  # whatever a handler raises
            told = described(error)
            log_error(told)
            sys.stdout.flush()
            sys.stderr.flush()
            api.fail(now.request_id, told)
            continue
        sys.stdout.flush()
        sys.stderr.flush()
        api.respond(now.request_id, body)


main()
