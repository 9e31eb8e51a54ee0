"""deadletters: the events that a function could not handle, however often it was tried."""

import base64
import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import typer

from cli import target
from cli.last_error import last_error
from cli.output import CommandError, console, print_json, print_table
from cli.stack import Json
from cli.subscriptions import Letter, Subscriptions
from stockflow.events import load_of
from stockflow.schema import pipeline
from stockflow.services import Services

app = typer.Typer(no_args_is_help=True, help="Events that were given up: list, show, retry, drop.")
_PREFIX = "CloudPubSubDeadLetterSource"
Ids = Annotated[list[str] | None, typer.Argument(help="Their ids, as `list` shows them, or the beginning.")]
All = Annotated[bool, typer.Option("--all", help="All of them.")]


@dataclass(frozen=True)
class DeadLetter:
    """One event that was given up. ``subscription`` is the one whose function failed."""

    subscription: str
    letter: Letter

    @property
    def event(self) -> dict[str, str]:
        """The original attributes."""
        return {k: v for k, v in self.letter.attributes.items() if not k.startswith(_PREFIX)}

    @property
    def attempts(self) -> int | None:
        """How often it was delivered."""
        count = self.letter.attributes.get(f"{_PREFIX}DeliveryCount")
        return int(count) if count else None

    @property
    def load_id(self) -> str | None:
        """The load that the event is about."""
        return load_of(self.event)

    @property
    def what(self) -> str:
        """The event in few words."""
        event = self.event
        return (
            event.get("objectId") or f"{event.get('event_type', 'an unknown event')} {event.get('load_id', '')}".strip()
        )

    @property
    def text(self) -> str:
        """The original data as text."""
        return self.letter.data.decode(errors="replace")


def read(services: Services) -> list[DeadLetter]:
    """Lease all dead letters; ``give_back`` or ``acknowledge`` them afterwards."""
    subscriptions = Subscriptions(services.settings)
    names = sorted(pipeline()["subscriptions"])
    with ThreadPoolExecutor(len(names)) as pool:
        found = pool.map(lambda name: subscriptions.pull_all(dead_name(name)), names)
    return [DeadLetter(name, letter) for name, letters in zip(names, found, strict=True) for letter in letters]


def release(letters: Iterable[DeadLetter], services: Services) -> None:
    """Give leased dead letters back: the next one to ask sees them."""
    _done_with(letters, services, keep=True)


def dead_name(subscription: str) -> str:
    """Return the subscription that keeps the dead letters of another one."""
    return f"{subscription}{pipeline()['subscription_defaults']['dead_letter_subscription_suffix']}"


def _done_with(letters: Iterable[DeadLetter], services: Services, keep: bool) -> None:
    subscriptions = Subscriptions(services.settings)
    act = subscriptions.give_back if keep else subscriptions.acknowledge
    by_name: dict[str, list[Letter]] = {}
    for dead in letters:
        by_name.setdefault(dead.subscription, []).append(dead.letter)
    for name, mine in by_name.items():
        act(dead_name(name), mine)


def _row(dead: DeadLetter, services: Services) -> dict[str, Any]:
    published: datetime = dead.letter.published
    return {
        "id": dead.letter.message_id,
        "function": pipeline()["subscriptions"][dead.subscription]["function"],
        "event": dead.what,
        "load_id": dead.load_id,
        "attempts": dead.attempts,
        "given_up_at": published,
        "last_error": last_error(pipeline()["subscriptions"][dead.subscription]["function"], dead.load_id, services),
    }


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List dead letters: which function gave up on what, after how many attempts, and its last error.

    Examples:

      stockflow deadletters list
    """
    services = target.services()
    letters = read(services)
    rows = [_row(dead, services) for dead in letters]
    _done_with(letters, services, keep=True)
    if as_json:
        print_json(rows)
    elif rows:
        print_table(rows, ["id", "function", "event", "attempts", "given_up_at", "last_error"])
    else:
        console().print("no dead letters")


@app.command()
def show(ids: Ids = None, as_json: Json = False) -> None:
    """Show dead letters in full: the original event, the attempts, the last error.

    Examples:

      stockflow deadletters show 17
    """
    services = target.services()
    letters = read(services)
    _done_with(letters, services, keep=True)
    rows = [
        {**_row(dead, services), "attributes": dead.event, "data": _data(dead)}
        for dead in chosen(letters, ids or [], every=not ids)
    ]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        for name, value in row.items():
            shown = json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value
            console().print(f"{name + ':':<13}{'' if shown is None else shown}", markup=False, soft_wrap=True)
        console().print()


def _data(dead: DeadLetter) -> Any:
    try:
        return json.loads(dead.text)
    except ValueError:
        return base64.b64encode(dead.letter.data).decode()


def chosen(letters: list[DeadLetter], ids: list[str], every: bool) -> list[DeadLetter]:
    """Return the dead letters that are meant.

    Raises:
        CommandError: an id that is none, or nothing was named.
    """
    if not every and not ids:
        raise CommandError("name the ids (`stockflow deadletters list` shows them), or use --all")
    for text in ids:
        if not any(dead.letter.message_id.startswith(text) for dead in letters):
            raise CommandError(f"no dead letter {text!r}: `stockflow deadletters list` shows them")
    return [dead for dead in letters if every or any(dead.letter.message_id.startswith(i) for i in ids)]


@app.command()
def retry(ids: Ids = None, every: All = False, as_json: Json = False) -> None:
    """Publish the original events again and remove the dead letters. Do this once the cause is fixed.

    Examples:

      stockflow deadletters retry --all
    """
    _settle(ids or [], every, "retried", as_json)


@app.command()
def drop(ids: Ids = None, every: All = False, as_json: Json = False) -> None:
    """Delete dead letters for good. The load stays where it is: `stockflow replay` finds it again.

    Examples:

      stockflow deadletters drop 17
    """
    _settle(ids or [], every, "dropped", as_json)


def _settle(ids: list[str], every: bool, verb: str, as_json: bool) -> None:
    services = target.services()
    letters = read(services)
    try:
        mine = chosen(letters, ids, every)
    except CommandError:
        _done_with(letters, services, keep=True)
        raise
    if verb == "retried":
        _publish(mine, services)
    _done_with(mine, services, keep=False)
    _done_with([dead for dead in letters if dead not in mine], services, keep=True)
    print_json({verb: [d.letter.message_id for d in mine]}) if as_json else console().print(f"{len(mine)} {verb}")


def _publish(letters: Iterable[DeadLetter], services: Services) -> None:
    """Back to the topic they came from: filters send each to the one function it is for."""
    by_topic: dict[str, list[tuple[bytes, dict[str, str]]]] = {}
    for dead in letters:
        topic = pipeline()["subscriptions"][dead.subscription]["topic"]
        by_topic.setdefault(topic, []).append((dead.letter.data, dead.event))
    for topic, messages in by_topic.items():
        services.publisher.publish_all(topic, messages)
