"""Retention that contradicts itself is refused before anything is deleted: by the commands, as by Terraform."""

import shutil
from pathlib import Path

import pytest

from cli.main import main
from cli.retention.needs import contradictions_of
from stockflow.settings import bundle_root
from tests.support.retention import REFUSED, plant


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the project with each contradiction once; the commands read it."""
    for name in ("contracts", "warehouse"):
        shutil.copytree(bundle_root() / name, tmp_path / name)
    shutil.copy(bundle_root() / "pipeline.yaml", tmp_path)
    plant(tmp_path)
    for module in ("cli.retention.command", "cli.contract.command", "cli.stack", "stockflow.schema"):
        monkeypatch.setattr(f"{module}.bundle_root", lambda: tmp_path)
    return tmp_path


def code(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr("sys.argv", ["stockflow", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_the_projects_own_numbers_fit_each_other() -> None:
    assert contradictions_of(bundle_root()) == []


def test_each_contradiction_is_named_once(planted: Path) -> None:
    found = contradictions_of(planted)
    assert set(found) == REFUSED and len(found) == len(REFUSED)


@pytest.mark.parametrize("command", [("retention",), ("up",)])
@pytest.mark.usefixtures("planted")
def test_a_command_refuses_them(
    command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert code(monkeypatch, *command) == 1
    printed = "".join(capsys.readouterr())
    assert [text for text in REFUSED if text not in printed] == []


@pytest.mark.usefixtures("planted")
def test_the_check_of_contracts_names_their_lines(
    planted: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Given a contract whose own faults are mended, then what contradicts the others is said with file and line."""
    for name in ("products", "locations"):
        shutil.copy(bundle_root() / f"contracts/{name}.yaml", planted / "contracts")
    text = (planted / "contracts/suppliers.yaml").read_text()
    (planted / "contracts/suppliers.yaml").write_text(
        text.replace("keepFilesDays, value: 500", "keepFilesDays, value: 400")
    )
    assert code(monkeypatch, "contract", "check") == 1
    printed = capsys.readouterr().out
    assert "contracts/sales.yaml:21: sales is kept 400 days in curated, the KPI balance_daily looks back" in printed
    assert "pipeline.yaml:16: landing is kept 400 days, raw only 300 days" in printed
