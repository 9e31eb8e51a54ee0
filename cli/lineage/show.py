"""lineage show: both directions, of a file, a load, a table, a column or a KPI."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.tree import Tree

from cli import target
from cli.kpi.workspace import open_workspace, project_folder
from cli.lineage import facts, picture
from cli.lineage.model import Model, build, headers, reach, turned
from cli.lineage.names import Asked, asked, short, unknown
from cli.loads import loads_named, pick
from cli.output import CommandError, console, print_json, print_table
from cli.stack import Json

Steps = set[tuple[str, str]]


@dataclass
class Found:
    """What is shown: the steps (from, to) up and down from ``name``, and what the ledger says."""

    kind: str
    name: str
    up: Steps = field(default_factory=set)
    down: Steps = field(default_factory=set)
    facts: dict[str, Any] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)


def show(
    what: Annotated[str, typer.Argument(metavar="FILE|LOAD|TABLE|COLUMN|KPI", help="A file that was dropped, a load "
                    "id, a table (curated.sales), a column (curated.sales.quantity), or a KPI.")],
    up: Annotated[bool, typer.Option("--up", help="Only what it comes from.")] = False,
    down: Annotated[bool, typer.Option("--down", help="Only what comes from it.")] = False,
    where: Annotated[
        str, typer.Option(help="One cell of a KPI, such as location=LYO,date=2026-09-01: files and lines behind it.")
    ] = "",
    most: Annotated[int, typer.Option(help="How many files of each feed, and cells, to show.", min=1)] = 5,
    svg: Annotated[Path | None, typer.Option(help="Draw it into this file, too.", dir_okay=False)] = None,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Show what something comes from and what comes from it: files, raw, curated, KPIs, reporting.

    Tables and columns follow from the SQL, headers from the contracts; which file is in which KPI is what the ledger
    says. Without a stack or --project there are no files to ask for, and the rest is answered from this checkout.

    Examples:

      stockflow lineage show stockout_rate --up

      stockflow lineage show sales_2026-W36.csv --down

      stockflow lineage show curated.sales.quantity --svg quantity.svg

      stockflow lineage show net_sales --where location=LYO,date=2026-09-01 --json
    """
    services = target.services() if where or target.reachable() else None
    uri = services.settings.definitions_uri if services else project_folder()
    model = build(open_workspace([], uri, services))
    ask = facts.Facts(services, model) if services else None
    thing = asked(what, model)
    if where and (thing is None or thing.kind != "kpi"):
        raise CommandError(f"--where names a cell of a KPI: {what!r} is not one")
    both = up == down
    found = _of_load(what, model, ask) if thing is None else _of_thing(thing, model)
    found.up, found.down = found.up if both or up else set(), found.down if both or down else set()
    if thing is not None and ask is not None and (both or up):
        found.facts |= _files(thing, ask, where, most)
    if svg is not None:
        svg.write_text(picture.svg(found.up | found.down, found.name, _labels(found)), encoding="utf-8")
    if as_json:
        print_json(_json(found))
    else:
        _tell(found, both or up, both or down, ask is None)
        if svg is not None:
            console().print(f"\ndrawn: {svg}", markup=False)


def drawing(what: str, model: Model) -> str:
    """Return the picture of a table, a column or a KPI: where it comes from, and what comes from it.

    Raises:
        CommandError: nothing is called that.
    """
    thing = asked(what, model)
    if thing is None:
        raise unknown(what, model, ())
    found = _of_thing(thing, model)
    return picture.svg(found.up | found.down, found.name, _labels(found))


def _of_thing(thing: Asked, model: Model) -> Found:
    if thing.kind != "column":
        return Found(thing.kind, thing.name, model.up(thing.name), model.down(thing.name))
    before = {(there, here) for here, there in reach([thing.name], model.columns)}
    after = reach([thing.name], turned(model.columns))
    ends = {name for name, _ in before} | {thing.name}
    stated = {name: headers(model, name) for name in ends}
    return Found("column", thing.name, before, after, {"headers": {n: list(h) for n, h in sorted(stated.items()) if h}})


def _of_load(what: str, model: Model, ask: facts.Facts | None) -> Found:
    """Return the path of a file: what its rows became, as far as the ledger says that it got there."""
    if ask is None:
        raise unknown(what, model, ())
    rows = loads_named(ask.services, what)
    if not rows:
        raise unknown(what, model, ask.names())
    path = ask.path(pick(rows, what))
    file = path["file"]
    name = f"gs://{file['bucket']}/{file['object']}#{file['generation']}"
    raw = f"inventory_raw.{file['feed']}"
    steps = {(name, raw)} if any(s["stage"] == "ingest" and s["raw_run_id"] for s in path["stages"]) else set()
    kept = {raw, *path["tables"]} | {model.definitions[run["kpi"]].table for run in path["kpis"]}
    steps |= {(a, b) for a, b in model.down(raw) if steps and _is_reached(a, kept) and _is_reached(b, kept)}
    steps = {(a, b) for a, b in steps if a == name} | reach([raw], _out(steps))
    label = f"{file['object'].rpartition('/')[2]} #{str(file['generation'])[-6:]}"
    return Found("load", name, set(), steps, path, {name: label})


def _out(steps: Steps) -> dict[str, set[str]]:
    return turned({b: {a for a, other in steps if other == b} for _, b in steps})


def _is_reached(table: str, kept: set[str]) -> bool:
    """Whether a file can have changed a table: those that hold rows are named by the ledger, views follow."""
    return table in kept or not table.startswith(("inventory_kpi.", "inventory_raw."))


def _files(thing: Asked, ask: facts.Facts, where: str, most: int) -> dict[str, Any]:
    """Return the files that a table, a column or a KPI was computed from, and of a KPI its last run and its cells."""
    model = ask.model
    if thing.kind == "kpi":
        definition = model.definitions[thing.name.rpartition(".")[2]]
        if where:
            cell = facts.parsed(where, definition)
            return {"cells": ask.cell(definition, cell, most) if definition.kind == "kpi" else [],
                    "behind": ask.behind(definition, cell)}  # fmt: skip
        kpi = {"last_run": ask.last_run(definition.name)}
    else:
        kpi = {}
    feeds = model.feeds([thing.table, *(a for a, _ in model.up(thing.table))])
    return {**kpi, "files": ask.files(feeds, most)}


def _labels(found: Found) -> dict[str, str]:
    names = {name for step in found.up | found.down for name in step} | {found.name}
    return {name: found.labels.get(name, short(name)) for name in names}


def _json(found: Found) -> dict[str, Any]:
    def listed(steps: Steps) -> list[dict[str, str]]:
        return [{"from": a, "to": b} for a, b in sorted(steps)]

    return {"kind": found.kind, "name": found.name, "up": listed(found.up), "down": listed(found.down), **found.facts}


def _tell(found: Found, up: bool, down: bool, alone: bool) -> None:
    labels, out = _labels(found), console()
    for wanted, words, steps in (
        (up and found.kind != "load", "comes from", {(b, a) for a, b in found.up}),
        (down, "goes into", found.down),
    ):
        if wanted:
            root = Tree(f"[bold]{labels[found.name]}[/] {words}")
            out.print(_grow(root, found.name, _by(steps), labels, {found.name}))
    TELL[found.kind](found.facts)
    if alone:
        out.print("\nno stack is running: its files are not known (`stockflow up`, or --project)")


def _by(steps: Steps) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for a, b in sorted(steps):
        found.setdefault(a, []).append(b)
    return found


def _grow(tree: Tree, here: str, steps: Mapping[str, list[str]], labels: Mapping[str, str], seen: set[str]) -> Tree:
    """Draw what follows on a name; what was drawn above is named only."""
    for there in steps.get(here, ()):
        again = there in seen and there in steps
        branch = tree.add(labels[there].replace("[", r"\[") + (" (see above)" if again else ""))
        if not again:
            seen.add(there)
            _grow(branch, there, steps, labels, seen)
    return tree


def _tell_thing(said: dict[str, Any]) -> None:
    out = console()
    if said.get("headers"):
        out.print("\n[bold]Headers of files[/]")
        for column, names in said["headers"].items():
            out.print(f"  {short(column)}: {', '.join(names)}", markup=False)
    if run := said.get("last_run"):
        out.print(
            f"\nlast run {run['run_id']}: {run['state']}, {run['from_date']} to {run['to_date']}, {run['rows']} rows"
        )
    if said.get("files"):
        shown = [{**row, "of": row["files"]} for row in said["files"]]
        print_table(shown, ["feed", "object", "generation", "load_id", "rows", "landed_at", "of"], "\nNewest files")
    if "cells" in said:
        print_table(said["cells"], list(said["cells"][0]) if said["cells"] else ["no such cell"], "\nCells")
        rows = [{**row, "lines": _lines(row)} for row in said["behind"]]
        print_table(rows, ["feed", "object", "generation", "load_id", "rows", "lines"], "\nFiles and lines behind")


def _lines(row: Mapping[str, Any]) -> str:
    told = ", ".join(str(line) for line in row["lines"])
    return told + (" ..." if row["rows"] > len(row["lines"]) else "")


def _tell_load(said: dict[str, Any]) -> None:
    file, out = said["file"], console()
    out.print(f"\nload {file['load_id']}, generation {file['generation']}, MD5 {file['content_md5']}: {file['state']}")
    if said["headers"]:
        out.print("headers: " + ", ".join(f"{h} -> {c}" for h, c in said["headers"].items()), markup=False)
    if said["dates"]:
        out.print(f"dates: {said['dates'][0]} to {said['dates'][-1]}")
    print_table(said["stages"], ["stage", "state", "run_id", "rows", "finished_at"], "\nRuns")
    if said["kpis"]:
        columns = ["kpi", "from_date", "to_date", "rows", "run_id", "finished_at"]
        print_table(said["kpis"], columns, "\nKPIs computed with it")


TELL = {"load": _tell_load, "table": _tell_thing, "column": _tell_thing, "kpi": _tell_thing}
