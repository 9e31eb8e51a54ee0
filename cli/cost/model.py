"""Dollars of a day, by stage: files, rows and age in, bytes and seconds out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cli.cost.prices import LEAST_MESSAGE, LEAST_SCANNED, LEAST_STREAMED, PRICES
from cli.cost.scans import ATTEMPTS, LEDGER, QUARANTINE, Scan, Statement, columns_in, references, statements
from cli.cost.widths import row_bytes
from functions.ingest.receipts.story import _ENDED
from functions.ingest.receipts.tell import LANDED, LATELY, TOGETHER, WIDE
from stockflow.contracts import Contract
from stockflow.schema import pipeline, schemas

DAY_SECONDS = 86_400
# How many calls share a query or a drain, at most: BigQuery answers in about a second, an instance takes so many.
SHARING_SECONDS = 1.0
# Blocks of a table that is clustered by load: at most so many bytes are read for one load. An assumption; BigQuery
# says nothing of the size of its blocks, and measured tables have between 10 and 100 MB.
BLOCK = 100 * 2**20
# Seconds of an instance for a file: measured on a laptop (docs/benchmarks.md), the waits for BigQuery included.
INGEST_SECONDS, INGEST_PER_ROW = 5.0, 4e-6
VALIDATE_SECONDS, VALIDATE_PER_ROW = 4.0, 20e-6
DRAIN_SECONDS = {"transform": 15.0, "kpi": 60.0}
RECORDS = {LEDGER: 4, ATTEMPTS: 2}  # rows that a file adds
MESSAGES, DELIVERIES = 4, 5  # of a file: the notification, and an event by each of the other stages
OBJECT_READS, OBJECT_WRITES = 4, 3  # of a file: content, staged rows twice, control files; staged rows, report, listing
FILE_BYTES_OF_ROW, STAGED_BYTES_OF_ROW = 80, 25
# Receipts: a tick each minute (pipeline.yaml) looks at the ledger, and asks three queries about 50 that ended.
TICKS, WIDE_TICKS = DAY_SECONDS / 60, DAY_SECONDS / WIDE.total_seconds()
TICK_SECONDS = 1.5  # of an instance, for a tick without news: an object is read and a query waited for
RECEIPT_TABLES = 8  # of the three queries, each table of each query counted
KEPT_DAYS = {"messages": 31, "staged": 60, "landed": 400}


@dataclass(frozen=True)
class Load:
    """What an environment takes: files a day of one feed, rows a file, and how many days it has run."""

    files: int
    rows: int
    days: int
    refused: float = 0.001

    @property
    def drains(self) -> Mapping[str, float]:
        """Drains a day by stage: one a file, but no more than the pause between two allows."""
        pauses = {name: f.get("drain_pause_seconds", 0) for name, f in pipeline()["functions"].items()}
        return {s: min(self.files, DAY_SECONDS / max(pauses[s], 1)) for s in ("transform", "kpi")}

    @property
    def asking(self) -> float:
        """Queries a day of a kind that the calls of a stage share when they meet."""
        return min(self.files, DAY_SECONDS / SHARING_SECONDS)


@dataclass(frozen=True)
class Item:
    """One line of the bill: a quantity a day, in the unit of its price."""

    stage: str
    what: str
    price: str
    quantity: float

    @property
    def dollars(self) -> float:
        """Dollars a day."""
        return self.quantity * PRICES[self.price].dollars


def bill(load: Load, contract: Contract) -> list[Item]:
    """Return what a day costs. KPIs are not in it beyond their look at the ledger: they depend on the definitions."""
    return [
        *_queries(load, contract), *_receipts(load), *_streamed(load), *_instances(load), *_messages(load),
        *_kept(load, contract),
    ]  # fmt: skip


def _queries(load: Load, contract: Contract) -> Iterator[Item]:
    tables = schemas({contract.feed: contract})
    for statement in statements(contract):
        times = load.drains.get(statement.stage) or load.asking
        beyond = (_scanned(statement, scan, load, contract, tables) for scan in statement.scans)
        scanned = references(statement.sql) * LEAST_SCANNED + sum(beyond)
        yield Item(statement.stage, f"queries: {statement.name}", "scanned", times * scanned)


def _receipts(load: Load) -> Iterator[Item]:
    ledger = schemas({})[LEDGER]
    day = load.files * RECORDS[LEDGER]
    looked = day * row_bytes(ledger, only=columns_in(_ENDED, ledger))
    lately, all_of_it = (max(LEAST_SCANNED, looked * min(t.days + 1, load.days)) for t in (LATELY, LANDED))
    asked = max(min(load.files, TICKS), load.files / TOGETHER)
    story = max(LEAST_SCANNED, min(BLOCK, day * row_bytes(ledger)))
    yield Item("receipts", "queries: ended", "scanned", (TICKS - WIDE_TICKS) * lately + WIDE_TICKS * all_of_it)
    yield Item("receipts", "queries: stories", "scanned", asked * RECEIPT_TABLES * story)
    yield Item("receipts", "object writes", "writes", 2 * load.files + asked)
    yield Item("receipts", "object reads", "reads", 2 * load.files)
    yield Item("receipts", "instances: vCPU", "cpu", TICKS * TICK_SECONDS * pipeline()["functions"]["ingest"]["cpu"])


def _scanned(
    statement: Statement, scan: Scan, load: Load, contract: Contract, tables: Mapping[str, list[dict[str, str]]]
) -> float:
    schema = tables[scan.table]
    only = scan.only or columns_in(statement.sql, schema)
    rows = _rows_a_day(scan.table, load) * min(scan.days, load.days)
    found = rows * row_bytes(schema, contract, only)
    return max(0.0, (min(found, BLOCK * scan.days) if scan.by_load else found) - LEAST_SCANNED)


def _rows_a_day(table: str, load: Load) -> float:
    if table in RECORDS:
        return load.files * RECORDS[table]
    return load.files * load.rows * (load.refused if table == QUARANTINE else 1)


def _streamed(load: Load) -> Iterator[Item]:
    tables = schemas({})
    for table, count in RECORDS.items():
        size = max(LEAST_STREAMED, row_bytes(tables[table]))
        yield Item("ledger", f"streamed: {table.rpartition('.')[2]}", "streamed", load.files * count * size)
    refused = load.files * load.rows * load.refused
    yield Item(
        "validate",
        "streamed: quarantine_rows",
        "streamed",
        refused * max(LEAST_STREAMED, row_bytes(tables[QUARANTINE])),
    )


def _instances(load: Load) -> Iterator[Item]:
    functions = pipeline()["functions"]
    seconds = {
        # calls that an instance takes at once share its seconds
        "ingest": load.files * (INGEST_SECONDS + load.rows * INGEST_PER_ROW) / _together(load, functions["ingest"]),
        "validate": load.files * (VALIDATE_SECONDS + load.rows * VALIDATE_PER_ROW),
        **{s: min(DAY_SECONDS, load.drains[s] * DRAIN_SECONDS[s]) for s in ("transform", "kpi")},
    }
    for stage, taken in seconds.items():
        function = functions[stage]
        yield Item(stage, "instances: vCPU", "cpu", taken * function["cpu"])
        yield Item(stage, "instances: memory", "memory", taken * _gib(function["memory"]))
        yield Item(stage, "instances: requests", "requests", load.files)


def _together(load: Load, function: Mapping[str, int]) -> float:
    """How many files an instance works on at once, when they land evenly over the day."""
    return min(function["concurrency"], max(1.0, load.files * INGEST_SECONDS / DAY_SECONDS))


def _gib(text: str) -> float:
    return float(text.removesuffix("Mi")) / 1_024 if text.endswith("Mi") else float(text.removesuffix("Gi"))


def _messages(load: Load) -> Iterator[Item]:
    sent = load.files * (MESSAGES + DELIVERIES) * LEAST_MESSAGE
    kept = load.files * MESSAGES * LEAST_MESSAGE * min(load.days, KEPT_DAYS["messages"])
    yield Item("events", "messages", "messages", sent)
    yield Item("events", "messages kept for replays", "kept_messages", kept)


def _kept(load: Load, contract: Contract) -> Iterator[Item]:
    tables, feed = schemas({contract.feed: contract}), contract.feed
    rows = load.files * load.rows
    size = rows * sum(row_bytes(tables[t], contract) for t in tables if t.endswith((f".{feed}", f".{feed}_history")))
    size += sum(load.files * count * row_bytes(tables[table]) for table, count in RECORDS.items())
    fresh = min(load.days, 90)
    yield Item("storage", "tables of the last 90 days", "active", size * fresh)
    yield Item("storage", "older tables", "long_term", size * (load.days - fresh))
    staged = rows * STAGED_BYTES_OF_ROW * min(load.days, KEPT_DAYS["staged"])
    landed = rows * FILE_BYTES_OF_ROW * min(load.days, KEPT_DAYS["landed"])
    yield Item("storage", "landed and staged files", "objects", staged + landed)
    yield Item("storage", "object reads", "reads", load.files * OBJECT_READS)
    yield Item("storage", "object writes", "writes", load.files * OBJECT_WRITES)
