"""A small HTTP proxy before the BigQuery emulator that refuses load jobs into one table, as BigQuery does."""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_SKIPPED = {"host", "content-length", "connection", "accept-encoding", "transfer-encoding", "date", "server"}


@dataclass
class Quota:
    """Which tables have had their load jobs of the day; ``refused`` counts the answers."""

    endpoint: str
    exhausted: set[str] = field(default_factory=set)
    refused: int = 0

    def refuses(self, path: str, body: bytes) -> bytes | None:
        """Return BigQuery's own words for a load job into such a table."""
        if not path.split("?", maxsplit=1)[0].endswith("/jobs"):
            return None
        load = json.loads(body).get("configuration", {}).get("load")
        table = (load or {}).get("destinationTable", {}).get("tableId")
        if table not in self.exhausted:
            return None
        self.refused += 1
        message = (
            f"Quota exceeded: Your table exceeded quota for imports or query appends per table: {table}. "
            "For more information, see https://cloud.google.com/bigquery/docs/troubleshoot-quotas"
        )
        errors = [{"message": message, "domain": "usageLimits", "reason": "quotaExceeded", "location": "load_job"}]
        return json.dumps(
            {"error": {"code": 403, "message": message, "errors": errors, "status": "PERMISSION_DENIED"}}
        ).encode()


@contextmanager
def quota_proxy(emulator: str) -> Iterator[Quota]:
    """Run the proxy; yield its endpoint and what it refuses."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    quota = Quota(f"http://127.0.0.1:{server.server_address[1]}")
    server.RequestHandlerClass = _handler(emulator, quota)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield quota
    finally:
        server.shutdown()
        server.server_close()


def _handler(emulator: str, quota: Quota) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _pass(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.command == "POST" and (refusal := quota.refuses(self.path, body)):
                self._answer(403, {"Content-Type": "application/json"}, refusal)
                return
            headers = {k: v for k, v in self.headers.items() if k.lower() not in _SKIPPED}
            request = urllib.request.Request(emulator + self.path, body or None, headers, method=self.command)
            try:
                with urllib.request.urlopen(request, timeout=300) as answer:
                    self._answer(answer.status, dict(answer.headers), answer.read())
            except urllib.error.HTTPError as error:
                self._answer(error.code, dict(error.headers), error.read())

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _pass  # noqa: N815

        def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in _SKIPPED:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    return Handler
