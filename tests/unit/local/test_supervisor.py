"""What a supervisor refuses to start."""

from pathlib import Path

from local.state import open_stack, read_status
from local.supervisor import Supervisor


def test_data_of_an_earlier_version_is_named_with_the_remedy(tmp_path: Path) -> None:
    """Nothing is started on it: a stack without its tables would look like one that lost them."""
    stack = open_stack(tmp_path)
    (tmp_path / "bigquery" / "demo.ducklake").touch()
    assert Supervisor(stack).run() == 1
    status = read_status(tmp_path)
    assert status is not None and status.state == "failed"
    assert "demo.ducklake" in status.message and "stockflow down --purge" in status.message
