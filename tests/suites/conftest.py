"""What the tests of public suites share."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.suites.registry import fetched


@pytest.fixture(scope="session")
def suite() -> Callable[[str], Path]:
    """Return what gives the folder of a suite; a test is skipped, and says so, when it cannot be fetched."""

    def folder(name: str) -> Path:
        try:
            return fetched(name)
        except OSError as error:
            pytest.skip(f"the public suite {name} was not run: it cannot be fetched ({error})")

    return folder
