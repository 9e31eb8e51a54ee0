"""The SQL files of this function."""

from functools import cache
from pathlib import Path

_HERE = Path(__file__).resolve().parent


class UnknownModelError(LookupError):
    """A feed has a contract but no model."""


@cache
def template(name: str) -> str:
    """Return a SQL file of this function."""
    return (_HERE / name).read_text(encoding="utf-8")


def model(feed: str) -> str:
    """Return the model of a feed: one SELECT, as an engineer wrote it.

    Raises:
        UnknownModelError: when ``models/<feed>.sql`` is missing.
    """
    if not (_HERE / "models" / f"{feed}.sql").exists():
        raise UnknownModelError(f"functions/transform/models/{feed}.sql is missing: feed {feed} has no model")
    return template(f"models/{feed}.sql")


def dependents(feed: str) -> str | None:
    """Return the SELECT of the loads that say something else when this feed changes; None when there are none."""
    name = f"dependents/{feed}.sql"
    return template(name).strip() if (_HERE / name).exists() else None


def dependents_step(feed: str, step: str) -> str | None:
    """Return the statement that a feed's dependents need before or after its merge (``before``, ``after``), if any."""
    name = f"dependents/{feed}.{step}.sql"
    return template(name).strip() if (_HERE / name).exists() else None


def indent(text: str, by: int) -> str:
    """Return the text with each line moved to the right by that many blanks."""
    return "\n".join(" " * by + line if line else line for line in text.splitlines())
