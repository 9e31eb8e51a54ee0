"""What is generated from the definitions is up to date."""

from functions.kpi.pages import generated
from stockflow.settings import bundle_root


def test_the_generated_files_are_up_to_date() -> None:
    """Otherwise run ``python -m functions.kpi.pages``."""
    assert [name for name, text in generated().items() if (bundle_root() / name).read_text() != text] == []
