"""One page of a list. Pure."""

from collections.abc import Sequence
from typing import Any

from local.pubsub.errors import invalid

_LARGEST = 1_000


def page(items: Sequence[Any], request: Any) -> tuple[list[Any], str]:
    """Return the page that a request asks for, and the token of the next; a token is the place to go on at."""
    if request.page_size < 0:
        raise invalid(f"The value for page_size is too small. You passed {request.page_size} in the request.")
    token = request.page_token or "0"
    if not (token.isascii() and token.isdigit()):
        raise invalid(f"Invalid page token given (page_token={token}).")
    start, size = int(token), min(request.page_size or _LARGEST, _LARGEST)
    following = str(start + size) if start + size < len(items) else ""
    return list(items[start : start + size]), following
