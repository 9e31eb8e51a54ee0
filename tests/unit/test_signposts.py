"""CONTRIBUTING.md and docs/architecture.md lead to what exists."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "CONTRIBUTING.md", ROOT / "docs/architecture.md"]
TEXT = {page.name: page.read_text(encoding="utf-8") for page in PAGES}
CHANGES = (
    "a column", "a file format", "a threshold", "retry back-off", "a KPI", "an alert", "a command",
    "currency conversion",
)  # fmt: skip


def targets() -> set[str]:
    """Return the targets of the Makefile."""
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize("page", TEXT)
def test_every_path_exists(page: str) -> None:
    """Each name in backticks with a slash is a file or folder of the repository; ``<feed>`` stands for one of them."""
    named = set(re.findall(r"`([\w.-]+/[\w./<>-]*)`", TEXT[page]))
    assert len(named) > 20
    named -= {name for name in named if name.startswith("build/")}  # made by a command
    places = {name: name.replace("<feed>", "sales").replace("<name>", "gmroi") for name in named}
    assert sorted(name for name, place in places.items() if not (ROOT / place).exists()) == []


@pytest.mark.parametrize("page", TEXT)
def test_every_link_leads_to_a_page_or_a_heading(page: str) -> None:
    """Links are relative to the page; an anchor is one of its headings."""
    folder = next(p for p in PAGES if p.name == page).parent
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", TEXT[page]):
        path, _, anchor = target.partition("#")
        file = folder / path if path else folder / page
        assert file.exists(), target
        headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
        assert not anchor or anchor in {h.lower().replace(" ", "-") for h in headings}, target


def test_every_make_target_exists() -> None:
    """Of all pages that name one."""
    pages = [*PAGES, ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    named = {found for p in pages for found in re.findall(r"\bmake ([a-z][a-z-]+)", _code(p))}
    assert {"goldens", "docs", "lint"} <= named
    assert named - targets() == set()


def _code(page: Path) -> str:
    """Return what stands in backticks or blocks of code."""
    return "\n".join(re.findall(r"```.*?```|`[^`\n]+`", page.read_text(encoding="utf-8"), re.DOTALL))


def test_every_name_in_code_that_is_promised_is_there() -> None:
    """The constants and functions that CONTRIBUTING.md tells to change stand in the files that it names."""
    promised = {
        "functions/ingest/readers/formats.py": ("FORMATS", "READABLE"),
        "functions/ingest/readers/source.py": ("kind_of",),
        "shared/stockflow/gcp/warehouse.py": ("RETRY", "_PAUSES"),
        "shared/stockflow/conflicts.py": ("TRIES",),
        "shared/stockflow/settings.py": ("max_attempts",),
        "cli/main.py": ("COMMANDS",),
        "terraform/monitoring.tf": ("alerts", "stage_metrics", "threshold"),
        "pipeline.yaml": ("subscription_defaults", "base_currency"),
        "contracts/exchange_rates.yaml": ("maxAgeDays", "baseCurrency", "slaProperties"),
    }
    for path, names in promised.items():
        code = (ROOT / path).read_text(encoding="utf-8")
        assert [n for n in names if not re.search(rf"^ *(def |- .property: )?{n}\b", code, re.MULTILINE)] == [], path
        assert [n for n in names if n not in TEXT["CONTRIBUTING.md"]] == [], path


def test_each_of_the_common_changes_has_its_place() -> None:
    """A row of the table, and a section that it links to."""
    page = TEXT["CONTRIBUTING.md"]
    for change in CHANGES:
        assert f"[{change}](#{change.lower().replace(' ', '-')})" in page
        assert re.search(rf"^### {re.escape(change)}$", page, re.MULTILINE | re.IGNORECASE)
