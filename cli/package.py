"""package: the functions' deployables."""

import json
from pathlib import Path
from typing import Annotated

import typer

from cli.output import print_json, print_table
from cli.packaging import FUNCTIONS, build, release, requirements
from cli.stack import Json
from cli.wheel import build as build_wheel
from cli.wheel import deployable
from stockflow.settings import bundle_root


def package(
    out: Annotated[Path, typer.Option(help="Folder for the zips.")] = Path("build/functions"),
    release_file: Annotated[
        Path | None, typer.Option("--release", help="Also write Terraform's variable here.")
    ] = None,
    lock: Annotated[
        bool, typer.Option("--lock", help="First write functions/*/requirements.txt from uv.lock.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Build the functions' zips and the DAGs' package: the same commit gives the same bytes, named by content.

    Examples:

      stockflow package

      stockflow package --out build/functions --release build/release.auto.tfvars.json
    """
    root = bundle_root()
    if lock:
        for function in FUNCTIONS:
            (root / "functions" / function / "requirements.txt").write_text(requirements(root, function))
    built = [build(root, out, function) for function in FUNCTIONS]
    if release_file is not None:
        release_file.parent.mkdir(parents=True, exist_ok=True)
        release_file.write_text(json.dumps(release(built), indent=2) + "\n")
    built.append(deployable(build_wheel(root, out)))
    rows = [
        {"function": d.function, "version": d.version, "kilobytes": d.size / 1000, "file": str(d.path)} for d in built
    ]
    print_json(rows) if as_json else print_table(rows, ["function", "version", "kilobytes", "file"])
