"""kpi new: a first definition of an idea, with an example that holds."""

import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from cli.kpi.check import here, refuse
from cli.kpi.checked import checked
from cli.kpi.template import Idea, definition_text, is_number
from cli.kpi.workspace import Workspace, open_workspace, project_folder
from cli.nearest import hint, nearest
from cli.output import CommandError, console, print_json
from cli.stack import Json

DAILY = "inventory_kpi.stock_daily"


def new(
    name: Annotated[str, typer.Argument(help="Name of the KPI and of its file: small letters, digits and _.")],
    title: Annotated[str, typer.Option(help="What people call it.")] = "",
    unit: Annotated[str, typer.Option(help="units, EUR, days, share (shown as %), ...")] = "",
    table: Annotated[str, typer.Option(help="The table that it is computed from.")] = DAILY,
    numerator: Annotated[str, typer.Option(help="The column that is added up.")] = "",
    denominator: Annotated[str, typer.Option(help="The column that the sum is divided by; none for an amount.")] = "",
    grain: Annotated[str, typer.Option(help="The columns that a row is for, beside the day.")] = "",
    owner: Annotated[str, typer.Option(help="Who is responsible for it.")] = "",
    folder: Annotated[
        Path | None, typer.Option(help="Where the file goes; the project's definitions if left out.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write a new definition with a header and a first worked example, and check it.

    What is left out is asked for on a terminal; elsewhere it is: units sold, by SKU and location.

    Examples:

      stockflow kpi new units_per_store

      stockflow kpi new sales_per_unit_in_stock --title "Sales per unit in stock" --unit EUR --numerator net_sales
      --denominator on_hand --grain location_code --folder my_kpis
    """
    path = Path(folder or project_folder()) / f"{name}.sql"
    workspace = here([])
    _free(name, path, workspace)
    asked = sys.stdin.isatty() and not (title and unit and numerator)
    types = _types(name, table, workspace)
    idea = Idea(
        name=name,
        title=title or _ask(asked, "What do people call it?", name.replace("_", " ").capitalize()),
        numerator=numerator or _ask(asked, f"Which column of {table} is added up?", _default(types)),
        denominator=denominator or _ask(asked and not numerator, "Divided by which column? (none for an amount)", ""),
        unit=unit or _ask(asked, "In which unit?", "units"),
        grain=_split(grain or _ask(asked, "For what is a row, beside the day?", _default_grain(types))),
        table=table,
        owner=owner or _ask(asked, "Who answers for it?", "inventory-analytics"),
        types=types,
    )
    _refuse_columns(idea)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(definition_text(idea), encoding="utf-8")
    written = _with(path)
    refuse(checked(written), written)
    if as_json:
        print_json({"file": str(path), "kpi": name})
    else:
        console().print(f"wrote {path}; its example passes. Next: `stockflow kpi preview {path}`", markup=False)


def _with(path: Path) -> Workspace:
    workspace = open_workspace([str(path)], project_folder())
    return replace(workspace, wanted=(path.stem,))


def _free(name: str, path: Path, workspace: Workspace) -> None:
    if not re.fullmatch("[a-z][a-z0-9_]*", name):
        raise CommandError(
            f"the name becomes a table's: expected small letters, digits and _, found {name!r}: "
            f"`stockflow kpi new {_as_name(name)}`"
        )
    if path.exists():
        raise CommandError(f"{path} already exists; choose another name, or `stockflow kpi check {path}`")
    if f"{name}.sql" in workspace.texts:
        raise CommandError(f"a KPI {name} already exists: `stockflow kpi show {name}`; choose another name")


def _as_name(text: str) -> str:
    """Return the nearest name that a table can have."""
    name = re.sub("[^a-z0-9_]+", "_", text.lower()).strip("_")
    return name if re.match("[a-z]", name) else f"kpi_{name}"


def _types(name: str, table: str, workspace: Workspace) -> dict[str, str]:
    known = (
        checked(replace(workspace, wanted=(table.partition(".")[2],)), thorough=False).known if "kpi." in table else {}
    )
    known = {**workspace.sources, **known}
    if table not in known:
        tables = [*known, *(f"inventory_kpi.{d}" for d in workspace.definitions)]
        near = nearest(table, tables) or DAILY
        raise CommandError(f"no table {table!r}{hint(table, tables)}", f"`stockflow kpi new {name} --table {near}`")
    if "business_date" not in known[table]:
        raise CommandError(
            f"{table} has no business_date: expected a table of days: `stockflow kpi new {name} --table {DAILY}`"
        )
    return dict(known[table])


def _refuse_columns(idea: Idea) -> None:
    asked = {"numerator": (idea.numerator,), "denominator": (idea.denominator,), "grain": idea.grain}
    for option, columns in asked.items():
        for column in columns:
            if column and column not in idea.types:
                near = ",".join(c if c in idea.types else nearest(c, idea.types) or "COLUMN" for c in columns)
                raise CommandError(
                    f"{idea.table} has no column {column!r}{hint(column, idea.types)}",
                    f"`stockflow kpi new {idea.name} --{option} {near}`",
                )
    for option in ("numerator", "denominator"):
        for column in filter(None, asked[option]):
            if not is_number(idea.types[column]):
                raise CommandError(
                    f"{column} is {idea.types[column]}, expected a column of numbers: "
                    f"`stockflow kpi new {idea.name} --{option} {_default(dict(idea.types))}`"
                )


def _ask(asked: bool, question: str, default: str) -> str:
    return str(typer.prompt(question, default=default, show_default=bool(default))) if asked else default


def _default(types: dict[str, str]) -> str:
    wanted = ("units_sold", "quantity", "counted_quantity", "ordered_quantity")
    return next((c for c in wanted if c in types), next((c for c, t in types.items() if is_number(t)), ""))


def _default_grain(types: dict[str, str]) -> str:
    return ",".join(c for c in ("sku", "location_code") if c in types)


def _split(grain: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in grain.strip("[]").split(",") if part.strip())
