"""Sends the catalogue's requests to the Dataplex API, by REST, with the credentials of whoever runs it.

Google's client library would be one more package for one method.
"""

import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from cli.output import CommandError

API = "https://dataplex.googleapis.com"
ENDPOINT = "STOCKFLOW_DATAPLEX_ENDPOINT"  # a stand-in, which asks for no credentials
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
SECONDS = 30.0
TRIES, PAUSE = 4, 0.5
_LATER = (429, 500, 502, 503, 504)


@dataclass(frozen=True)
class Answer:
    """What the API said to one request: ``published``, ``missing`` (no table of that name yet) or ``refused``."""

    table: str
    state: str
    message: str = ""

    def shown(self) -> dict[str, str]:
        """Return it as a row."""
        return asdict(self)


def publish(requests: Iterable[Mapping[str, Any]]) -> list[Answer]:
    """Send each ``UpdateEntryRequest``; sent again, it changes nothing.

    Raises:
        CommandError: there are no credentials, or the API does not answer.
    """
    session, base = _session(), os.environ.get(ENDPOINT) or API
    return [_answer(request, _send(session, base, request)) for request in requests]


def _session() -> Any:
    import requests

    if os.environ.get(ENDPOINT):
        return requests.Session()
    import google.auth
    from google.auth.exceptions import DefaultCredentialsError
    from google.auth.transport.requests import AuthorizedSession

    try:
        credentials, _ = google.auth.default(scopes=[SCOPE])
    except DefaultCredentialsError as error:
        raise CommandError(f"no credentials ({error}): `gcloud auth application-default login` brings them") from error
    return AuthorizedSession(credentials)


def _send(session: Any, base: str, request: Mapping[str, Any]) -> Any:
    """Send one request, again after a moment when the API cannot do it now."""
    import requests
    from google.auth.exceptions import GoogleAuthError

    url = f"{base}/v1/{request['entry']['name']}"
    asked = {"updateMask": request["update_mask"], "aspectKeys": request["aspect_keys"]}
    for number in range(TRIES):
        try:
            answer = session.patch(url, params=asked, json=request["entry"], timeout=SECONDS)
        except (requests.RequestException, GoogleAuthError) as error:
            raise CommandError(
                f"{base} does not answer ({type(error).__name__}: {error})",
                "`stockflow catalog publish`, run again, sends all of it: what was sent stays the same",
            ) from error
        if answer.status_code not in _LATER or number == TRIES - 1:
            break
        time.sleep(PAUSE * 2**number)
    return answer


def _answer(request: Mapping[str, Any], answer: Any) -> Answer:
    dataset, _, table = request["entry"]["name"].partition("/datasets/")[2].partition("/tables/")
    name = f"{dataset}.{table}"
    if answer.ok:
        return Answer(name, "published")
    words = f"HTTP {answer.status_code} {_words(answer)}"
    return Answer(name, "missing" if answer.status_code == 404 else "refused", words)


def _words(answer: Any) -> str:
    try:
        return str(answer.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return str(answer.text[:200])
