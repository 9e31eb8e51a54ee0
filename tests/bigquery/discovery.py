"""Every piece of SQL in the tree: ``.sql`` files, and strings in Python that read like SQL."""

import ast
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from stockflow.settings import bundle_root
from tests.bigquery.recorder import Statement

SOURCES = ("shared", "functions", "cli", "local", "composer", "dataflow", "scripts", "images")
# Path -> why what stands there is not for BigQuery.
NOT_BIGQUERY = {
    "cli/googlesql/rules.py": "the reserved words themselves",
    "local/pubsub/": "SQLite: the Pub/Sub emulator's own store",
    "local/bigquery_lookups.py": "DuckDB: the inside of the BigQuery emulator",
    "local/bigquery_translations.py": "SQLite: what the BigQuery emulator translated before",
    "local/bigquery_jobs.py": "SQLite: the jobs of the BigQuery emulator",
    "local/bigquery_server.py": "DuckDB: the inside of the BigQuery emulator",
    "tests/": "expected texts of tests, compared there with what is analysed here",
}
# What holes are filled with where a string is analysed by itself.
HOLES: Mapping[str, str] = {
    "feed": "sales", "contract.feed": "sales", "definition.table": "inventory_kpi.gmroi", "name": "sales",
    "kpi": "gmroi", "layer": "curated", "contract.business_date": "business_date", "column": "sku",
}  # fmt: skip
# The types of parameters of statements that no builder sends: one name means one thing all over the project.
PARAMETERS: Mapping[str, str] = {
    "load_id": "STRING", "load": "STRING", "load_ids": "ARRAY<STRING>", "loads": "ARRAY<STRING>", "feed": "STRING",
    "bucket": "STRING", "object": "STRING", "generation": "INT64", "content_md5": "STRING", "stage": "STRING",
    "stages": "ARRAY<STRING>", "before": "TIMESTAMP", "passed": "STRING", "landed": "TIMESTAMP", "since": "DATE",
    "names": "ARRAY<STRING>", "asked": "ARRAY<STRING>", "first": "DATE", "last": "DATE", "state": "STRING",
    "run_id": "STRING", "raw_run_id": "STRING", "landed_on": "DATE", "days": "ARRAY<DATE>", "until": "TIMESTAMP",
    "version": "STRING", "kpi": "STRING", "day": "DATE", "first_day": "DATE", "last_day": "DATE",
    "most": "INT64", "after": "TIMESTAMP",
    "patterns": "ARRAY<STRING>",
}  # fmt: skip
# Where a name means another thing than elsewhere.
ELSEWHERE: Mapping[str, Mapping[str, str]] = {
    "cli/refresh.py": {"since": "TIMESTAMP"},
    "functions/ingest/orphans.py": {"since": "TIMESTAMP"},
}
_STARTS = re.compile(
    r"^(?:\s|--[^\n]*\n)*"
    r"(SELECT|WITH|INSERT INTO|DELETE FROM|UPDATE|MERGE|CREATE|DROP|ALTER|TRUNCATE|ASSERT|BEGIN|DECLARE)\b"
)
_SQL = re.compile(
    r"\b(SELECT (DISTINCT |COUNT|MAX|MIN|\*|[\w.`]+(,| AS | FROM))|INSERT INTO \S|"
    r"DELETE FROM \S|UPDATE \S+ SET |MERGE \S+ |"
    r"CREATE (OR REPLACE )?(TEMP )?(TABLE|VIEW|FUNCTION) |DROP TABLE |ALTER TABLE |TRUNCATE TABLE |ASSERT \(|"
    r"(BEGIN|COMMIT|ROLLBACK) TRANSACTION|UNION (ALL|DISTINCT)|(LEFT|INNER|CROSS|FULL OUTER) JOIN |"
    r"GROUP BY \S|ORDER BY \S|"
    r"QUALIFY |COUNTIF\(|IS DISTINCT FROM|IN UNNEST\(|FROM inventory_)"
)


@dataclass(frozen=True)
class Fragment:
    """SQL as it stands in the tree. ``pieces`` are its texts between holes; ``holes`` what fills them."""

    source: str
    pieces: tuple[str, ...]
    holes: tuple[str, ...] = ()

    @property
    def stands_alone(self) -> bool:
        """Whether it is a statement, not a part of one."""
        return bool(_STARTS.match(self.pieces[0])) and all(hole in HOLES for hole in self.holes)

    def is_in(self, texts: str) -> bool:
        """Whether every piece of it was analysed."""
        return all(plain(piece) in texts for piece in self.pieces)

    def statement(self) -> Statement:
        """Return it as a statement of its own, its holes filled, its parameters typed by their names."""
        text = self.pieces[0] + "".join(HOLES[h] + p for h, p in zip(self.holes, self.pieces[1:], strict=True))
        unquoted = re.sub(r"'[^'\n]*'|--[^\n]*", "", text)
        named = set(re.findall(r"(?<!@)@(\w+)", unquoted))
        known = {**PARAMETERS, **ELSEWHERE.get(self.source.partition(":")[0], {})}
        return Statement(self.source, text, {n: known[n] for n in named if n in known})


def plain(text: str) -> str:
    """Return SQL with its blanks made one: how it is compared."""
    return " ".join(text.split())


@cache
def fragments() -> list[Fragment]:
    """Return every piece of SQL in the tree that is meant for BigQuery."""
    return [f for path in _files() for f in _of(path) if not any(f.source.startswith(p) for p in NOT_BIGQUERY)]


def _files() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.sql", "*.py"],
        cwd=bundle_root(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    return sorted(p for p in listed.stdout.splitlines() if (bundle_root() / p).exists())


def _of(path: str) -> Iterator[Fragment]:
    text = (bundle_root() / path).read_text(encoding="utf-8")
    if path.endswith(".sql"):
        yield _template(path, _body(path, text))
    elif path.startswith(SOURCES):
        yield from in_python(path, text)


def _body(path: str, text: str) -> str:
    """A KPI definition without its header, a view without what cannot be told from another."""
    is_definition = "definitions/" in path or path.startswith("docs/examples/")
    return text[text.index("*/") + 2 :].strip().rstrip(";") if is_definition else text.strip().rstrip(";")


def _template(source: str, text: str) -> Fragment:
    parts = re.split(r"<<(\w+)>>|\{(\w+)\}", text)
    holes = tuple(a or b for a, b in zip(parts[1::3], parts[2::3], strict=True))
    return Fragment(source, tuple(parts[0::3]), holes)


def in_python(path: str, text: str) -> Iterator[Fragment]:
    """Yield the strings of a module that read like SQL, its docstrings left out."""
    tree = ast.parse(text)
    skipped = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            skipped |= {id(part) for part in ast.walk(node) if part is not node}
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.JoinedStr):
            found = _joined(f"{path}:{node.lineno}", node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found = _template(f"{path}:{node.lineno}", node.value)
        else:
            continue
        if _SQL.search("?".join(found.pieces)):
            yield found


def _joined(source: str, node: ast.JoinedStr) -> Fragment:
    pieces: list[str] = [""]
    holes: list[str] = []
    for part in node.values:
        if isinstance(part, ast.Constant):
            inner = _template(source, str(part.value))  # {{days}} in it is a hole too
            pieces[-1] += inner.pieces[0]
            pieces += inner.pieces[1:]
            holes += inner.holes
        elif isinstance(part, ast.FormattedValue):
            holes.append(ast.unparse(part.value))
            pieces.append("")
    return Fragment(source, tuple(pieces), tuple(holes))


def root() -> Path:
    """Return the checkout."""
    return bundle_root()
