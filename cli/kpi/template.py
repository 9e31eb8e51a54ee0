"""A new definition as text: its header, its SELECT, and a first worked example that holds. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

_NUMBERS = {"FLOAT64", "NUMERIC", "BIGNUMERIC", "INT64"}
# What a denominator of 0 means, by what its column counts.
_REASONS = (("sold", "no_demand"), ("sales", "no_demand"), ("cogs", "no_demand"), ("hand", "no_stock"),
            ("value", "no_stock"), ("ordered", "no_orders"), ("received", "no_receipts"))  # fmt: skip
_FIRST = {"sku": "A", "location_code": "P1", "supplier_code": "S1"}


@dataclass(frozen=True)
class Idea:
    """What is to be measured: ``numerator`` (and, for a ratio, ``denominator``) are columns of ``table``.

    ``types`` are the columns of the table, with their types.
    """

    name: str
    title: str
    unit: str
    table: str
    numerator: str
    denominator: str
    grain: tuple[str, ...]
    owner: str
    types: dict[str, str]

    @property
    def kept(self) -> tuple[str, ...]:
        """The columns beside the day that a row is for; the category goes with the SKU."""
        extra = ("category",) if "sku" in self.grain and "category" in self.types else ()
        return (*self.grain, *extra)

    def number(self, column: str) -> str:
        """Return a column as FLOAT64."""
        return column if self.types[column] == "FLOAT64" else f"CAST({column} AS FLOAT64)"


def is_number(kind: str) -> bool:
    """Whether a column of that type can be summed."""
    return kind in _NUMBERS


def definition_text(idea: Idea) -> str:
    """Return the file."""
    return f"/*\n{_header(idea)}\n{_example(idea)}\n*/\n{select_text(idea)}\n"


def select_text(idea: Idea) -> str:
    """Return the SELECT alone."""
    return _ratio(idea) if idea.denominator else _sum(idea)


def _header(idea: Idea) -> str:
    over = f" / sum of {idea.denominator}" if idea.denominator else ""
    description = f"{idea.title}, by day and {_words(idea.grain)}. Say here what counts and what does not."
    return "\n".join([
        f"title: {_text(idea.title)}",
        f"description: {_text(description)}",
        f"meaning: {_text(f'{idea.title}: {{value}}.')}",
        f"formula: {_text(f'sum of {idea.numerator}{over}')}",
        "source: our own definition",
        f"unit: {_text(idea.unit)}",
        f"grain: [{', '.join(idea.grain)}]",
        f"owner: {_text(idea.owner)}",
        "lookback_days: 0",
        "direction: none",
        f"rollup: {'ratio' if idea.denominator else 'sum'}",
    ])  # fmt: skip


def _example(idea: Idea) -> str:
    """Two cells: one that has a value, and one that has none and says why."""
    over = idea.denominator
    second = {over: 0} if over else {idea.numerator: "null"}
    given = [{**_key(idea, "A"), idea.numerator: 6, **({over: 3} if over else {})},
             {**_key(idea, "B"), idea.numerator: 6, **second}]  # fmt: skip
    reason = _reason(over) if over else "no_data"
    expect = [{**_key(idea, "A"), "value": 2 if over else 6, "reason_code": "null", "coverage_pct": 100},
              {**_key(idea, "B"), "numerator": "null", "value": "null", "reason_code": reason}]  # fmt: skip
    lines = ["examples:", "  - given:", f"      {idea.table}:"]
    lines += [f"        - {_row(row)}" for row in given]
    return "\n".join([*lines, "    expect:", *(f"      - {_row(row)}" for row in expect)])


def _key(idea: Idea, first: str) -> dict[str, object]:
    values = {column: _FIRST.get(column, "X") for column in idea.grain}
    if idea.grain:
        values[idea.grain[0]] = first
    return {"business_date": "2026-09-01" if first == "A" or idea.grain else "2026-09-02", **values}


def _row(row: dict[str, object]) -> str:
    return "{" + ", ".join(f"{k}: {v}" for k, v in row.items()) + "}"


def _sum(idea: Idea) -> str:
    number = idea.number(idea.numerator)
    return f"""SELECT
{_list("  ", ("business_date", *idea.kept))},
  SUM({number}) AS numerator,
  CAST(NULL AS FLOAT64) AS denominator,
  SUM({number}) AS value,
  IF(COUNT({idea.numerator}) = 0, 'no_data', NULL) AS reason_code,
  100 * COUNT({idea.numerator}) / COUNT(*) AS coverage_pct
FROM {idea.table}
GROUP BY {", ".join(("business_date", *idea.kept))}"""


def _ratio(idea: Idea) -> str:
    above, below = idea.number(idea.numerator), idea.number(idea.denominator)
    return f"""WITH summed AS (
  SELECT
{_list("    ", ("business_date", *idea.kept))},
    SUM(IF({idea.denominator} IS NULL, NULL, {above})) AS total_above,
    SUM(IF({idea.numerator} IS NULL, NULL, {below})) AS total_below,
    COUNTIF({idea.numerator} IS NOT NULL AND {idea.denominator} IS NOT NULL) AS known_rows,
    COUNT(*) AS all_rows
  FROM {idea.table}
  GROUP BY {", ".join(("business_date", *idea.kept))}
)
SELECT
{_list("  ", ("business_date", *idea.kept))},
  IF(total_below = 0, NULL, total_above) AS numerator,
  NULLIF(total_below, 0) AS denominator,
  total_above / NULLIF(total_below, 0) AS value,
  CASE WHEN known_rows = 0 THEN 'no_data' WHEN total_below = 0 THEN '{_reason(idea.denominator)}' END AS reason_code,
  100 * known_rows / all_rows AS coverage_pct
FROM summed"""


def _list(indent: str, columns: Sequence[str]) -> str:
    return ",\n".join(indent + column for column in columns)


def _reason(column: str) -> str:
    return next((reason for part, reason in _REASONS if part in column), "no_data")


def _words(grain: Sequence[str]) -> str:
    return ", ".join(column.removesuffix("_code").replace("sku", "SKU") for column in grain) or "everything together"


def _text(value: str) -> str:
    """Return a text that YAML reads as the same text."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
