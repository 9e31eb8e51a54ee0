"""`make watch`: run the unit tests that a changed file touches, each time one is saved."""

import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
CODE = ("shared", "functions", "cli", "local", "scripts", "contracts", "warehouse", "tests/unit")
# What no module imports, and the tests that read it.
_READ_BY = {
    "contracts": ("tests/unit/contracts",),
    "functions/transform": ("tests/unit/transform",),
    "functions/kpi/definitions": ("tests/unit/kpi/test_definition.py", "tests/unit/kpi/test_examples.py"),
    "warehouse": ("tests/unit/contracts", "tests/unit/transform"),
}


def touched_by(changed: Iterable[Path], root: Path = ROOT) -> list[str]:
    """Return the test files and folders, relative to ``root``, that some changed files touch.

    Of a module: the tests that import it; if none does, those of the modules that import it, and so on.
    """
    found: set[str] = set()
    for path in changed:
        name = path.relative_to(root).as_posix()
        if path.name.startswith("test_"):
            found |= {name} if path.exists() else set()
        elif path.suffix == ".py":
            found |= _nearest(_module(name), _imports(root))
        else:
            found |= {test for folder, tests in _READ_BY.items() if name.startswith(f"{folder}/") for test in tests}
    return sorted(found)


def _nearest(module: str, imports: dict[str, set[str]]) -> set[str]:
    """Return the test files nearest to a module along the imports."""
    seen, level = {module}, {module}
    while level:
        level = {name for name, wanted in imports.items() if wanted & level} - seen
        if tests := {name for name in level if name.rpartition(".")[2].startswith("test_")}:
            return {f"{name.replace('.', '/')}.py" for name in tests}
        seen |= level
    return set()


def _imports(root: Path) -> dict[str, set[str]]:
    """Return module -> the modules that it imports, of the project's code and unit tests."""
    files = [path for folder in CODE for path in sorted((root / folder).rglob("*.py"))]
    return {_module(p.relative_to(root).as_posix()): _imported(p, p.stat().st_mtime_ns) for p in files}


@cache
def _imported(path: Path, _saved: int) -> set[str]:
    """Return what a file imports; a module and a name of a module look the same, so both are there."""
    try:
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    except SyntaxError:  # half typed: the next save is another change
        return set()
    found = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def _module(name: str) -> str:
    return name.removeprefix("shared/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def changes(root: Path = ROOT) -> Iterator[set[Path]]:
    """Yield the files of each moment of saving."""
    from watchfiles import DefaultFilter, watch

    folders = [root / folder for folder in CODE if (root / folder).exists()]
    for moment in watch(*folders, watch_filter=DefaultFilter(ignore_dirs=("__pycache__",)), raise_interrupt=False):
        yield {Path(path) for _, path in moment if not path.endswith(".pyc")}


def main(root: Path = ROOT) -> None:
    """Run until Ctrl-C."""
    print("waiting for a change (Ctrl-C ends it)", flush=True)
    for changed in changes(root):
        if tests := touched_by(changed, root):
            print(f"\n{', '.join(sorted(p.name for p in changed))}: {' '.join(tests)}", flush=True)
            with suppress(KeyboardInterrupt):  # ends the run; once more ends the watch
                subprocess.run([sys.executable, "-m", "pytest", "-q", "-x", "-n0", *tests], cwd=root, check=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT)
