"""One shop for all tests of backfills."""

from collections.abc import Iterator

import pytest

from tests.composer.shop import Shop, open_shop
from tests.support.stack import Emulators


@pytest.fixture(scope="package")
def shop(emulators: Emulators) -> Iterator[Shop]:
    """A month of a shop; its environment ends with these tests, so that no other test is in it."""
    with open_shop(emulators) as ready:
        yield ready
