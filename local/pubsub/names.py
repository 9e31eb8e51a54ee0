"""Resource names: ``projects/P/topics/T`` and its like, checked as the real service does. Pure."""

import re

from local.pubsub.errors import invalid

_ID = re.compile(r"[A-Za-z][A-Za-z0-9\-_.~+%]{2,254}")
_PROJECT = re.compile(r"projects/[^/]+")
DELETED_TOPIC = "_deleted-topic_"


def check(name: str, kind: str) -> str:
    """Return ``name`` when it is a valid resource name of ``kind`` (topics, subscriptions, snapshots).

    Raises:
        ServiceError: INVALID_ARGUMENT otherwise.
    """
    parts = name.split("/")
    if len(parts) != 4 or parts[0] != "projects" or parts[2] != kind or not parts[1]:
        raise invalid(f"Invalid [{kind}] name: (name={name})")
    if not _ID.fullmatch(parts[3]) or parts[3].lower().startswith("goog"):
        raise invalid(
            f"Invalid resource name given (name={name}). Refer to "
            "https://cloud.google.com/pubsub/docs/pubsub-basics#resource_names for more information."
        )
    return name


def check_project(name: str) -> str:
    """Return ``name`` when it is ``projects/P``.

    Raises:
        ServiceError: INVALID_ARGUMENT otherwise.
    """
    if not _PROJECT.fullmatch(name):
        raise invalid(f"Invalid [projects] name: (name={name})")
    return name


def project_of(name: str) -> str:
    """Return ``projects/P`` of a resource's name."""
    return "/".join(name.split("/")[:2])
