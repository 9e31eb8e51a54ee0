"""Push over real HTTP on a clock that stands still, and the JSON of the REST front."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from local.pubsub.rest import call
from stockflow.waiting import wait_until
from tests.pubsub.conftest import PROJECT, PubSub


@contextmanager
def endpoint(answer: Callable[[dict[str, Any]], int]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Serve an HTTP endpoint that records what is pushed and answers as told."""
    seen: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            seen.append(body)
            self.send_response(answer(body))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/", seen
    server.shutdown()
    server.server_close()


def test_a_push_has_the_body_of_the_real_service(pubsub: PubSub) -> None:
    """Data in base64, both spellings of the names, the attempt where there is a dead-letter policy."""
    topic, dead = pubsub.topic(), pubsub.topic("orders-dead")
    with endpoint(lambda _: 204) as (url, seen):
        policy = {"dead_letter_topic": dead, "max_delivery_attempts": 5}
        sub = pubsub.subscription(topic, push_config={"push_endpoint": url}, dead_letter_policy=policy)
        pubsub.publish(topic, "hello", kind="greeting")
        assert wait_until(lambda: seen, 60)
    (body,) = seen
    assert (body["subscription"], body["deliveryAttempt"]) == (sub, 1)
    message = body["message"]
    assert (message["data"], message["attributes"]) == ("aGVsbG8=", {"kind": "greeting"})
    assert message["messageId"] == message["message_id"] == "1"
    assert message["publishTime"] == message["publish_time"]


def test_a_refused_push_comes_again_and_holds_nobody_up(pubsub: PubSub) -> None:
    """Given one message that fails, when nine others come, then they are delivered without waiting for it."""
    topic = pubsub.topic()
    with endpoint(lambda body: 500 if body["message"]["attributes"]["n"] == "0" else 200) as (url, seen):
        retry = {"minimum_backoff": {"seconds": 10}, "maximum_backoff": {"seconds": 10}}
        pubsub.subscription(topic, push_config={"push_endpoint": url}, retry_policy=retry)
        for n in range(10):
            pubsub.publish(topic, "x", n=str(n))
        assert wait_until(lambda: len(seen) == 10, 60)
        pubsub.clock.move(11)
        assert wait_until(lambda: len(seen) >= 11, 60)
        assert seen[10]["message"]["attributes"] == {"n": "0"}


def test_the_rest_front_speaks_the_json_of_the_real_service(pubsub: PubSub) -> None:
    """What ``gcloud pubsub`` sends: create, publish, pull, seek, describe, and an error."""
    base = f"/v1/projects/{PROJECT}"

    def ask(verb: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        return call(pubsub.emulator, verb, base + path, json.dumps(body or {}).encode())

    assert ask("PUT", "/topics/orders")[1] == {"name": f"projects/{PROJECT}/topics/orders"}
    assert ask("PUT", "/subscriptions/reader", {"topic": f"projects/{PROJECT}/topics/orders"})[0] == 200
    status, answer = ask("POST", "/topics/orders:publish", {"messages": [{"data": "aGk=", "attributes": {"a": "1"}}]})
    assert (status, answer) == (200, {"messageIds": ["1"]})
    _, pulled = ask("POST", "/subscriptions/reader:pull", {"maxMessages": 1, "returnImmediately": True})
    assert pulled["receivedMessages"][0]["message"]["data"] == "aGk="
    assert ask("POST", "/subscriptions/reader:seek", {"time": "2040-01-01T00:00:00Z"}) == (200, {})
    assert ask("GET", "/subscriptions/reader")[1]["ackDeadlineSeconds"] == 10
    assert ask("GET", "/subscriptions/nobody")[1]["error"]["status"] == "NOT_FOUND"
    assert [t["name"] for t in ask("GET", "/topics")[1]["topics"]] == [f"projects/{PROJECT}/topics/orders"]


def test_the_rest_front_says_what_is_wrong(pubsub: PubSub) -> None:
    """Unknown methods, broken JSON, refusals: each with its status, as the real service words them."""
    project = f"/v1/projects/{PROJECT}"

    def status(verb: str, path: str, body: bytes = b"") -> tuple[int, str]:
        code, answer = call(pubsub.emulator, verb, project + path, body)
        return code, answer["error"]["status"]

    pubsub.topic()
    assert status("GET", "/schemas") == (501, "UNIMPLEMENTED")
    assert status("POST", "/topics/orders:setIamPolicy", b"{}") == (501, "UNIMPLEMENTED")
    assert status("POST", "/topics/orders:publish", b"{broken") == (400, "INVALID_ARGUMENT")
    assert status("POST", "/topics/orders:publish", b'{"messages": 3}') == (400, "INVALID_ARGUMENT")
    assert status("PUT", "/topics/orders") == (409, "ALREADY_EXISTS")
    assert status("GET", "/topics/none") == (404, "NOT_FOUND")
    assert status("GET", "/topics?pageToken=x") == (400, "INVALID_ARGUMENT")
