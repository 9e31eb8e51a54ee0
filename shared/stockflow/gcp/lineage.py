"""Lineage: OpenLineage events over REST, to Google's Data Lineage API or to an endpoint such as Marquez."""

from collections.abc import Mapping
from typing import Any

import google.auth
import requests
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import AuthorizedSession

from stockflow.errors import TransientError
from stockflow.settings import Settings

API = "https://datalineage.googleapis.com"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
SECONDS = 10.0


class Lineage:
    """Sends events to ``lineage_url``: where that names ``datalineage``, in the form of Google's API."""

    def __init__(self, settings: Settings) -> None:
        base, self._session = settings.lineage_url.rstrip("/"), _session(settings.lineage_url)
        place = f"projects/{settings.project}/locations/{settings.location}:processOpenLineageRunEvent"
        self.is_google = "datalineage" in base
        self._url = f"{base}/v1/{place}" if self.is_google else f"{base}/api/v1/lineage"

    def send(self, event: Mapping[str, Any], request_id: str) -> None:
        """Send an event; the same ``request_id`` again counts once.

        Raises:
            TransientError: ``lineage_unavailable``: it is to be sent again.
            ValueError: it was refused.
        """
        asked = {"requestId": request_id} if self.is_google else {}
        try:
            answer = self._session.post(self._url, params=asked, json=dict(event), timeout=SECONDS)
        except (requests.RequestException, GoogleAuthError) as error:
            raise TransientError("lineage_unavailable", f"{self._url}: {type(error).__name__}") from error
        words = f"{self._url}: HTTP {answer.status_code} {answer.text[:200]}"
        if answer.status_code in (401, 403, 429) or answer.status_code >= 500:
            raise TransientError("lineage_unavailable", words)
        if not answer.ok:
            raise ValueError(words)


def _session(url: str) -> requests.Session:
    if not url.startswith(API):
        return requests.Session()
    credentials, _ = google.auth.default(scopes=[SCOPE])
    session: requests.Session = AuthorizedSession(credentials)
    return session
