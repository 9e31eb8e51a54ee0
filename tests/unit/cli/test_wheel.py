"""What Airflow's tasks import is in the wheel that they get."""

import ast
from collections.abc import Iterator
from pathlib import Path

from cli.wheel import NAME, contents
from stockflow.settings import bundle_root

ROOT = bundle_root()


def imported(path: Path, nodes: Iterator[ast.AST]) -> Iterator[str]:
    """The modules of the command line that these nodes of a file import, as files below the root."""
    for node in nodes:
        if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("cli"):
            continue
        base = (node.module or "").replace(".", "/")
        inside = [f"{base}/{a.name}.py" for a in node.names if (ROOT / f"{base}/{a.name}.py").exists()]
        yield from inside or [f"{base}.py" if (ROOT / f"{base}.py").exists() else f"{base}/__init__.py"]


def test_every_module_that_the_tasks_import_is_in_their_wheel() -> None:
    """Directly or through others, on import; tasks import what they need when they run."""
    tasks = sorted((ROOT / "composer" / NAME).glob("*.py"))
    todo = [name for path in tasks for name in imported(path, ast.walk(ast.parse(path.read_text(encoding="utf-8"))))]
    reached: set[str] = set()
    while todo:
        name = todo.pop()
        if name not in reached:
            reached.add(name)
            path = ROOT / name
            todo += imported(path, iter(ast.parse(path.read_text(encoding="utf-8")).body))
    assert len(reached) > 5
    assert {name for name in reached if f"{NAME}/bundle/{name}" not in contents(ROOT)} == set()
