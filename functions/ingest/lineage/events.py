"""OpenLineage run events, made from what the ledger says of a stage. Pure.

The same record gives the same events each time (the run's id is derived from the record's), so that events may be
sent twice.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Protocol
from uuid import NAMESPACE_URL, uuid5

from stockflow.contracts import Contract, normalise_header
from stockflow.ledger import StageRecord
from stockflow.senders import Sender, contract_of, sender_of
from stockflow.settings import Settings

Event = dict[str, Any]
Dataset = dict[str, Any]
SPEC = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/"
FACETS = "https://openlineage.io/spec/facets/"
FAILED = ("failed", "rejected", "skipped")
UNFINISHED = ("held", "computing", "handed_over")  # waits for a person; for the next delivery; for a job


class Known(Protocol):
    """What is known of tables: which each reads, column by column, what columns each has; and the contracts."""

    @property
    def reads(self) -> Mapping[str, set[str]]:
        """Table -> the tables that it is computed from."""

    @property
    def columns(self) -> Mapping[str, set[str]]:
        """Column -> the columns that it is computed from."""

    @property
    def known(self) -> Mapping[str, Mapping[str, str]]:
        """Table -> its columns and their types."""

    @property
    def contracts(self) -> Mapping[str, Contract]:
        """The contracts by feed."""


@dataclass(frozen=True)
class Bare:
    """What a function knows: the contracts. Its events name tables and files; the command knows columns, too."""

    contracts: Mapping[str, Contract]
    reads: Mapping[str, set[str]] = field(default_factory=dict)
    columns: Mapping[str, set[str]] = field(default_factory=dict)
    known: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def columns_of(header: Iterable[str], contract: Contract) -> dict[str, str]:
    """Return header of a file -> the column that it was read as; one that no alias knows is left out."""
    known = contract.headers
    return {name: known[key] for name in header if (key := normalise_header(name)) in known}


@dataclass(frozen=True)
class Writer:
    """Writes events of one environment."""

    settings: Settings
    model: Known
    senders: tuple[Sender, ...] = ()

    # -- events of a stage and of a KPI

    def of_record(self, record: StageRecord, verdicts: Sequence[Mapping[str, Any]] = ()) -> list[Event]:
        """Return START and how it ended, of one record of the ledger; ``verdicts`` are those of this validation."""
        inputs, outputs = self._datasets(record, verdicts)
        run = {"runId": _run_id(record.record_id), "facets": {**self._commit(record), **_error(record)}}
        job = self._job(f"{record.stage}.{record.feed or 'unknown'}")
        ended = "FAIL" if record.state in FAILED else "RUNNING" if record.state in UNFINISHED else "COMPLETE"
        return [
            self._event("START", record.started_at, job, {**run, "facets": self._commit(record)}, inputs, []),
            self._event(ended, record.finished_at, job, run, inputs, outputs),
        ]

    def of_attempt(self, row: Mapping[str, Any]) -> list[Event]:
        """Return START and FAIL of an attempt at a stage that failed: it left no record."""
        job = self._job(f"{row['stage']}.{row['feed'] or 'unknown'}")
        failed = {"runId": _run_id(str(row["attempt_id"])), "facets": _message(row["reason_code"], row["message"])}
        read = [self._object(row["bucket"], row["object"], row["generation"])] if row["object"] else []
        return [
            self._event("START", row["began_at"], job, {**failed, "facets": {}}, read, []),
            self._event("FAIL", row["failed_at"], job, failed, read, []),
        ]

    def of_run(self, row: Mapping[str, Any]) -> list[Event]:
        """Return START and how it ended, of one computation of a KPI."""
        table = f"inventory_kpi.{row['kpi']}"
        facts = {"runId": row["run_id"], "definitionVersion": row["definition_version"] or "",
                 "fromDate": _text(row["from_date"]), "toDate": _text(row["to_date"])}  # fmt: skip
        commit = {"stockflow_commit": _facet(f"{SPEC}RunFacet", **facts)}
        failed = row["state"] != "computed"
        error = _message(str(row["state"]), row["message"]) if failed else {}
        job = self._job(f"compute.{row['kpi']}")
        run = {"runId": _run_id(str(row["run_id"])), "facets": {**commit, **error}}
        read = [self._table(name) for name in sorted(self.model.reads.get(table, ()))]
        written = [] if failed else [self._written(table, row["rows"])]
        return [
            self._event("START", row["started_at"], job, {**run, "facets": commit}, read, []),
            self._event("FAIL" if failed else "COMPLETE", row["finished_at"], job, run, read, written),
        ]

    # -- what a stage reads and writes

    def _datasets(
        self, record: StageRecord, verdicts: Sequence[Mapping[str, Any]]
    ) -> tuple[list[Dataset], list[Dataset]]:
        if record.stage == "ingest":
            return [self._file(record)], self._ingested(record)
        if record.stage == "validate":
            refused = self._table("inventory_ops.quarantine_rows")
            return [self._judged(record, verdicts)], [_counted(refused, record.quarantined)]
        tables = sorted(record.detail.get("tables") or [])
        if record.stage == "transform":
            read = sorted(
                {f"inventory_raw.{record.feed}", *(t for name in tables for t in self.model.reads.get(name, ()))}
            )
            return [self._table(t) for t in read], [self._written(t, record.rows) for t in tables]
        computed = [f"inventory_kpi.{name}" for name in sorted(record.detail.get("computed") or [])]
        return [self._table(f"inventory_curated.{record.feed}")], [self._table(t) for t in computed]

    def _file(self, record: StageRecord) -> Dataset:
        found = self._object(record.bucket, record.object, record.generation)
        size = {"rowCount": record.lines, "size": record.size_bytes}
        stated = {k: v for k, v in size.items() if v is not None}
        where = f"{FACETS}1-0-0/InputStatisticsInputDatasetFacet.json#/$defs/InputStatisticsInputDatasetFacet"
        return {**found, "inputFacets": {"inputStatistics": _facet(where, **stated)}}

    def _ingested(self, record: StageRecord) -> list[Dataset]:
        """Return the raw table with the headers that its columns come from; nothing when no row went there."""
        contract = self.model.contracts.get(record.feed or "")
        if contract is None or record.state != "loaded":
            return []
        file = self._object(record.bucket, record.object, record.generation)
        contract = contract_of(contract, sender_of(record.object or "", self.senders))
        headers = columns_of(record.detail.get("header") or [], contract)
        fields = {column: [_field(file, header)] for header, column in headers.items()}
        raw = self._table(f"inventory_raw.{contract.feed}")
        raw["facets"] |= _lineage(fields)
        refused = _counted(self._table("inventory_ops.reject_rows"), record.rejects)
        return [_counted(raw, record.rows), *([refused] if record.rejects else [])]

    def _judged(self, record: StageRecord, verdicts: Sequence[Mapping[str, Any]]) -> Dataset:
        raw = self._table(f"inventory_raw.{record.feed}")
        metrics = f"{FACETS}1-0-3/DataQualityMetricsInputDatasetFacet.json#/$defs/DataQualityMetricsInputDatasetFacet"
        said = f"{FACETS}1-1-0/DataQualityAssertionsDatasetFacet.json#/$defs/DataQualityAssertionsDatasetFacet"
        judged = (record.rows or 0) + (record.quarantined or 0)
        facets = {
            "dataQualityMetrics": _facet(metrics, rowCount=judged, columnMetrics={}),
            "dataQualityAssertions": _facet(said, assertions=[_assertion(v) for v in verdicts]),
        }
        return {**raw, "inputFacets": facets}

    def _written(self, table: str, rows: int | None) -> Dataset:
        """Return a table that a SELECT fills, with the columns that each of its columns comes from."""
        found = self._table(table)
        columns = {c: self.model.columns.get(f"{table}.{c}", ()) for c in self.model.known.get(table, ())}
        found["facets"] |= _lineage({c: [self._column(i) for i in sorted(read)] for c, read in columns.items() if read})
        return _counted(found, rows)

    # -- names

    def _table(self, table: str) -> Dataset:
        """Return a table as OpenLineage names those of BigQuery, with its columns."""
        known = self.model.known.get(table, {})
        schema = f"{FACETS}1-2-0/SchemaDatasetFacet.json#/$defs/SchemaDatasetFacet"
        fields = [{"name": name, "type": kind} for name, kind in known.items()]
        return {
            "namespace": "bigquery",
            "name": f"{self.settings.project}.{self.settings.sql(table)}",
            "facets": {"schema": _facet(schema, fields=fields)} if fields else {},
        }

    def _column(self, column: str) -> dict[str, str]:
        table, _, name = column.rpartition(".")
        return _field(self._table(table), name)

    def _object(self, bucket: str | None, name: str | None, generation: int | None) -> Dataset:
        where = f"{FACETS}1-0-1/DatasetVersionDatasetFacet.json#/$defs/DatasetVersionDatasetFacet"
        known = {"version": _facet(where, datasetVersion=str(generation))} if generation is not None else {}
        return {"namespace": f"gs://{bucket}", "name": str(name), "facets": known}

    def _job(self, name: str) -> dict[str, Any]:
        environment = self.settings.dataset_prefix.rstrip("_")
        place = "/".join(filter(None, ("stockflow", self.settings.project, environment)))
        return {"namespace": place, "name": name, "facets": {}}

    def _commit(self, record: StageRecord) -> dict[str, Any]:
        """Return what names the commit: the run whose rows count, and the record that says so."""
        facts = {
            "runId": record.run_id or "", "rawRunId": record.raw_run_id or "", "recordId": record.record_id,
            "loadId": record.load_id, "inputRecord": record.input_record or "", "stageVersion": record.stage_version,
            "state": record.state,
        }  # fmt: skip
        return {"stockflow_commit": _facet(f"{SPEC}RunFacet", **facts)}

    def _event(
        self, kind: str, at: datetime, job: Mapping[str, Any], run: Mapping[str, Any], read: list[Dataset],
        written: list[Dataset],
    ) -> Event:  # fmt: skip
        return {
            "eventType": kind, "eventTime": at.isoformat(), "producer": producer(), "schemaURL": f"{SPEC}RunEvent",
            "run": dict(run), "job": dict(job), "inputs": read, "outputs": written,
        }  # fmt: skip


@cache
def producer() -> str:
    """Return the URI that says which code made an event."""
    try:
        return f"urn:stockflow:{version('stockflow')}"
    except PackageNotFoundError:
        return "urn:stockflow:unknown"


def _run_id(text: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"stockflow:{text}"))


def _facet(schema: str, **fields: Any) -> dict[str, Any]:
    return {"_producer": producer(), "_schemaURL": schema, **fields}


def _lineage(fields: Mapping[str, Sequence[Mapping[str, str]]]) -> dict[str, Any]:
    if not fields:
        return {}
    where = f"{FACETS}1-2-0/ColumnLineageDatasetFacet.json#/$defs/ColumnLineageDatasetFacet"
    return {"columnLineage": _facet(where, fields={c: {"inputFields": list(read)} for c, read in fields.items()})}


def _field(dataset: Dataset, field: str) -> dict[str, str]:
    return {"namespace": dataset["namespace"], "name": dataset["name"], "field": field}


def _counted(dataset: Dataset, rows: int | None) -> Dataset:
    if rows is None:
        return dataset
    where = f"{FACETS}1-0-2/OutputStatisticsOutputDatasetFacet.json#/$defs/OutputStatisticsOutputDatasetFacet"
    return {**dataset, "outputFacets": {"outputStatistics": _facet(where, rowCount=rows)}}


def _assertion(verdict: Mapping[str, Any]) -> dict[str, Any]:
    found = {"assertion": verdict["expectation"], "name": verdict["rule"], "success": bool(verdict["success"]),
             "column": verdict["column_name"], "severity": verdict["severity"],
             "actual": f"{verdict['failed']} of {verdict['checked']} failed"}  # fmt: skip
    return {name: value for name, value in found.items() if value is not None}


def _error(record: StageRecord) -> dict[str, Any]:
    return _message(record.reason_code, record.message) if record.state in FAILED else {}


def _message(code: str | None, words: str | None) -> dict[str, Any]:
    where = f"{FACETS}1-0-1/ErrorMessageRunFacet.json#/$defs/ErrorMessageRunFacet"
    text = f"{code or 'failed'}: {words or ''}".rstrip(": ")
    return {"errorMessage": _facet(where, message=text, programmingLanguage="PYTHON")}


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def fitted(event: Event, links: int = 1_000, name: int = 4_000, size: int = 5_000_000) -> Iterable[Event]:
    """Yield an event as the Data Lineage API takes it: at most so many links (inputs x outputs), characters of a
    dataset's name, and bytes. Datasets with longer names are left out; too many links are told in several events of
    the run; facets, which that service does not draw, go first when an event is too large.
    """
    read = [d for d in event["inputs"] if len(d["namespace"]) + len(d["name"]) < name][:links]
    written = [d for d in event["outputs"] if len(d["namespace"]) + len(d["name"]) < name]
    most = max(1, links // max(1, len(read)))
    for first in range(0, max(1, len(written)), most):
        part = {**event, "inputs": read, "outputs": written[first : first + most]}
        if len(json.dumps(part).encode()) > size:
            part |= {
                side: [{k: d[k] for k in ("namespace", "name")} for d in part[side]] for side in ("inputs", "outputs")
            }
        yield part
