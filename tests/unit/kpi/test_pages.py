"""What is generated from the definitions is up to date."""

import pytest

from functions.kpi.pages import generated
from stockflow.settings import bundle_root

FILES = generated()


@pytest.mark.parametrize("name", FILES)
def test_the_generated_file_is_up_to_date(name: str) -> None:
    """Otherwise run ``python -m functions.kpi.pages``."""
    assert (bundle_root() / name).read_text() == FILES[name]
