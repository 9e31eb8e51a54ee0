"""docs/deploy.md adds up: each line of the cost tables is quantity times price, each table its sum."""

import re
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs/deploy.md").read_text()
TABLES = re.findall(
    r"^\| part \| [^|]+ \| unit price \| dollars \|\n.*?^\| \*\*together.*?$", PAGE, re.MULTILINE | re.DOTALL
)


def lines(table: str) -> list[tuple[str, float, float, float]]:
    rows = re.findall(r"^\| ([^|*]+) \| ([\d.,]+) [^|]* \| ([\d.]+) \| ([\d.]+) \|$", table, re.MULTILINE)
    return [(name, float(q.replace(",", "")), float(price), float(dollars)) for name, q, price, dollars in rows]


def test_each_line_is_quantity_times_price() -> None:
    assert len(TABLES) == 2
    wrong = [row for table in TABLES for row in lines(table) if abs(row[1] * row[2] - row[3]) > 0.006]
    assert wrong == []


def test_each_table_adds_up() -> None:
    for table in TABLES:
        said = float(re.search(r"\*\*([\d.]+)\*\*", table)[1])  # type: ignore[index]
        assert abs(sum(row[3] for row in lines(table)) - said) < 0.01
