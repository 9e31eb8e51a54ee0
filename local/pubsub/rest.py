"""A REST front of the same methods (v1 JSON), for ``gcloud pubsub``, which speaks no gRPC."""

import json
import logging
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from google.protobuf import json_format

from local.pubsub.errors import ServiceError
from local.pubsub.server import Emulator
from local.pubsub.wire import PUBLISHER, SUBSCRIBER

_NAME = r"projects/[^/:]+/%s/[^/:]+"
_PROJECT = r"projects/[^/:]+"
_TOPIC, _SUB, _SNAP = (_NAME % kind for kind in ("topics", "subscriptions", "snapshots"))
# verb, path, method, the field that the path fills
ROUTES = [
    ("PUT", rf"({_TOPIC})", "CreateTopic", "name"),
    ("PATCH", rf"({_TOPIC})", "UpdateTopic", "topic.name"),
    ("POST", rf"({_TOPIC}):publish", "Publish", "topic"),
    ("GET", rf"({_TOPIC})", "GetTopic", "topic"),
    ("GET", rf"({_PROJECT})/topics", "ListTopics", "project"),
    ("GET", rf"({_TOPIC})/subscriptions", "ListTopicSubscriptions", "topic"),
    ("GET", rf"({_TOPIC})/snapshots", "ListTopicSnapshots", "topic"),
    ("DELETE", rf"({_TOPIC})", "DeleteTopic", "topic"),
    ("POST", rf"({_SUB}):detach", "DetachSubscription", "subscription"),
    ("PUT", rf"({_SUB})", "CreateSubscription", "name"),
    ("GET", rf"({_SUB})", "GetSubscription", "subscription"),
    ("PATCH", rf"({_SUB})", "UpdateSubscription", "subscription.name"),
    ("GET", rf"({_PROJECT})/subscriptions", "ListSubscriptions", "project"),
    ("DELETE", rf"({_SUB})", "DeleteSubscription", "subscription"),
    ("POST", rf"({_SUB}):modifyAckDeadline", "ModifyAckDeadline", "subscription"),
    ("POST", rf"({_SUB}):acknowledge", "Acknowledge", "subscription"),
    ("POST", rf"({_SUB}):pull", "Pull", "subscription"),
    ("POST", rf"({_SUB}):modifyPushConfig", "ModifyPushConfig", "subscription"),
    ("POST", rf"({_SUB}):seek", "Seek", "subscription"),
    ("PUT", rf"({_SNAP})", "CreateSnapshot", "name"),
    ("GET", rf"({_SNAP})", "GetSnapshot", "snapshot"),
    ("PATCH", rf"({_SNAP})", "UpdateSnapshot", "snapshot.name"),
    ("GET", rf"({_PROJECT})/snapshots", "ListSnapshots", "project"),
    ("DELETE", rf"({_SNAP})", "DeleteSnapshot", "snapshot"),
]
_HTTP = {"NOT_FOUND": 404, "ALREADY_EXISTS": 409, "UNIMPLEMENTED": 501, "INTERNAL": 500}
_log = logging.getLogger("pubsub.rest")


def call(emulator: Emulator, verb: str, url: str, body: bytes) -> tuple[int, dict[str, Any]]:
    """Return the status and JSON that answer one request."""
    parts = urlsplit(url)
    for route_verb, pattern, rpc, field in ROUTES:
        match = re.fullmatch(rf"/v1/{pattern}", unquote(parts.path))
        if route_verb == verb and match:
            query = {k: v for k, v in parse_qsl(parts.query) if k in ("pageSize", "pageToken")}
            return _invoke(emulator, rpc, query, body, (field, match.group(1)))
    return _error("UNIMPLEMENTED", f"This emulator does not implement {verb} {parts.path}.")


def _invoke(
    emulator: Emulator, rpc: str, query: dict[str, str], body: bytes, named: tuple[str, str]
) -> tuple[int, dict[str, Any]]:
    request = {**PUBLISHER, **SUBSCRIBER}[rpc]()
    try:
        given = {**query, **json.loads(body or b"{}")}
        json_format.ParseDict(_filled(given, *named), request, ignore_unknown_fields=True)
        return 200, json_format.MessageToDict(emulator.call(rpc, request))
    except (json_format.ParseError, ValueError, TypeError) as error:
        return _error("INVALID_ARGUMENT", f"Invalid JSON payload received: {error}")
    except ServiceError as error:
        return _error(error.code.name, error.message)
    except Exception as error:
        _log.exception("%s failed", rpc)
        return _error("INTERNAL", f"{type(error).__name__}: {error}")


def _filled(body: dict[str, Any], field: str, name: str) -> dict[str, Any]:
    if "." not in field:
        return {**body, field: name}
    outer, inner = field.split(".")
    return {**body, outer: {**body.get(outer, {}), inner: name}}


def _error(status: str, message: str) -> tuple[int, dict[str, Any]]:
    code = _HTTP.get(status, 400)
    return code, {"error": {"code": code, "message": message, "status": status}}


class Front:
    """An HTTP server of the emulator's methods."""

    def __init__(self, emulator: Emulator, host: str, port: int) -> None:
        self._server = ThreadingHTTPServer((host, port), _handler(emulator))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True, name="rest")

    def start(self) -> int:
        """Listen; return the port."""
        self._thread.start()
        return int(self._server.server_address[1])

    def stop(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


def _handler(emulator: Emulator) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
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
