"""Which of these tests are slow: `make test-unit` leaves them to `make test-slow`."""

from pathlib import Path

import pytest

# Modules that start processes or a database, or try thousands of examples: each takes over two seconds of a processor.
SLOW = {
    "cli/test_kpi_known.py", "cli/test_kpi_order_lines.py", "cli/test_kpi_parts.py", "cli/test_lazy.py",
    "cli/test_mcp.py", "cli/test_openlineage.py", "cli/test_provision.py", "cli/test_simulate.py",
    "ingest/test_dialects.py", "ingest/test_folded.py", "ingest/test_fuzz.py", "ingest/test_json_runs.py",
    "ingest/test_json_values.py", "ingest/test_receipts.py", "ingest/test_round_trip.py", "ingest/test_sandbox.py",
    "ingest/test_sheets_twice.py", "ingest/test_workbook_limits.py", "kpi/test_by_hand.py",
    "kpi/test_customer_fill_rate.py", "kpi/test_examples.py",
    "kpi/test_missing_sales.py", "kpi/test_rules.py", "kpi/test_value_bridge.py",
    "kpi/test_weeks_of_supply_forward.py", "kpi/test_xyz_class.py", "scripts/test_watch.py", "shared/test_log.py",
    "test_data_quality_view.py", "test_imports.py", "test_newest_day_views.py", "transform/test_customer_orders.py",
    "transform/test_unvalued.py", "validate/test_date_order.py", "validate/test_judge.py", "validate/test_jumps.py",
    "validate/test_plain_rules.py", "validate/test_together.py",
}  # fmt: skip
_HERE = Path(__file__).parent


def pytest_configure(config: pytest.Config) -> None:
    """Refuse a name that no module has."""
    gone = sorted(name for name in SLOW if not (_HERE / name).is_file())
    if gone:
        raise pytest.UsageError(f"{__file__}: SLOW names what is not there: {', '.join(gone)}")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave the modules unread that `-m slow` or `-m "not slow"` would leave out: reading them takes seconds, too."""
    wanted = {"slow": True, "not slow": False}.get(config.option.markexpr)
    if wanted is None or collection_path.suffix != ".py":
        return None
    return (collection_path.relative_to(_HERE).as_posix() in SLOW) != wanted or None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of slow modules."""
    for item in items:
        if item.path.is_relative_to(_HERE) and item.path.relative_to(_HERE).as_posix() in SLOW:
            item.add_marker("slow")
