"""Lines of functions and modules, depth of nesting, parameters; with a commit, then and now.

`python -m scripts.sizes [COMMIT]`
"""

import ast
import io
import statistics
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
CODE = ("shared", "functions", "cli", "local", "composer", "dataflow", "scripts")
_NESTING = (ast.If, ast.For, ast.While, ast.With, ast.Try, ast.Match, ast.AsyncFor, ast.AsyncWith)
# What the tree keeps to: what is measured -> median, 95th percentile. `tests/unit/scripts/test_sizes.py` holds it.
LIMITS = {"lines of a function": (6, 20), "lines of a module": (90, 235), "nesting": (1, 2), "parameters": (2, 5)}


def measured(sources: Mapping[str, str]) -> dict[str, list[int]]:
    """Return what is measured -> its values, of module name -> text."""
    found: dict[str, list[int]] = {name: [] for name in LIMITS}
    for text in sources.values():
        found["lines of a module"].append(text.count("\n"))
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                found["lines of a function"].append(_lines(node))
                found["nesting"].append(_depth(node))
                found["parameters"].append(_parameters(node))
    return found


def summary(values: list[int]) -> tuple[int, int, int]:
    """Return median, 95th percentile and maximum."""
    ordered = sorted(values)
    return round(statistics.median(ordered)), ordered[int(0.95 * (len(ordered) - 1))], ordered[-1]


def _lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the lines of a function, without its docstring."""
    body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 2


def _depth(node: ast.AST) -> int:
    return max((isinstance(child, _NESTING) + _depth(child) for child in ast.iter_child_nodes(node)), default=0)


def _parameters(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    names = [a.arg for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
    return len([n for n in names if n not in ("self", "cls")])


def now(root: Path = ROOT) -> dict[str, str]:
    """Return the modules of the tree."""
    return {str(p): p.read_text("utf-8") for folder in CODE for p in sorted((root / folder).rglob("*.py"))}


def then(commit: str) -> dict[str, str]:
    """Return the modules as a commit has them."""
    known = subprocess.run(
        ["git", "ls-tree", "--name-only", commit], cwd=ROOT, capture_output=True, text=True, check=True
    )
    folders = [folder for folder in CODE if folder in known.stdout.split()]
    packed = subprocess.run(["git", "archive", commit, *folders], cwd=ROOT, capture_output=True, check=True).stdout
    return dict(_members(tarfile.open(fileobj=io.BytesIO(packed))))


def _members(archive: tarfile.TarFile) -> Iterator[tuple[str, str]]:
    for member in archive:
        file = archive.extractfile(member) if member.name.endswith(".py") else None
        if file is not None:
            yield member.name, file.read().decode("utf-8")


def main(commit: str = "") -> None:
    """Print the table."""
    columns = {commit: measured(then(commit))} if commit else {}
    columns["now"] = measured(now())
    print(f"{'median / 95 % / most':<22}" + "".join(f"{name:>24}" for name in columns))
    for what in LIMITS:
        cells = (f"{' / '.join(map(str, summary(found[what])))} of {len(found[what]):,}" for found in columns.values())
        print(f"{what:<22}" + "".join(f"{cell:>24}" for cell in cells))


if __name__ == "__main__":
    main(*sys.argv[1:2])
