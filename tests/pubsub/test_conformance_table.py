"""The table in the docs says what the suite tests."""

import re

from tests.pubsub.conformance_table import DOCUMENT, MODULES, behaviours

_ROW = re.compile(r"^\| (.+) \| (yes|NO) \| (yes|no: .+) \|$", re.MULTILINE)


def test_the_table_is_up_to_date() -> None:
    """Every behaviour has its line, ours shows all of them, and Google's differences are the ones that are marked.

    When this fails: python -m tests.pubsub.conformance_table
    """
    rows = _ROW.findall(DOCUMENT.read_text(encoding="utf-8"))
    wanted = [b for module in MODULES for b in behaviours(module)]
    assert [title for title, _, _ in rows] == [b.title for b in wanted]
    assert {ours for _, ours, _ in rows} == {"yes"}
    assert [google for _, _, google in rows] == [f"no: {b.differs}" if b.differs else "yes" for b in wanted]
