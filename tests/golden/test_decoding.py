"""The project's readers and rules refuse exactly the documented lines of the samples (no emulator needed)."""

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
import yaml

from functions.ingest.readers.decode import decode
from functions.ingest.readers.model import Facts, Target
from functions.ingest.route import route
from functions.validate.judge import judge
from stockflow.contracts import load_contracts
from stockflow.errors import PermanentError
from tests.golden.source import SAMPLES
from tests.support.rows import Table, table

PLAN: list[dict[str, Any]] = yaml.safe_load((SAMPLES / "expected.yaml").read_text())["files"]
CONTRACTS = load_contracts(SAMPLES.parent / "contracts")
LANDED = datetime(2026, 10, 12, 6, tzinfo=UTC)


def _decoded(entry: dict[str, Any]) -> tuple[pa.Table, set[tuple[int, str]]]:
    target = Target(CONTRACTS[entry["feed"]], entry["path"])
    with (SAMPLES / entry["path"]).open("rb") as stream:
        chunks = list(decode(stream, target, Facts(), 10_000_000))
    read = [pa.Table.from_batches([chunk.batch]) for chunk in chunks if chunk.batch is not None]
    whole = pa.concat_tables(read, promote_options="default")
    raw = table(target.contract, {n: whole[n].to_pylist() for n in whole.column_names}, len(whole))
    return raw, {(r.line, r.code) for chunk in chunks for r in chunk.rejects}


def _of(*states: str) -> list[Any]:
    return [pytest.param(e, id=e["path"]) for e in PLAN if e["end_state"] in states]


@pytest.mark.parametrize("entry", _of("loaded"))
def test_a_loaded_sample_is_refused_only_where_documented(entry: dict[str, Any]) -> None:
    raw, rejects = _decoded(entry)
    assert rejects == {(r["line"], r["code"]) for r in entry["rejects"]}
    assert len(raw) == entry["rows"]
    contract = CONTRACTS[entry["feed"]]
    refused: list[dict[str, Any]] = []
    judgement, _ = judge(contract, Table(raw), LANDED, lambda t: refused.extend(t.to_pylist()))
    critical = {(v["line"], v["column_name"], v["rule"]) for v in refused}
    documented = {(q["line"], q["column"], q["code"]) for q in entry["quarantined"] if q["stage"] == "validate"}
    assert documented <= critical
    assert {line for line, *_ in critical} == {line for line, *_ in documented}
    warned = {(v.line, v.rule) for r in judgement.results for v in r.examples if v.severity == "warning"}
    assert {(w["line"], w["code"]) for w in entry["warnings"]} <= warned


@pytest.mark.parametrize("entry", _of("rejected", "ignored"))
def test_a_refused_sample_is_refused_for_the_documented_reason(entry: dict[str, Any]) -> None:
    way = route(entry["path"], CONTRACTS)
    if way.feed is None:
        assert (entry["end_state"], way.reason) == ("ignored", entry["reason"])
        return
    with pytest.raises(PermanentError) as refused:
        _decoded({**entry, "feed": way.feed})
    assert (entry["end_state"], refused.value.code) == ("rejected", entry["reason"])
