"""Dataflow: Flex Templates are launched by the REST API, with the credentials that the other clients use.

Google's client library for it would be one more package in ``ingest``, for one request.
"""

from collections.abc import Mapping
from typing import Any

import google.auth
import requests
from google.auth.exceptions import TransportError
from google.auth.transport.requests import AuthorizedSession

from stockflow.errors import TransientError
from stockflow.settings import Settings

API = "https://dataflow.googleapis.com"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
SECONDS = 60
_THERE = 409  # an active job has that name


class Dataflow:
    """Launches jobs."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def launch(self, body: Mapping[str, Any]) -> bool:
        """Send a ``LaunchFlexTemplateRequest``; False when a job of that name is running already.

        Raises:
            TransientError: ``dataflow_unavailable`` for what the service cannot do now, ``launch_refused`` with the
                service's own words for anything else.
        """
        settings = self._settings
        base = settings.dataflow_endpoint or API
        url = f"{base}/v1b3/projects/{settings.project}/locations/{settings.location}/flexTemplates:launch"
        try:
            answer = self._session().post(url, json=dict(body), timeout=SECONDS)
        except (requests.RequestException, TransportError) as error:
            raise TransientError("dataflow_unavailable", f"Dataflow, launching a job: {error}") from error
        if answer.status_code == _THERE:
            return False
        if answer.status_code == requests.codes.too_many_requests or answer.status_code >= 500:
            raise TransientError("dataflow_unavailable", f"Dataflow, launching a job: {_words(answer)}")
        if not answer.ok:
            words = f"Dataflow refused to launch {settings.dataflow_template}: {_words(answer)}"
            raise TransientError("launch_refused", words, fault="load")
        return True

    def _session(self) -> requests.Session:
        if self._settings.dataflow_endpoint:  # a stand-in asks for no credentials
            return requests.Session()
        credentials, _ = google.auth.default(scopes=[SCOPE])
        session: requests.Session = AuthorizedSession(credentials)
        return session


def _words(answer: requests.Response) -> str:
    return f"HTTP {answer.status_code} {answer.text[:500]}"
