"""drop: copy files into the landing bucket, and follow them to the KPIs."""

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated

import typer

from cli import target
from cli.loads import COLUMNS, ended, find_loads, tell_of
from cli.output import CommandError, console, errors, print_json, print_table, progress
from cli.reconciliation import with_superseded
from cli.stack import Json
from stockflow.identity import load_id
from stockflow.services import Services
from stockflow.stages import STAGES
from stockflow.waiting import polite_pause

_BAD = ("rejected", "held", "failed")


def drop(
    files: Annotated[list[Path], typer.Argument(help="Files to drop.", exists=True, dir_okay=False)],
    feed: Annotated[str, typer.Option(help="The feed; guessed from the folder or the file's name if left out.")] = "",
    sender: Annotated[str, typer.Option(help="Whose files these are: they go to <feed>/<sender>/.")] = "",
    wait: Annotated[bool, typer.Option("--wait", help="Follow the files until they are in the KPIs.")] = False,
    timeout: Annotated[int, typer.Option(help="Longest time to wait, in seconds.")] = 300,
    as_json: Json = False,
) -> None:
    """Drop files into the landing bucket, as a store or an ERP job would.

    Exit code 1 when --wait saw a file rejected or not arrive in time, or when neither folder nor name says which feed a
    file is of: that one is not dropped, the others are.

    Examples:

      stockflow drop samples/sales/sales_2026-W36.csv

      stockflow drop my.csv --feed sales --wait

      stockflow drop my.csv --feed sales --sender acme

      stockflow drop samples/stock_movements/* --wait
    """
    services = target.services()
    wanted = {path: feed or _feed_of(path, services.contracts) for path in files}
    clear = {path: found for path, found in wanted.items() if found}
    if not clear:
        raise _unclear(wanted, services.contracts)
    loads = [upload(services, path, name) for path, name in _progress(object_names(clear, sender))]
    if not wait:
        _say(loads, as_json)
    bad = wait and _followed(services, loads, timeout, as_json)
    if len(clear) < len(wanted):
        raise _unclear(wanted, services.contracts)
    if bad:
        raise typer.Exit(1)


def _followed(services: Services, loads: list[dict[str, str]], timeout: int, as_json: bool) -> bool:
    """Tell how each load ended; return whether one is not as it should be."""
    rows = with_superseded(services, follow(services, [row["load_id"] for row in loads], timeout))
    print_json(rows) if as_json else _tell(rows)
    return len(rows) < len(loads) or any(not is_settled(r) or r["end_state"] in _BAD for r in rows)


def _unclear(wanted: Mapping[Path, str | None], feeds: Iterable[str]) -> CommandError:
    paths = ", ".join(str(path) for path, found in wanted.items() if not found)
    return CommandError(f"{paths}: which feed is this? Use --feed with one of {', '.join(sorted(feeds))}")


def _tell(rows: list[dict[str, object]]) -> None:
    print_table(rows, COLUMNS)
    for row in rows:
        tell_of(row)
        if row["reason_code"]:
            console().print(row["object"], ended(row), markup=False)


def object_names(wanted: Mapping[Path, str], sender: str = "") -> dict[Path, str]:
    """Return each file's object: ``<feed>/<name>``; files of one name keep their folder: ``<feed>/<folder>/<name>``.
    Those of a sender are in its folder: ``<feed>/<sender>/...``.

    Raises:
        CommandError: two files would still become one object, and the first would be lost.
    """
    wanted = {path: f"{feed}/{sender}" if sender else feed for path, feed in wanted.items()}
    taken = Counter(f"{feed}/{path.name}" for path, feed in wanted.items())
    names = {
        path: f"{feed}/{path.name}" if taken[f"{feed}/{path.name}"] == 1 else f"{feed}/{_folder(path)}/{path.name}"
        for path, feed in wanted.items()
    }
    for name, count in Counter(names.values()).items():
        if count > 1:
            files = ", ".join(str(path) for path in names if names[path] == name)
            raise CommandError(f"{files} would all become {name}: drop them one after another, or rename them")
    return names


def _folder(path: Path) -> str:
    return path.resolve().parent.name


def _progress(wanted: dict[Path, str]) -> Iterable[tuple[Path, str]]:
    if len(wanted) < 5:
        return wanted.items()
    from rich.progress import track

    return track(wanted.items(), description="dropping", console=errors(), transient=True)


def guess_feed(path: Path, feeds: Iterable[str]) -> str:
    """Return the feed that a file's folder or name says.

    Raises:
        CommandError: when neither does.
    """
    feeds = list(feeds)
    found = _feed_of(path, feeds)
    if found is None:
        raise _unclear({path: None}, feeds)
    return found


def _feed_of(path: Path, feeds: Iterable[str]) -> str | None:
    feeds = sorted(feeds, key=len, reverse=True)
    for text in (path.resolve().parent.name, path.name):
        for feed in feeds:
            if text == feed or text.lower().startswith(feed):
                return feed
    return None


def upload(services: Services, path: Path, name: str) -> dict[str, str]:
    """Copy one file to ``gs://landing/<name>``; return its load id and object."""
    bucket = services.settings.landing_bucket
    with path.open("rb") as stream:
        services.object_store.write(bucket, name, stream, "application/octet-stream")
    landed = services.object_store.stat(bucket, name)
    assert landed is not None, f"gs://{bucket}/{name} vanished after the upload"
    return {"load_id": load_id(bucket, name, landed.generation), "object": f"gs://{bucket}/{name}"}


def _say(loads: list[dict[str, str]], as_json: bool) -> None:
    if as_json:
        print_json(loads)
        return
    print_table(loads, ["load_id", "object"])
    console().print("`stockflow loads` shows their progress")


def is_settled(row: dict[str, object]) -> bool:
    """Whether nothing more will happen to a load by itself."""
    return row["state"] in ("duplicate_content", "ignored", "rejected", "held", "failed", "refreshed")


def follow(services: Services, load_ids: list[str], timeout: int) -> list[dict[str, object]]:
    """Show progress until each load was processed or the time is over; return their rows."""
    deadline = time.monotonic() + timeout
    with progress() as bar:
        task = bar.add_task("files processed", total=len(load_ids))
        while True:
            began = time.monotonic()
            rows = find_loads(services, load_ids=load_ids)
            settled = sum(is_settled(r) for r in rows)
            bar.update(task, completed=settled, description=_where(rows, len(load_ids)))
            if settled == len(load_ids) or time.monotonic() > deadline:
                return rows
            time.sleep(polite_pause(time.monotonic() - began))


def _where(rows: list[dict[str, object]], total: int) -> str:
    at = {stage: sum(r["stage"] == stage for r in rows) for stage in STAGES}
    waiting = total - len(rows)
    return " ".join([f"waiting {waiting}", *(f"{stage} {count}" for stage, count in at.items())])
