"""A REST front of the same methods (v1 JSON), for ``gcloud pubsub``, which speaks no gRPC."""

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from google.protobuf import empty_pb2, json_format
from google.pubsub_v1 import types

from local.pubsub.api import StaleAckIdsError
from local.pubsub.errors import ServiceError
from local.pubsub.server import PUBLISHER, SUBSCRIBER, Emulator, _snake

_NAME = r"projects/[^/:]+/%s/[^/:]+"
_TOPIC, _SUB, _SNAP = (_NAME % kind for kind in ("topics", "subscriptions", "snapshots"))
# verb, path, rpc, field that the path fills, whether the body is that message itself or the request
ROUTES = [
    ("PUT", rf"({_TOPIC})", "CreateTopic", "name"),
    ("PATCH", rf"({_TOPIC})", "UpdateTopic", "topic.name"),
    ("POST", rf"({_TOPIC}):publish", "Publish", "topic"),
    ("GET", rf"({_TOPIC})", "GetTopic", "topic"),
    ("GET", r"(projects/[^/:]+)/topics", "ListTopics", "project"),
    ("GET", rf"({_TOPIC})/subscriptions", "ListTopicSubscriptions", "topic"),
    ("GET", rf"({_TOPIC})/snapshots", "ListTopicSnapshots", "topic"),
    ("DELETE", rf"({_TOPIC})", "DeleteTopic", "topic"),
    ("POST", rf"({_SUB}):detach", "DetachSubscription", "subscription"),
    ("PUT", rf"({_SUB})", "CreateSubscription", "name"),
    ("GET", rf"({_SUB})", "GetSubscription", "subscription"),
    ("PATCH", rf"({_SUB})", "UpdateSubscription", "subscription.name"),
    ("GET", r"(projects/[^/:]+)/subscriptions", "ListSubscriptions", "project"),
    ("DELETE", rf"({_SUB})", "DeleteSubscription", "subscription"),
    ("POST", rf"({_SUB}):modifyAckDeadline", "ModifyAckDeadline", "subscription"),
    ("POST", rf"({_SUB}):acknowledge", "Acknowledge", "subscription"),
    ("POST", rf"({_SUB}):pull", "Pull", "subscription"),
    ("POST", rf"({_SUB}):modifyPushConfig", "ModifyPushConfig", "subscription"),
    ("POST", rf"({_SUB}):seek", "Seek", "subscription"),
    ("PUT", rf"({_SNAP})", "CreateSnapshot", "name"),
    ("GET", rf"({_SNAP})", "GetSnapshot", "snapshot"),
    ("PATCH", rf"({_SNAP})", "UpdateSnapshot", "snapshot.name"),
    ("GET", r"(projects/[^/:]+)/snapshots", "ListSnapshots", "project"),
    ("DELETE", rf"({_SNAP})", "DeleteSnapshot", "snapshot"),
]
_HTTP = {"NOT_FOUND": 404, "ALREADY_EXISTS": 409, "INVALID_ARGUMENT": 400, "FAILED_PRECONDITION": 400}


class Front:
    """An HTTP server of the emulator's methods."""

    def __init__(self, emulator: Emulator, host: str, port: int) -> None:
        self._server = ThreadingHTTPServer((host, port), _handler(emulator))
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def start(self) -> int:
        """Listen; return the port."""
        self._thread.start()
        return int(self._server.server_address[1])

    def stop(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


def call(emulator: Emulator, verb: str, url: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Return the status and JSON that answer one request."""
    parts = urlsplit(url)
    for route_verb, pattern, rpc, field in ROUTES:
        match = re.fullmatch(rf"/v1/{pattern}", unquote(parts.path))
        if route_verb == verb and match:
            query = {k: v[0] for k, v in parse_qs(parts.query).items() if k in ("pageSize", "pageToken")}
            return _invoke(emulator, rpc, _filled({**query, **body}, field, match.group(1)))
    return 404, _error(404, "NOT_FOUND", f"no method {verb} {parts.path}")


def _filled(body: dict[str, Any], field: str, name: str) -> dict[str, Any]:
    if "." not in field:
        return {**body, field: name}
    outer, inner = field.split(".")
    return {**body, outer: {**body.get(outer, {}), inner: name}}


def _invoke(emulator: Emulator, rpc: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    service = emulator.publisher if rpc in PUBLISHER else emulator.subscriber
    kind: Any = {**PUBLISHER, **SUBSCRIBER}[rpc]
    try:
        request = kind()
        json_format.ParseDict(body, kind.pb(request), ignore_unknown_fields=True)
        answer = getattr(service, _snake(rpc))(request)
    except json_format.ParseError as error:
        return 400, _error(400, "INVALID_ARGUMENT", str(error))
    except ServiceError as error:
        code = _HTTP.get(error.code.name, 500)
        return code, _error(code, error.code.name, error.message)
    except StaleAckIdsError as error:
        return 400, _error(400, "FAILED_PRECONDITION", str(error))
    if isinstance(answer, empty_pb2.Empty | types.SeekResponse | types.DetachSubscriptionResponse):
        return 200, {}
    return 200, json_format.MessageToDict(type(answer).pb(answer))


def _error(code: int, status: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "status": status}}


def _handler(emulator: Emulator) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or b"{}")
            status, answer = call(emulator, self.command, self.path, body)
            data = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json; charset=UTF-8")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = _answer  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing: each call is in the client's own log."""

    return Handler
