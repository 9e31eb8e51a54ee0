"""One shop for all tests of backfills."""

from collections.abc import Iterator

import pytest

from tests.composer.shop import Shop, open_shop
from tests.support.stack import Emulators


@pytest.fixture(scope="session")
def shop(emulators: Emulators) -> Iterator[Shop]:
    """A month of a shop."""
    with open_shop(emulators) as ready:
        yield ready
