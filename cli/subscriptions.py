"""The environment's subscriptions: seek, and reading dead letters."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cli.output import CommandError
from stockflow.settings import Settings

_WAIT_SECONDS = 2  # a pull of an empty subscription waits that long


@dataclass(frozen=True)
class Letter:
    """One message that was pulled and not acknowledged yet."""

    ack_id: str
    message_id: str
    data: bytes
    attributes: dict[str, str]
    published: datetime


class Subscriptions:
    """Pub/Sub's side of reading; names are those of ``pipeline.yaml``.

    Raises:
        CommandError: in every method, when there is no such subscription.
    """

    def __init__(self, settings: Settings) -> None:
        from google.api_core import exceptions  # a second of import time that other commands need not wait
        from google.cloud import pubsub_v1

        self._settings = settings
        self._api: Any = exceptions
        self._client = pubsub_v1.SubscriberClient()

    def seek(self, name: str, when: datetime) -> None:
        """Have everything that was published since ``when`` delivered again."""
        try:
            self._client.seek(request={"subscription": self._path(name), "time": when})
        except self._api.NotFound as error:
            raise CommandError(f"no subscription {self._path(name)}: {error.message}") from error

    def pull_all(self, name: str, most: int = 1_000) -> list[Letter]:
        """Lease every message that is there, ``most`` at most; acknowledge them or give them back."""
        found: dict[str, Letter] = {}
        while len(found) < most:
            letters = self._pull(name, most - len(found))
            fresh = {x.message_id: x for x in letters if x.message_id not in found}
            found |= fresh
            if not fresh:
                break
        return sorted(found.values(), key=lambda x: (x.published, x.message_id))

    def _pull(self, name: str, most: int) -> list[Letter]:
        request = {"subscription": self._path(name), "max_messages": most}
        try:
            received = self._client.pull(request=request, timeout=_WAIT_SECONDS, retry=None).received_messages
        except self._api.DeadlineExceeded:
            return []
        except self._api.NotFound as error:
            raise CommandError(f"no subscription {self._path(name)}: {error.message}") from error
        return [
            Letter(m.ack_id, m.message.message_id, m.message.data, dict(m.message.attributes), m.message.publish_time)
            for m in received
        ]

    def acknowledge(self, name: str, letters: Iterable[Letter]) -> None:
        """Be done with messages for good."""
        if ids := [x.ack_id for x in letters]:
            self._client.acknowledge(request={"subscription": self._path(name), "ack_ids": ids})

    def give_back(self, name: str, letters: Iterable[Letter]) -> None:
        """Let others have the messages at once."""
        if ids := [x.ack_id for x in letters]:
            request = {"subscription": self._path(name), "ack_ids": ids, "ack_deadline_seconds": 0}
            self._client.modify_ack_deadline(request=request)

    def _path(self, name: str) -> str:
        return f"projects/{self._settings.project}/subscriptions/{self._settings.topic_prefix}{name}"
