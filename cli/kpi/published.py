"""The definitions bucket: what is published, and a copy of everything that ever was."""

import base64
import getpass
import hashlib
import json
import subprocess
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from cli.output import CommandError
from functions.kpi.catalog import catalog_of, contracts_of
from stockflow.events import ObjectRef
from stockflow.services import Services

ELSEWHERE = "not by kpi publish"
RETIRED = "retired"  # the version of a retirement


@dataclass(frozen=True)
class Publication:
    """One text of a definition: when it was published, by whom, and why. ``number`` counts from 1, oldest first.

    A retirement is one without a text.
    """

    kpi: str
    at: datetime
    by: str
    note: str
    text: str
    version: str
    number: int = 0

    @property
    def is_retirement(self) -> bool:
        """Whether it says that the definition was taken out of the bucket."""
        return not self.text


class Bucket:
    """Where the kpi function reads definitions: ``gs://bucket/prefix``. Copies lie beside it, below ``history/``."""

    def __init__(self, services: Services) -> None:
        uri = services.settings.definitions_uri
        if not uri.startswith("gs://"):
            raise CommandError(
                f"this environment reads its definitions from the folder {uri}: put the file there, and "
                "`stockflow kpi refresh` computes it; or unset STOCKFLOW_DEFINITIONS_URI, so that it reads the "
                "definitions bucket, and start the stack again: `stockflow up`"
            )
        self._services = services
        self._bucket, _, self._prefix = uri.removeprefix("gs://").rstrip("/").partition("/")

    def live(self, name: str) -> str | None:
        """Return what is published under a name, or None."""
        try:
            return self._services.object_store.read(self._bucket, self._object(name)).decode()
        except FileNotFoundError:
            return None

    def publish(self, name: str, text: str, note: str) -> Publication:
        """Make a text the published one, and keep a copy of it and of what it replaces."""
        self._keep_live(name)
        made = self._new(name, text, note, whoami())
        self._keep(made)
        self._services.object_store.write(self._bucket, self._object(name), text.encode(), "text/plain")
        return made

    def retire(self, name: str, note: str) -> Publication:
        """Take a definition out of the bucket; its copies stay, and one without a text says when and why it went."""
        self._keep_live(name)
        made = Publication(name, self._services.clock(), whoami(), note, "", RETIRED)
        self._keep(made)
        self._services.object_store.delete(self._bucket, self._object(name))
        return made

    def history(self, name: str) -> list[Publication]:
        """Return every text that was published under a name, oldest first."""
        kept = list(self._kept(name))
        known = {_md5(p.text) for p in kept}
        found = sorted([*kept, *self._others(name, known)], key=lambda p: p.at)
        return [Publication(**{**asdict(p), "number": n}) for n, p in enumerate(found, 1)]

    def _keep_live(self, name: str) -> None:
        """Keep a copy of what is published, unless there is one."""
        before = self.live(name)
        if before is not None and all(p.text != before for p in self._kept(name)):
            self._keep(self._new(name, before, "as it was before the first publication", ELSEWHERE))

    def _kept(self, name: str) -> Iterator[Publication]:
        for found in self._services.object_store.list(self._bucket, self._copies(name)):
            stored: dict[str, Any] = json.loads(self._services.object_store.read(self._bucket, found.name))
            yield Publication(**{**stored, "at": datetime.fromisoformat(stored["at"])})

    def _others(self, name: str, known: set[str]) -> Iterator[Publication]:
        """Yield the generations that came another way: the build, or a copy by hand."""
        for found in self._services.object_store.list(self._bucket, self._object(name), versions=True):
            if found.name == self._object(name) and found.md5 not in known:
                known.add(found.md5)
                text = self._text(found)
                yield Publication(name, found.created, ELSEWHERE, "", text, self._version(name, text))

    def _text(self, found: ObjectRef) -> str:
        with self._services.object_store.open(found) as stream:
            return stream.read().decode()

    def _new(self, name: str, text: str, note: str, by: str) -> Publication:
        return Publication(name, self._services.clock(), by, note, text, self._version(name, text))

    def _version(self, name: str, text: str) -> str:
        found = catalog_of({f"{name}.sql": text}, contracts_of(self._services)).definitions.get(name)
        return found.version if found else "unreadable"

    def _keep(self, made: Publication) -> None:
        stored = {k: v for k, v in asdict(made).items() if k != "number"} | {"at": made.at.isoformat()}
        name = f"{self._copies(made.kpi)}{made.at:%Y%m%dT%H%M%S%fZ}.json"
        data = json.dumps(stored, ensure_ascii=False).encode()
        self._services.object_store.write(self._bucket, name, data, "application/json")

    def _object(self, name: str) -> str:
        return f"{self._prefix}/{name}.sql"

    def _copies(self, name: str) -> str:
        return f"history/{self._prefix}/{name}/"


def whoami() -> str:
    """Return who publishes: the address that git knows, else the login."""
    try:
        done = subprocess.run(["git", "config", "user.email"], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return getpass.getuser()
    return done.stdout.strip() or getpass.getuser()


def _md5(text: str) -> str:
    return base64.b64encode(hashlib.md5(text.encode(), usedforsecurity=False).digest()).decode()
