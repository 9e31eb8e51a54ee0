"""An environment for the ingest tests, and ways to kill a delivery at a named step."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from functions.ingest import pipeline
from stockflow.events import ObjectRef
from stockflow.ledger import StageRecord
from stockflow.services import Services
from tests.support.stack import Inbox

SALES = "receipt_number,line_number,business_date,sku,location_code,quantity,net_amount\n"


class KilledError(BaseException):
    """Stands for ``kill -9``: nothing may catch it."""


class Tripwire:
    """Passes calls on to a real client; after (or before) the n-th call of one method, the process is dead."""

    def __init__(self, real: Any, method: str, when: str = "after") -> None:
        self._real, self._method, self._when = real, method, when

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._real, name)
        if name != self._method:
            return real
        return self._create if name == "create" else self._call(real)

    def _call(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            if self._when == "before":
                raise KilledError(self._method)
            real(*args, **kwargs)
            raise KilledError(self._method)

        return call

    @contextmanager
    def _create(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
        with self._real.create(*args, **kwargs) as sink:
            yield sink
            if self._when == "before":
                raise KilledError("create")
        raise KilledError("create")


@dataclass
class World:
    """One environment of its own, and what is published in it."""

    services: Services
    inbox: Inbox
    announcements: Inbox

    def drop(self, name: str, data: bytes | str) -> ObjectRef:
        """Put a file into the landing bucket and return the generation that landed."""
        body = data.encode() if isinstance(data, str) else data
        bucket = self.services.settings.landing_bucket
        self.services.object_store.write(bucket, name, body, "application/octet-stream")
        ref = self.services.object_store.stat(bucket, name)
        assert ref is not None
        return ref

    def ingest(self, ref: ObjectRef) -> StageRecord:
        return pipeline.ingest(ref, self.services)

    def killed(
        self, ref: ObjectRef, client: str, method: str, when: str = "after",
        work: Callable[[ObjectRef, Services], object] = pipeline.ingest,
    ) -> None:  # fmt: skip
        """Deliver to a stage, and die at that step."""
        services = Services(self.services.settings)
        services.__dict__[client] = Tripwire(getattr(self.services, client), method, when)
        if client == "warehouse":  # the ledger writes through its own
            services.__dict__["ledger"] = self.services.ledger
        try:
            work(ref, services)
        except KilledError:
            return
        raise AssertionError(f"{client}.{method} was never called")

    def query(self, sql: str, **params: Any) -> list[dict[str, Any]]:
        return self.services.warehouse.query(sql, params)

    def raw(self, ref: ObjectRef, feed: str = "sales", columns: str = "*") -> list[dict[str, Any]]:
        """Return the rows that count: those of the run that the ledger names."""
        record = self.services.ledger.stages(ref.load_id).get("ingest")
        run = (record.raw_run_id if record and record.state == "loaded" else None) or ""
        sql = f"SELECT {columns} FROM inventory_raw.{feed} WHERE _load_id = @load AND _run_id = @run ORDER BY _row"
        return self.query(sql, load=ref.load_id, run=run)

    def rejects(self, ref: ObjectRef) -> list[tuple[int, str]]:
        found = self.query(
            "SELECT line, code FROM inventory_ops.rejects WHERE load_id = @load ORDER BY line", load=ref.load_id
        )
        return [(r["line"], r["code"]) for r in found]

    def state(self, ref: ObjectRef) -> tuple[str, str | None]:
        record = self.services.ledger.stages(ref.load_id)["ingest"]
        return record.state, record.reason_code

    def published(self, ref: ObjectRef, count: int = 1) -> Counter[str]:
        """Return the events of this load, as soon as there are ``count``."""
        return Counter(m["event_type"] for m in self.inbox.find(count, "load_id", ref.load_id))

    def check_books(self, ref: ObjectRef, rows: int, rejects: int = 0) -> None:
        """See that raw, rejects and ledger agree, and nothing is there twice."""
        record = self.services.ledger.stages(ref.load_id)["ingest"]
        numbers = [r["_row"] for r in self.raw(ref, columns="_row")]
        assert numbers == list(range(1, rows + 1))
        assert (record.state, record.rows, record.rejects, record.lines) == ("loaded", rows, rejects, rows + rejects)
        assert len(self.rejects(ref)) == rejects


def new_world(services: Services) -> World:
    return World(services, Inbox(services), Inbox(services, services.settings.landing_topic))


def sales(*rows: str, header: str = SALES) -> str:
    return header + "".join(f"{row}\n" for row in rows)


ROWS = ("R1,1,2026-09-01,A,LYO,1,10", "R1,2,2026-09-01,B,LYO,2,20", "R2,1,2026-09-01,A,LYO")
FILES = Path(__file__).parents[1] / "corpus"
