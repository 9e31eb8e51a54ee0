"""receipt: the command."""

import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, cast

import typer

from cli import target
from cli.loads import ALL, history, loads_named, pick
from cli.output import CommandError, console, print_json
from cli.reconciliation import with_superseded
from cli.stack import Json
from functions.ingest.readers.source import unpack
from functions.ingest.receipts.page import page
from functions.ingest.receipts.refused import Refusal, as_sent, refusals
from functions.ingest.receipts.says import SHOWN, detail_of, receipt
from stockflow.events import ObjectRef
from stockflow.services import Services


def write_receipt(
    what: Annotated[str, typer.Argument(help="A load id, an object, or the name of a file that was dropped.")],
    to: Annotated[
        Path, typer.Option(help="Folder to write to; the receipt's path in it is the object's path in its bucket.")
    ] = Path("receipts"),
    as_json: Json = False,
) -> None:
    """Write the receipt of a file for its sender: a page, the same as JSON, and the refused rows as they were sent.

    The page says how the file was read, which column went where, what became of each line, and which KPIs were
    computed with it. The refused rows keep dialect, order and encoding; in front of each stand what is wrong, in which
    column, and what was expected: correct them and drop the file again.

    Examples:

      stockflow receipt sales_2026-W36.csv

      stockflow receipt sales_2026-W36.csv --to /tmp/receipts --json
    """
    services = target.services()
    said, files = write(services, what, to)
    if as_json:
        print_json({**said, "files": files})
        return
    counts = said["counts"]
    console().print(
        f"{said['object']} {said['state']}: {counts['records'] or 0} records = {counts['loaded']} loaded + "
        f"{counts['superseded']} superseded + {counts['quarantined']} quarantined + {counts['rejected']} rejected",
        markup=False,
    )
    for file in files:
        console().print(file, markup=False)


def write(services: Services, what: str, to: Path) -> tuple[dict[str, Any], list[str]]:
    """Write the receipt of a load below a folder; return what it says, and the files.

    Raises:
        CommandError: when there is no such load.
    """
    from cli.kpi.workspace import open_workspace
    from cli.lineage.facts import Facts
    from cli.lineage.model import build

    (load,) = with_superseded(services, [pick(loads_named(services, what), what)])
    model = build(open_workspace([], services.settings.definitions_uri, services))
    kpis = Facts(services, model).path(load)["kpis"] if load["feed"] else []
    feed = str(load["feed"] or "")
    contract = services.contract_for(feed, str(load["object"])) if feed in services.contracts else None
    said = receipt(load, history(services, dict(load), SHOWN), contract, kpis)
    return said, _write(said, _refused(services, load, said), to)


def _refused(services: Services, load: Mapping[str, Any], said: Mapping[str, Any]) -> tuple[str, bytes] | None:
    """Return the ending and the content of the file of refused rows; None when none was refused."""
    if not said["refused_by_reason"]:
        return None
    story = history(services, dict(load), ALL)
    found = refusals(story["rejects"], story["quarantine"], load["load_id"])
    ingest = next((s for s in story["stages"] if s["stage"] == "ingest"), None)
    ref = ObjectRef(load["bucket"], load["object"], load["generation"], 0, "", load["landed_at"])
    landed = services.object_store.stat(ref.bucket, ref.name)
    if landed is None or landed.generation != ref.generation:
        return _without_the_file(found)
    with services.object_store.open(landed) as stream:
        plain, _ = unpack(stream, services.settings.max_file_bytes)
        return as_sent(cast("Any", plain), detail_of(ingest), found)


def _without_the_file(found: list[Refusal]) -> tuple[str, bytes]:
    """The object is gone or another one: the ledger has each refused row, though not how it was written."""
    import io

    return as_sent(io.BytesIO(), {}, found)


def _write(said: Mapping[str, Any], rows: tuple[str, bytes] | None, to: Path) -> list[str]:
    place = PurePosixPath(str(said["object"]))
    if ".." in place.parts:
        raise CommandError(f"{said['object']}: this object's name points outside the folder")
    base = to / place.parent / place.name
    base.parent.mkdir(parents=True, exist_ok=True)
    files = [base.with_name(f"{base.name}.html"), base.with_name(f"{base.name}.json")]
    link = ""
    if rows is not None:
        files.append(base.with_name(f"{base.name.partition('.')[0]}.refused.{rows[0]}"))
        files[2].write_bytes(rows[1])
        link = files[2].name
    files[0].write_text(page(said, link), encoding="utf-8")
    files[1].write_text(json.dumps(said, ensure_ascii=False, indent=2, default=str) + "\n", encoding="utf-8")
    return [f.as_posix() for f in files]
