"""replay --diff: what a replay would change, by how much and why, before it does."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from typing import Any

from cli.attempts import open_attempts
from cli.output import CommandError, console, errors, print_json, print_table, quiet
from cli.replay.changes import Change, Compared, compare
from cli.replay.choice import Choice, Chosen, choose, with_raw
from cli.replay.promote import ledger_size, promote
from cli.replay.sandbox import Scope, sandbox
from cli.replay.sandbox_run import run_in_sandbox
from cli.stale import current_versions
from functions.ingest.sweep import waiting
from functions.kpi.catalog import read_catalog
from functions.kpi.definition import Definition
from functions.kpi.graph import reads
from functions.kpi.refresh import views_by_name
from stockflow.services import Services


def diff_command(choice: Choice, promoting: bool, services: Services, as_json: bool) -> None:
    """Try a replay in a sandbox, say what would change, and promote it if that was asked for.

    Raises:
        CommandError: loads are still on their way.
    """
    quiet()
    chosen = with_raw(choice.stage, choose(choice, services), services)
    if not chosen:
        print_json({"loads": 0, "changes": []}) if as_json else console().print("no load matches: nothing to replay")
        return
    _check_idle(services)
    if promoting:
        check_no_attempts(choice.stage, services)
    size, scope = ledger_size(services), Scope(choice.stage, frozenset(c.feed for c in chosen))
    with errors().status("copying the tables to a sandbox") as spinner, sandbox(services, scope) as tried:
        run_in_sandbox(choice.stage, chosen, tried, spinner.update)
        spinner.update("comparing")
        found = list(differences(choice, scope, chosen, services, tried))
        if promoting:
            spinner.update("promoting")
            check_no_attempts(choice.stage, services)  # those that began meanwhile have no record yet
            promote(scope, chosen, found, size, services, tried)
    if as_json:
        print_json({"loads": len(chosen), "promoted": promoting, "changes": [asdict(c) for c in found]})
    else:
        _tell(found, len(chosen), promoting)


def _check_idle(services: Services) -> None:
    if left := waiting(services, services.clock()):
        raise CommandError(
            f"{len(left)} loads are still on their way, or stuck: `stockflow sweep` announces them again"
        )


def check_no_attempts(stage: str, services: Services) -> None:
    """Refuse to put a result in place beside a function that is at work on the same stage.

    Raises:
        CommandError: an attempt of the stage has no result yet; it would be recorded over what was put in place.
    """
    if rows := open_attempts(stage, services):
        names = ", ".join(row["object"] or row["load_id"] for row in rows[:3])
        raise CommandError(
            f"{len(rows)} attempts of {stage} are open ({names}): wait until `stockflow loads --state retrying` is "
            "empty, or end them with `stockflow loads give-up`; nothing was changed"
        )


def differences(
    choice: Choice, scope: Scope, chosen: list[Chosen], live: Services, tried: Services
) -> Iterator[Change]:
    """Yield how curated and KPI tables differ, each with the reason."""
    versions = _why_versions(choice, chosen, live)
    curated: set[str] = set()
    for feed, contract in live.contracts.items():
        if scope.writes("curated", feed):
            change = compare(Compared(f"curated.{feed}", contract.key, contract.business_date, None), live, tried)
            if change is not None:
                curated.add(f"inventory_curated.{feed}")
                yield replace(change, why=versions.get(feed) or "what it is enriched with changed")
    yield from _kpi_differences(curated, live, tried)


def _kpi_differences(curated: set[str], live: Services, tried: Services) -> Iterator[Change]:
    definitions = read_catalog(live.settings.definitions_uri, live).definitions
    inputs = reads(definitions, views_by_name())
    known, computed = _versions_computed(live), _computed_in(live, tried)
    for name, definition in definitions.items():
        if name not in computed:
            continue
        key = ("business_date", *definition.grain)
        measure = "value" if definition.kind == "kpi" else None
        change = compare(Compared(f"kpi.{name}", key, "business_date", measure), live, tried)
        if change is not None:
            yield replace(change, why=_why_kpi(definition, known.get(name), inputs[name], curated))


def _why_versions(choice: Choice, chosen: Iterable[Chosen], services: Services) -> dict[str, str]:
    """Return feed -> what is different about the replayed stage."""
    current = current_versions(services)
    why: dict[str, str] = {}
    for c in chosen:
        old = None if c.done is None else c.done["stage_version"]
        new = current.of(choice.stage, c.feed, c.before["object"])
        if old != new:
            why[c.feed] = f"{choice.stage} of {c.feed} has another contract, SQL or code ({old} -> {new})"
    return why


def _versions_computed(services: Services) -> Mapping[str, str]:
    sql = (
        "SELECT kpi, definition_version AS version FROM inventory_ops.kpi_runs WHERE TRUE "
        "QUALIFY ROW_NUMBER() OVER (PARTITION BY kpi ORDER BY finished_at DESC) = 1"
    )
    return {row["kpi"]: row["version"] for row in services.warehouse.query(sql)}


def _computed_in(live: Services, tried: Services) -> set[str]:
    """Return the KPIs that the sandbox run computed; the others are as they were."""
    ours, theirs = tried.settings.table("ops", "kpi_runs"), live.settings.table("ops", "kpi_runs")
    sql = f"SELECT DISTINCT kpi FROM {ours} WHERE run_id NOT IN (SELECT run_id FROM {theirs})"
    return {row["kpi"] for row in live.warehouse.query(sql)}


def _why_kpi(definition: Definition, computed: str | None, inputs: set[str], curated: set[str]) -> str:
    if computed != definition.version:
        return "the definition changed" if computed else "it is new"
    changed = sorted(table.partition(".")[2] for table in inputs & curated)
    return f"it reads {', '.join(changed)}" if changed else "it reads a KPI that changed"


def _tell(changes: list[Change], loads: int, promoted: bool) -> None:
    out = console()
    if not changes:
        out.print(f"{loads} loads replayed in a sandbox: nothing would change")
        return
    rows: list[dict[str, Any]] = [
        {"table": c.table, "added": c.added, "removed": c.removed, "changed": c.changed,
         "columns": ", ".join(f"{name} {n}" for name, n in c.columns.items()),
         "by": None if c.delta is None else round(c.delta, 4), "dates": _range(c.dates), "why": c.why}
        for c in changes
    ]  # fmt: skip
    print_table(rows, ["table", "added", "removed", "changed", "columns", "by", "dates", "why"])
    for c in changes:
        for example in c.examples:
            out.print(f"{c.table} {example['key']}: {_side(example['was'])} -> {_side(example['now'])}", markup=False)
    verb = "changed" if promoted else "would change"
    cells = sum(c.total for c in changes if c.table.startswith("kpi."))
    out.print(f"{sum(c.total for c in changes) - cells} curated rows and {cells} KPI cells {verb}")
    if not promoted:
        out.print("nothing was changed; add --promote to put the result in place")


def _range(dates: tuple[str, ...]) -> str:
    if not dates:
        return ""
    return dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]} ({len(dates)})"


def _side(values: Mapping[str, Any] | None) -> str:
    return "no row" if values is None else ", ".join(f"{k} {v}" for k, v in values.items())
