"""Push."""

import threading
import time

import pytest
from google.api_core import exceptions as api

from local.state import free_port
from tests.pubsub.support import CALL, Endpoint, Posted, World, until


def test_the_body_is_the_real_one(world: World, endpoint: Endpoint) -> None:
    """The body wraps data, attributes, message id and publish time in both spellings, and the subscription."""
    world.topic()
    sub = world.sub(push_config={"push_endpoint": endpoint.url + "/hook?token=1"})
    (number,) = world.publish({"data": b"hello", "attributes": {"a": "1"}})
    posted = until(lambda: endpoint.posted)[0]
    message = posted.body["message"]
    assert (posted.path, posted.body["subscription"]) == ("/hook?token=1", sub)
    assert (message["messageId"], message["message_id"]) == (number, number)
    assert message["publishTime"] == message["publish_time"]
    assert posted.text == "hello"
    assert message["attributes"] == {"a": "1"}
    assert "deliveryAttempt" not in posted.body
    assert posted.headers["Content-Type"] == "application/json"


@pytest.mark.differs("sends its own headers")
def test_the_headers_are_the_real_ones(world: World, endpoint: Endpoint) -> None:
    """The headers name CloudPubSub-Google and noreply@google.com."""
    world.topic()
    world.sub(push_config={"push_endpoint": endpoint.url})
    world.publish("a")
    headers = until(lambda: endpoint.posted)[0].headers
    assert (headers["User-Agent"], headers["From"]) == ("CloudPubSub-Google", "noreply@google.com")
    assert headers["Accept"] == "application/json"


@pytest.mark.differs("sends no ordering key")
def test_the_ordering_key_is_in_the_body(world: World, endpoint: Endpoint) -> None:
    """The ordering key is in the body."""
    world.topic()
    world.sub(push_config={"push_endpoint": endpoint.url}, enable_message_ordering=True)
    world.publish({"data": b"a", "ordering_key": "k"})
    assert until(lambda: endpoint.posted)[0].body["message"]["orderingKey"] == "k"


@pytest.mark.parametrize("status", [102, 200, 201, 202, 204])
def test_success_acknowledges(world: World, endpoint: Endpoint, status: int) -> None:
    """102, 200, 201, 202 and 204 acknowledge."""
    endpoint.answer = lambda _: status
    world.topic()
    world.sub(push_config={"push_endpoint": endpoint.url})
    (first,) = world.publish("a")
    until(lambda: endpoint.posted)
    (second,) = world.publish("b")
    until(lambda: any(p.id == second for p in endpoint.posted))
    assert [p.id for p in endpoint.posted] == [first, second]


@pytest.mark.parametrize("status", [302, 400, 404, 429, 500, 503])
def test_anything_else_delivers_again(world: World, endpoint: Endpoint, status: int) -> None:
    """Any other answer is a negative acknowledgement: the message comes again."""
    endpoint.answer = lambda _: 204 if len(endpoint.posted) > 1 else status
    world.topic()
    world.sub(push_config={"push_endpoint": endpoint.url})
    (number,) = world.publish("a")
    until(lambda: len(endpoint.posted) >= 2)
    assert {p.id for p in endpoint.posted} == {number}


def test_an_endpoint_that_is_down_gets_its_messages_later(world: World) -> None:
    """Messages wait for an endpoint that does not listen yet."""
    world.topic()
    port = free_port()
    world.sub(push_config={"push_endpoint": f"http://127.0.0.1:{port}"})
    world.publish("a")
    opened = Endpoint(port=port)
    try:
        until(lambda: opened.posted)
    finally:
        opened.close()


@pytest.mark.differs("never forwards")
def test_attempts_are_in_the_body_with_a_dead_letter_policy(world: World, endpoint: Endpoint) -> None:
    """deliveryAttempt is in the body where there is a dead-letter policy, and the dead letter leaves after the last."""
    endpoint.answer = lambda _: 500
    world.topic()
    dead = world.topic("dead")
    world.sub("grave", topic="dead")
    policy = {"dead_letter_topic": dead, "max_delivery_attempts": 5}
    retry = {"minimum_backoff": {"nanos": 1_000_000}, "maximum_backoff": {"nanos": 1_000_000}}
    world.sub(push_config={"push_endpoint": endpoint.url}, dead_letter_policy=policy, retry_policy=retry)
    world.publish("a")
    assert world.take(1, "grave")[0].message.attributes["CloudPubSubDeadLetterSourceDeliveryCount"] == "5"
    assert [p.body["deliveryAttempt"] for p in endpoint.posted] == [1, 2, 3, 4, 5]


def test_a_slow_message_holds_nobody_up(world: World, endpoint: Endpoint) -> None:
    """A slow endpoint call does not hold up other messages."""
    gate = threading.Event()
    world.topic()

    def answer(posted: Posted) -> int:
        if posted.text == "slow":
            gate.wait(10)
        return 204

    endpoint.answer = answer
    world.sub(push_config={"push_endpoint": endpoint.url})
    world.publish("slow")
    until(lambda: endpoint.posted)
    world.publish(*range(20))
    until(lambda: len(endpoint.posted) >= 21)
    gate.set()


def test_a_key_is_pushed_one_at_a_time(world: World, endpoint: Endpoint) -> None:
    """With ordering, a message of a key is pushed after the one before it is acknowledged."""
    under_way: list[int] = []
    most = 0
    lock = threading.Lock()

    def answer(_: Posted) -> int:
        nonlocal most
        with lock:
            under_way.append(1)
            most = max(most, len(under_way))
        time.sleep(0.02)
        with lock:
            under_way.pop()
        return 204

    endpoint.answer = answer
    world.topic()
    world.sub(push_config={"push_endpoint": endpoint.url}, enable_message_ordering=True)
    world.publish(*({"data": str(n).encode(), "ordering_key": "k"} for n in range(10)))
    until(lambda: len(endpoint.posted) >= 10)
    order = [p.text for p in endpoint.posted]
    assert (order, most) == ([str(n) for n in range(10)], 1)


def test_push_becomes_pull_and_back(world: World, endpoint: Endpoint) -> None:
    """ModifyPushConfig turns push into pull and back."""
    world.topic()
    sub = world.sub(push_config={"push_endpoint": endpoint.url})
    world.subscriber.modify_push_config(request={"subscription": sub, "push_config": {}}, **CALL)
    world.publish("a")
    assert len(world.take(1)) == 1
    config = {"push_endpoint": endpoint.url}
    world.subscriber.modify_push_config(request={"subscription": sub, "push_config": config}, **CALL)
    world.publish("b")
    until(lambda: endpoint.posted)


@pytest.mark.differs("answers with nothing")
def test_a_push_subscription_cannot_be_pulled(world: World, endpoint: Endpoint) -> None:
    """A pull from a push subscription is FAILED_PRECONDITION."""
    world.topic()
    world.sub(push_config={"push_endpoint": endpoint.url})
    with pytest.raises(api.FailedPrecondition):
        world.pull()


def test_a_bare_push_has_the_data_as_its_body(world: World, endpoint: Endpoint) -> None:
    """With no_wrapper the body is the data; with write_metadata the headers carry the rest."""
    world.topic()
    config = {"push_endpoint": endpoint.url, "no_wrapper": {"write_metadata": True}}
    sub = world.sub(push_config=config)
    (number,) = world.publish({"data": b"bare", "attributes": {"colour": "red"}})
    posted = until(lambda: endpoint.posted)[0]
    headers = {name.lower(): value for name, value in posted.headers.items()}
    assert (posted.raw, headers["x-goog-pubsub-subscription-name"]) == (b"bare", sub)
    assert (headers["x-goog-pubsub-message-id"], headers["colour"]) == (number, "red")
