"""sender: what is declared of a sender's files, and how its files were read so far."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from cli import target
from cli.output import CommandError, console, print_json, print_table
from cli.stack import Json
from functions.ingest.expected import expected
from stockflow.contracts import Contract, load_contracts
from stockflow.errors import PermanentError
from stockflow.senders import FOLDER, Sender, contract_of, load_senders
from stockflow.services import Services
from stockflow.settings import bundle_root

app = typer.Typer(help="Senders: what is declared of their files, and how these were read.", no_args_is_help=True)
SHOWN_DAYS = 35
_FOLDER = Annotated[Path | None, typer.Option(help="Folder of the contracts.", show_default="contracts")]
_COLUMNS = [
    "feed", "files", "format", "encoding", "delimiter", "sheet", "header_line", "decimal_mark", "date_order",
    "time_zone", "profile", "last_landed",
]  # fmt: skip
_READ = """
SELECT
  ingested.feed,
  COUNT(*) AS files,
  JSON_VALUE(ingested.detail, '$.format') AS format,
  JSON_VALUE(ingested.detail, '$.encoding') AS encoding,
  JSON_VALUE(ingested.detail, '$.delimiter') AS delimiter,
  JSON_VALUE(ingested.detail, '$.sheet') AS sheet,
  JSON_VALUE(ingested.detail, '$.header_line') AS header_line,
  JSON_VALUE(judged.detail, '$.decimal_mark') AS decimal_mark,
  JSON_VALUE(judged.detail, '$.date_order') AS date_order,
  JSON_VALUE(judged.detail, '$.time_zone') AS time_zone,
  JSON_VALUE(ingested.detail, '$.sender') AS profile,
  MAX(ingested.landed_at) AS last_landed
FROM inventory_ops.load_stages_latest AS ingested
LEFT JOIN inventory_ops.load_stages_latest AS judged
  ON judged.landed_on = ingested.landed_on AND judged.load_id = ingested.load_id AND judged.stage = 'validate'
WHERE ingested.landed_on >= @since AND ingested.stage = 'ingest' AND ingested.state = 'loaded'
  AND REGEXP_CONTAINS(ingested.object, @files)
GROUP BY ingested.feed, format, encoding, delimiter, sheet, header_line, decimal_mark, date_order, time_zone, profile
ORDER BY ingested.feed, last_landed DESC
"""


@app.command("list")
def list_(folder: _FOLDER = None, as_json: Json = False) -> None:
    """List the senders that have a profile, with what each declares.

    Examples:

      stockflow sender list
    """
    rows = [_row(s) for s in _checked(_contracts_dir(folder))]
    if as_json:
        print_json(rows)
    elif rows:
        print_table(rows, ["sender", "files", "declared"])
    else:
        console().print(f"no profiles: `stockflow sender new NAME --from FILE` writes contracts/{FOLDER}/NAME.yaml")


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="A sender: its profile's name, or its folder in <feed>/<sender>/.")],
    days: Annotated[int, typer.Option(help="How far to look back.", min=1)] = SHOWN_DAYS,
    as_json: Json = False,
) -> None:
    """Show what is declared of a sender's files, and how those of the last weeks were read.

    What is declared always wins. What is not is found in each file; where a file leaves a date order open, the
    sender's earlier files decide.

    Examples:

      stockflow sender show acme

      stockflow sender show acme --days 365 --json
    """
    services = target.services()
    sender = next((s for s in services.senders if s.name == name), None)
    rows = read_as(sender or Sender(name, (f"*/{name}/*",)), services, days)
    if sender is None and not rows:
        known = ", ".join(s.name for s in services.senders) or "none"
        raise CommandError(
            f"{name!r} has no profile and no files in <feed>/{name}/ in {days} days; profiles: {known}. "
            f"`stockflow sender new {name} --from FILE` writes one"
        )
    declared = _declared(sender) if sender else {}
    due = [asdict(e) for e in expected(services) if e.sender == name]
    if as_json:
        files = sender.files if sender else []
        print_json({"sender": name, "files": files, "declared": declared, "expected": due, "read_as": rows})
        return
    _tell(name, sender, declared, rows, days)
    if due:
        print_table(due, ["feed", "due_at", "newest", "hours_late"], "Its files that were expected last")


def _declared(sender: Sender) -> dict[str, Any]:
    """Return what a profile says of its files and places; its calendars are shown by the days that were due."""
    places = {feed: {"locations": list(codes)} for feed, codes in sender.locations.items()}
    feeds = {feed: {**places.get(feed, {}), **own} for feed, own in sender.feeds.items()}
    return {**places.get("", {}), **sender.conventions, **({"feeds": feeds} if feeds else {})}


def _tell(name: str, sender: Sender | None, declared: Mapping[str, Any], rows: list[dict[str, Any]], days: int) -> None:
    out = console()
    if sender is None:
        out.print(f"{name} has no profile: how each file is written is detected per file", markup=False)
    else:
        out.print(f"{name}: {', '.join(sender.files)}", markup=False)
        out.print("declared:\n" + yaml.safe_dump(dict(declared), allow_unicode=True, sort_keys=False), markup=False)
    if rows:
        shown = [c for c in _COLUMNS if any(row[c] is not None for row in rows)]
        print_table(rows, shown, f"How its files of the last {days} days were read")
    else:
        out.print(f"no file of it was loaded in the last {days} days")


def read_as(sender: Sender, services: Services, days: int = SHOWN_DAYS) -> list[dict[str, Any]]:
    """Return how a sender's files were read: one row for each way, the newest first within a feed."""
    since = services.clock().date() - timedelta(days=days)
    return services.warehouse.query(_READ, {"since": since, "files": sender.pattern})


@app.command()
def check(folder: _FOLDER = None, as_json: Json = False) -> None:
    """Check the profiles: keys, values, columns, and that no two claim the same default folder.

    Examples:

      stockflow sender check
    """
    senders = _checked(_contracts_dir(folder))
    if as_json:
        print_json({"profiles": len(senders)})
    else:
        console().print(f"{len(senders)} profiles: nothing wrong" if senders else "no profiles")


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="The sender, as its folder in <feed>/<sender>/ is called.")],
    source: Annotated[Path, typer.Option("--from", help="One of its files.", exists=True, dir_okay=False)],
    feed: Annotated[str, typer.Option(help="The feed of the file; guessed if left out.")] = "",
    folder: _FOLDER = None,
    as_json: Json = False,
) -> None:
    """Write a profile from one file of a sender: what the file proves is declared, what it leaves open is a comment.

    Examples:

      stockflow sender new acme --from samples/sales/ventes_2026-S37.csv
    """
    from cli.trial.command import trial_of

    path = _contracts_dir(folder) / FOLDER / f"{name}.yaml"
    if path.exists():
        raise CommandError(f"{path} already exists: edit it, then `stockflow sender check`")
    trial = trial_of(source, feed)
    if not trial.detail.get("header"):
        raise CommandError(
            f"{source}: {trial.message or 'it could not be read'}", f"`stockflow try {source}` shows more"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(_profile(name, trial.detail, trial.conventions)) + "\n", encoding="utf-8")
    _checked(_contracts_dir(folder))
    if as_json:
        print_json({"file": str(path), "sender": name})
        return
    console().print(f"wrote {path}: look at the comments, then `stockflow try FILE --sender {name}`", markup=False)


@app.command()
def accept(
    name: Annotated[str, typer.Argument(help="The sender whose files have these headers.")],
    source: Annotated[Path, typer.Option("--from", help="One of its files.", exists=True, dir_okay=False)],
    header: Annotated[list[str] | None, typer.Option(help="Only this header; may be repeated.")] = None,
    feed: Annotated[str, typer.Option(help="The feed of the file; guessed if left out.")] = "",
    folder: _FOLDER = None,
    as_json: Json = False,
) -> None:
    """Accept what is proposed for headers that no alias knows: they are declared in the sender's profile.

    Until then a proposal changes nothing. `stockflow try FILE` and `stockflow loads` show each with its confidence.
    Without --header all proposals of the file are accepted whose column it does not have yet.

    Examples:

      stockflow sender accept acme --from sales_2026-10-01.csv

      stockflow sender accept acme --from sales_2026-10-01.csv --header "Net Amnt"
    """
    from cli.profile_text import with_headers
    from cli.trial.command import trial_of

    contracts = _contracts_dir(folder)
    trial = trial_of(source, feed, name)
    if not (of_feed := trial.feed):
        raise CommandError(
            f"{source}: {trial.message or 'it could not be read'}", f"`stockflow try {source}` shows more"
        )
    found = _proposals(trial.columns, trial.detail.get("unused_columns") or [])
    wanted = [p for p in found if header is None or p["header"] in header]
    known = ", ".join(f"{p['header']!r} ({p['column']}, {p['confidence']:.0%})" for p in found) or "nothing"
    if lost := set(header or ()) - {p["header"] for p in found}:
        raise CommandError(f"{source}: nothing is proposed for {', '.join(map(repr, sorted(lost)))}; proposed: {known}")
    if not wanted:
        raise CommandError(f"{source}: none of its headers resembles a missing column; see `stockflow try {source}`")
    path = contracts / FOLDER / f"{name}.yaml"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(with_headers(text, of_feed, {p["header"]: p["column"] for p in wanted}), encoding="utf-8")
    _checked(contracts)
    if as_json:
        print_json({"file": str(path), "sender": name, "accepted": wanted})
        return
    print_table(wanted, ["header", "column", "confidence"], f"Accepted for {name}, feed {of_feed}")
    console().print(f"wrote {path}: deploy it with the contracts", markup=False)


def _proposals(columns: list[dict[str, Any]], unused: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what is proposed, the surest for each column first; a column that the file has needs no other header."""
    taken = {c["column"] for c in columns if c["column"]}
    found = []
    for one in sorted(unused, key=lambda u: -u.get("confidence", 0)):
        if one["nearest"] and one["nearest"] not in taken:
            taken.add(one["nearest"])
            found.append({"header": one["header"], "column": one["nearest"], "confidence": one["confidence"]})
    return found


def _profile(name: str, detail: Mapping[str, Any], conventions: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of a profile."""
    yield f"# Files in <feed>/{name}/ (or matching `files`). What stands here wins over what a file seems to say."
    yield f'files: ["*/{name}/*"]'
    yield "# timeZone: Europe/Paris  # of times without an offset"
    for key in ("encoding", "delimiter", "sheet"):
        if detail.get(key):
            doubt = "  # a guess: see `stockflow try`" if key == "encoding" and detail.get("encoding_doubt") else ""
            yield f"{key}: {_text(detail[key])}{doubt}"
    for key, field, what in (
        ("decimalMark", "decimal_mark", "decimal mark"),
        ("dateOrder", "date_order", "date order"),
    ):
        value = conventions.get(field)
        proved = (conventions.get("decided_by") or {}).get(what) == "values"
        if value:
            yield f"{'' if proved else '# '}{key}: {_text(value)}" + (
                "" if proved else "  # the file does not prove it"
            )
    unused = detail.get("unused_columns") or []
    if unused:
        yield "# headers:  # columns of the file that no column of the contract takes"
        yield from (f"#   {_text(u['header'])}: {u.get('nearest') or 'column'}" for u in unused)
    yield "# defaults:  # of columns that its files do not have"
    yield "#   location_code: S01"


def _text(value: Any) -> str:
    return yaml.safe_dump(str(value), default_style='"', allow_unicode=True).strip()


def _row(sender: Sender) -> dict[str, Any]:
    places = {"locations": ", ".join(sender.locations[""])} if "" in sender.locations else {}
    declared = [f"{k}: {v}" for k, v in {**places, **sender.conventions}.items()]
    return {
        "sender": sender.name,
        "files": ", ".join(sender.files),
        "declared": "; ".join([*declared, *(f"of {feed}: {', '.join(own)}" for feed, own in sender.feeds.items())]),
    }


def _contracts_dir(folder: Path | None) -> Path:
    return folder or bundle_root() / "contracts"


def _checked(folder: Path) -> tuple[Sender, ...]:
    """Return the profiles, each of which fits the contracts.

    Raises:
        CommandError: what is wrong with the first one that is not valid.
    """
    try:
        contracts, senders = load_contracts(folder), load_senders(folder)
        for sender in senders:
            _check_feeds(sender, contracts)
            for contract in contracts.values():
                contract_of(contract, sender)
    except PermanentError as error:
        raise CommandError(error.message) from error
    return senders


def _check_feeds(sender: Sender, contracts: Mapping[str, Contract]) -> None:
    columns = {c.name for contract in contracts.values() for c in contract.stated}
    for key in ("headers", "defaults"):
        said = sender.conventions.get(key) or {}
        for column in said.values() if key == "headers" else said:
            if column not in columns:
                raise CommandError(f"contracts/{FOLDER}/{sender.name}.yaml: {key}: no feed has a column {column!r}")
    for feed in sender.feeds:
        if feed not in contracts:
            known = ", ".join(sorted(contracts))
            raise CommandError(
                f"contracts/{FOLDER}/{sender.name}.yaml: feeds: {feed!r} is not a feed; expected one of {known}"
            )
