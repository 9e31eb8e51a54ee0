"""Tables are kept as long as the pipeline says, and a feed's as long as its contract says; else without limit."""

from pathlib import Path
from typing import Any

import pytest

from tests.terraform.support import Root, copy_root, resources

DAY = 86_400_000
SHORT = (
    "retention: {landing: 400, staging: 31, definitions: 0, raw: 500, curated: 4000, "
    "quarantine: 600, rejects: 600, ledger: 900}"
)


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory, provider: Path) -> dict[str, Any]:
    """The plan of a project with a limit for everything, and other ones for sales."""
    root: Root = copy_root(tmp_path_factory.mktemp("short"), provider)
    pipeline, sales = root.folder / "pipeline.yaml", root.folder / "contracts/sales.yaml"
    lines = pipeline.read_text().splitlines()
    pipeline.write_text("\n".join(SHORT if line.startswith("retention:") else line for line in lines) + "\n")
    own = {"keepFilesDays": 90, "keepRawDays": 90, "keepCuratedDays": 800}
    mine = "customProperties:\n" + "".join(f"  - {{property: {name}, value: {n}}}\n" for name, n in own.items())
    sales.write_text(sales.read_text().replace("customProperties:\n", mine, 1))
    return root.plan("-var-file=environments/prod.tfvars")


def days(plan: dict[str, Any], table: str) -> float | None:
    """Return after how many days the partitions of a table expire."""
    (partitioned,) = resources(plan)[f"google_bigquery_table.{table}"]["time_partitioning"]
    expires = partitioned.get("expiration_ms")
    return expires and expires / DAY


def test_a_feed_is_kept_as_its_contract_says(short: dict[str, Any]) -> None:
    assert days(short, 'raw["sales"]') == 90
    assert days(short, 'curated["sales"]') == days(short, 'curated["sales_history"]') == 800


def test_the_others_as_the_pipeline_says(short: dict[str, Any]) -> None:
    assert days(short, 'raw["products"]') == 500 and days(short, 'curated["stock_snapshots"]') == 4000
    assert days(short, 'ops["quarantine_rows"]') == days(short, 'ops["reject_rows"]') == 600
    assert days(short, 'ops["load_stages"]') == days(short, 'ops["kpi_runs"]') == 900
    assert resources(short)['google_bigquery_table.curated["products"]']["time_partitioning"] == []


def test_without_a_word_nothing_ends(plan: dict[str, Any]) -> None:
    tables = ('raw["sales"]', 'curated["sales"]', 'ops["load_stages"]', 'ops["reject_rows"]')
    assert [days(plan, table) for table in tables] == [None] * 4
