"""A number that could be read two ways is loaded by a default: each place where a person looks says so."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli.drop import _tell
from cli.loads import find_loads, history, tell_of
from functions.ingest.receipts.described import in_doubt
from functions.ingest.receipts.says import receipt
from functions.validate.judge import judge
from functions.validate.record import detail
from stockflow.contracts import load_contracts
from stockflow.ledger import StageRecord
from tests.support.rows import Table, table
from tests.unit.ingest.test_receipts import PASSED, World

CONTRACT = load_contracts(Path(__file__).parents[3] / "contracts")["sales"]
AT = datetime(2026, 10, 12, 8, tzinfo=UTC)
SAID = "decimal mark: 1 value could be read two ways (1,045 is 1.045 or 1045), the contract says ."


def judged(world: World, quantity: str) -> dict[str, object]:
    """Return what validate notes of a file with this quantity."""
    sale = {"receipt_number": "T1", "line_number": "1", "business_date": "2026-10-11", "sku": "A", "quantity": quantity}
    raw = table(CONTRACT, {c.name: [sale.get(c.name, "LYO")] for c in CONTRACT.stated}, 1)
    judgement, _ = judge(CONTRACT, Table(raw), AT, lambda _: None)
    ingested = StageRecord("abc", "sales", "ingest", "loaded", "v", AT, AT, object="sales/x.csv")
    return detail(ingested, judgement, None, world)


def test_a_doubtful_number_is_told_wherever_a_person_looks(capsys: pytest.CaptureFixture[str]) -> None:
    world = World()
    load = world.record("sales/x.csv", *PASSED, lines=1, rows=1, judged=judged(world, "1,045"))
    (row,) = find_loads(world, load_ids=[load])
    assert row["doubts"] == [SAID]
    _tell([row])
    told = " ".join(capsys.readouterr().out.split())
    assert f"sales/x.csv: warning: {SAID}; `decimalMark`" in told
    story = history(world, row)
    assert in_doubt(story["stages"])[0].startswith(f"warning: {SAID}")
    assert receipt(row, story, CONTRACT, [])["read_as"][0].startswith(f"warning: {SAID}")


@pytest.mark.parametrize("quantity", ["1045", "1.5", "1,5"])
def test_a_number_with_one_reading_raises_no_doubt(quantity: str, capsys: pytest.CaptureFixture[str]) -> None:
    world = World()
    load = world.record("sales/x.csv", *PASSED, judged=judged(world, quantity))
    (row,) = find_loads(world, load_ids=[load])
    assert row["doubts"] == []
    tell_of(row)
    assert capsys.readouterr().out == ""
