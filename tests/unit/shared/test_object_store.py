"""What the Cloud Storage client asks for: what it was told to, and nothing beside."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from stockflow.gcp import ObjectStore
from stockflow.settings import Settings


class Storage(BaseHTTPRequestHandler):
    """Answers each request with the same bytes."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path.partition("?")[0])
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"42")

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Paths that a store of this environment was asked for."""
    monkeypatch.delenv("DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA", raising=False)
    Storage.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Storage)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "shop")
    yield Storage.asked
    server.shutdown()
    server.server_close()


def test_reading_an_object_is_one_request(asked: list[str]) -> None:
    """The metadata of its bucket is not asked for: roles that read objects do not allow it."""
    store = ObjectStore(Settings.from_env())
    assert store.read("kpis", "a.sql") == b"42"
    beside = [t for t in threading.enumerate() if t.name.endswith("(_fetch_background)")]
    for thread in beside:
        thread.join(10)
    assert asked == ["/download/storage/v1/b/kpis/o/a.sql"]
