"""Dead letters in plain words."""

from datetime import UTC, datetime

import pytest

from cli.deadletters import DeadLetter, chosen
from cli.output import CommandError
from cli.subscriptions import Letter
from stockflow.identity import load_id


def letter(message: str, subscription: str = "transform", **attributes: str) -> DeadLetter:
    return DeadLetter(subscription, Letter("ack", message, b"{}", attributes, datetime(2026, 10, 1, tzinfo=UTC)))


def test_it_says_what_was_given_up_and_after_how_many_attempts() -> None:
    counted = {"CloudPubSubDeadLetterSourceDeliveryCount": "10", "CloudPubSubDeadLetterSourceSubscription": "transform"}
    dead = letter("17", event_type="load.validated", load_id="abc", **counted)
    assert (dead.what, dead.load_id, dead.attempts) == ("load.validated abc", "abc", 10)
    assert dead.event == {"event_type": "load.validated", "load_id": "abc"}


def test_a_notification_names_its_object() -> None:
    dead = letter("17", "ingest", bucketId="landing", objectId="sales/x.csv", objectGeneration="12")
    assert (dead.what, dead.load_id, dead.attempts) == ("sales/x.csv", load_id("landing", "sales/x.csv", 12), None)


def test_one_says_which() -> None:
    letters = [letter("17"), letter("18"), letter("25")]
    assert chosen(letters, ["1"], every=False) == letters[:2]
    assert chosen(letters, [], every=True) == letters
    with pytest.raises(CommandError, match="no dead letter '9'"):
        chosen(letters, ["9"], every=False)
    with pytest.raises(CommandError, match="use --all"):
        chosen(letters, [], every=False)
