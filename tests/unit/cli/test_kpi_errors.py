"""Every error of ``stockflow kpi`` ends with the command that helps: not with `--help`."""

import ast
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.kpi import checked as checking
from cli.kpi.workspace import corrected
from cli.main import main
from cli.output import CommandError
from functions.kpi.catalog import load_definitions
from stockflow.settings import bundle_root

FOLDER = bundle_root() / "cli" / "kpi"
GOOD = (bundle_root() / "docs/examples/units_per_store.sql").read_text()
Refused = Callable[..., str]


@pytest.fixture(autouse=True)
def without_the_analyzer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Google's analyzer has tests of its own (tests/bigquery)."""
    monkeypatch.setattr(checking, "installed", lambda: False)


@pytest.fixture
def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Refused:
    """Run a command where nothing runs; return its last line of error."""
    monkeypatch.setenv("STOCKFLOW_STATE", str(tmp_path / "state"))
    monkeypatch.delenv("STOCKFLOW_DEFINITIONS_URI", raising=False)
    monkeypatch.chdir(tmp_path)

    def command(*args: str) -> str:
        monkeypatch.setattr(sys, "argv", ["stockflow", *args])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 1
        return capsys.readouterr().err.strip().rpartition("\n")[2]

    return command


def calls() -> list[tuple[str, str]]:
    """Return where each CommandError of the KPI commands is made, and its text as it is written."""
    found = []
    for path in sorted(FOLDER.glob("*.py")):
        text = path.read_text()
        made = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Call)]
        errors = [n for n in made if isinstance(n.func, ast.Name) and n.func.id == "CommandError"]
        found += [(f"{path.name}:{n.lineno}", ast.get_source_segment(text, n) or "") for n in errors]
    return found


def test_each_error_names_a_command_itself() -> None:
    """What does not say one is told with `--help`, which shows options and not what is wrong."""
    named = re.compile(r"`stockflow |\{(shows|ending|correction.*)\}|_WAITING|ending\b")
    assert [place for place, text in calls() if not named.search(text)] == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("grain: [", "grian: ["),
        ("SELECT\n  business_date,", "SELECT\n  busyness_date AS business_date,"),
        ("FROM inventory_curated.sales_e", "FROM inventory_curated.sals_e"),
    ],
)
def test_a_fault_of_a_file_ends_with_its_line_and_the_same_check(
    old: str, new: str, refused: Refused, tmp_path: Path
) -> None:
    (tmp_path / "my kpis").mkdir()
    path = Path("my kpis/units_per_store.sql")
    path.write_text(GOOD.replace(old, new, 1))
    assert path.read_text() != GOOD
    said = refused("kpi", "check", str(path))
    place = re.fullmatch(r"edit my kpis/units_per_store\.sql:(\d+), then `stockflow kpi check '(.*)'`", said)
    assert place and place[2] == str(path), said
    written = next(n for n, text in enumerate(path.read_text().splitlines(), 1) if new.splitlines()[-1] in text)
    assert int(place[1]) == written


def test_a_file_without_what_others_read_is_refused_with_those(refused: Refused, tmp_path: Path) -> None:
    """`kpi check` says what `kpi publish` would: a column that other definitions need is gone."""
    text = (bundle_root() / "functions/kpi/definitions/stock_daily.sql").read_text()
    without = text.replace("\n  unit_price,\n", "\n", 1)
    assert without != text
    (tmp_path / "stock_daily.sql").write_text(without)
    said = refused("kpi", "check", "./stock_daily.sql")
    assert said.startswith("they read stock_daily: keep what they need in ./stock_daily.sql")
    assert said.endswith("`stockflow kpi diff ./stock_daily.sql` shows both")


def test_a_file_that_is_not_there_can_be_written(refused: Refused) -> None:
    assert "`stockflow kpi new sales_x --folder mine`" in refused("kpi", "check", "mine/sales_x.sql")


@pytest.mark.parametrize(
    ("args", "command"),
    [
        (["Sales per Unit"], "kpi new sales_per_unit"),
        (["9lives"], "kpi new kpi_9lives"),
        (["x", "--table", "inventory_kpi.stock_dayly"], "kpi new x --table inventory_kpi.stock_daily"),
        (["x", "--numerator", "nett_sales"], "kpi new x --numerator net_sales"),
        (["x", "--numerator", "units_sold", "--grain", "sku,location_cod"], "kpi new x --grain sku,location_code"),
    ],
)
def test_a_new_kpi_that_cannot_be_written_ends_with_one_that_can(
    args: list[str], command: str, refused: Refused
) -> None:
    assert f"`stockflow {command}`" in refused("kpi", "new", *args, "--folder", "mine")


def test_a_name_that_no_kpi_has_ends_with_the_nearest(refused: Refused) -> None:
    said = refused("kpi", "check", "days_of_suply")
    assert said.endswith("did you mean days_of_supply? `stockflow kpi list` says what each is")


def test_a_column_that_a_kpi_lacks_ends_with_the_nearest(refused: Refused) -> None:
    said = refused("kpi", "lineage", "gmroi", "--column", "coverage")
    assert said.endswith("`stockflow kpi lineage gmroi --column coverage_pct`")


@pytest.mark.parametrize(
    ("uri", "ends"),
    [
        ("{folder}", "edit {folder}/broken.sql:1, then `stockflow kpi check {folder}/broken.sql`"),
        ("gs://shop/kpi", "broken is published so: `stockflow kpi rollback broken` publishes the version before"),
    ],
)
def test_a_definition_that_the_environment_cannot_read_ends_with_its_correction(
    uri: str, ends: str, tmp_path: Path
) -> None:
    """In a folder it is edited; in a bucket an earlier version takes its place."""
    (tmp_path / "broken.sql").write_text("SELECT 1")
    with pytest.raises(CommandError) as told, corrected(uri.format(folder=tmp_path)):
        load_definitions(str(tmp_path))
    assert str(told.value).endswith(ends.format(folder=tmp_path))
