"""Resource names: ``projects/P/topics/T`` and its like, checked as the real service does."""

import re

from local.pubsub.errors import invalid

_ID = re.compile(r"^[A-Za-z][A-Za-z0-9\-_.~+%]{2,254}$")
_PROJECT = re.compile(r"^projects/[^/]+$")
DELETED_TOPIC = "_deleted-topic_"


def check(name: str, kind: str) -> str:
    """Return ``name`` when it is a valid resource name of ``kind`` (topics, subscriptions, snapshots).

    Raises:
        ServiceError: INVALID_ARGUMENT otherwise.
    """
    parts = name.split("/")
    if len(parts) != 4 or parts[0] != "projects" or parts[2] != kind or not parts[1]:
        singular = kind.removesuffix("s")
        raise invalid(f"Invalid [{kind}] name: (name={name}). Expected projects/<project>/{kind}/<{singular}>.")
    if not _ID.match(parts[3]) or parts[3].startswith("goog"):
        raise invalid(
            f"Invalid resource name given (name={name}). It must start with a letter, have 3 to 255 letters, "
            "digits, dashes, periods, underscores, tildes, plus or percent signs, and not start with 'goog'."
        )
    return name


def check_project(name: str) -> str:
    """Return ``name`` when it is ``projects/P``.

    Raises:
        ServiceError: INVALID_ARGUMENT otherwise.
    """
    if not _PROJECT.match(name):
        raise invalid(f"Invalid project name: (name={name}). Expected projects/<project>.")
    return name
