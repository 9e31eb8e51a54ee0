"""YAML, read by libyaml where it is there: about eight times as fast as the reader in Python.

The parser is imported when a text is read. Who reads the same texts again in one process after another (commands) names
a keeper: then it is not even imported.
"""

import json
from collections.abc import Callable
from datetime import date, datetime
from functools import cache
from typing import Any

Keeper = Callable[[Callable[[], Any], str, str], Any]  # returns what the call gave for these texts before, or gives now
_keepers: list[Keeper] = []
_DAY, _TIME = "$day", "$time"  # the keys of what JSON has no form for


def keep_by(keeper: Keeper | None) -> None:
    """Let this keeper remember what texts say from now on; None: nobody."""
    _keepers[:] = [keeper] if keeper else []


def compose_yaml(text: str) -> Any:
    """Return the tree of nodes of a YAML text, each with its line.

    Raises:
        yaml.YAMLError: as ``read_yaml`` does.
    """
    import yaml

    try:
        return yaml.compose(text, Loader=_loader())
    except yaml.YAMLError:
        return yaml.compose(text, Loader=yaml.SafeLoader)


def read_yaml(text: str) -> Any:
    """Return what a YAML text says.

    Raises:
        yaml.YAMLError: it is not YAML; the error says where and what was expected, in the words of the Python reader.
    """
    known = _keepers[0](lambda: _as_json(text), "yaml as json", text) if _keepers else ""
    return json.loads(known, object_hook=_day) if known else _read(text)


def yaml_error() -> type[Exception]:
    """Return the class of what ``read_yaml`` raises, for an ``except`` that is seldom reached."""
    import yaml

    return yaml.YAMLError


def _read(text: str) -> Any:
    import yaml

    try:
        return yaml.load(text, Loader=_loader())
    except yaml.YAMLError:
        return yaml.safe_load(text)


def _as_json(text: str) -> str:
    """Return what a text says as JSON; nothing when that cannot hold it (keys that are numbers)."""
    found = _read(text)
    try:
        said = json.dumps(found, default=_said_day)
        return said if json.loads(said, object_hook=_day) == found else ""
    except (TypeError, ValueError):
        return ""


def _said_day(value: object) -> dict[str, str]:
    if not isinstance(value, date):
        raise TypeError(f"{value!r} is not a date or a time")
    return {_TIME if isinstance(value, datetime) else _DAY: value.isoformat()}


def _day(found: dict[str, Any]) -> Any:
    if found.keys() == {_DAY}:
        return date.fromisoformat(found[_DAY])
    return datetime.fromisoformat(found[_TIME]) if found.keys() == {_TIME} else found


@cache
def _loader() -> Any:
    import yaml

    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)
