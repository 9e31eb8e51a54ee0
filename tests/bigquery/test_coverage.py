"""No SQL passes the analyzer by: what stands in the tree is part of what was analysed, or is analysed alone."""

import re
from functools import cache

from cli.googlesql.catalogue import faults
from cli.googlesql.project import project
from tests.bigquery.built import BUILT
from tests.bigquery.discovery import Fragment, fragments, in_python, plain
from tests.bigquery.recorder import Statement, typed_parameters

_NAMED_BY_KPI = re.compile(r"@(\w+?)__\w+")  # in a script of several KPIs each parameter carries the name of its KPI


@cache
def built() -> str:
    """The text of everything that code builds (``test_statements`` has it analysed)."""
    texts = []
    for group in BUILT.values():
        try:
            texts += [statement.sql for statement in group()]
        except Exception:  # test_statements tells why; here, its pieces are missing
            continue
    return plain(_NAMED_BY_KPI.sub(r"@\1", "\n;;\n".join(texts)))


def unreached(found: list[Fragment], texts: str) -> list[Fragment]:
    """Return the pieces that no analysed text holds and that do not stand alone."""
    return [f for f in found if not f.stands_alone and not f.is_in(texts)]


def test_every_piece_of_sql_is_analysed() -> None:
    """Given every .sql file and every string of SQL in Python, then each is in a statement that was analysed."""
    lost = [f"{f.source}: {f.pieces[0].strip()[:80]}..." for f in unreached(fragments(), built())]

    assert not lost, "build them in tests/bigquery/built.py:\n" + "\n".join(lost)


def test_strings_that_stand_alone_are_valid() -> None:
    """Given statements that no group builds, when each is analysed by itself, then the analyzer refuses none."""
    wrong = [
        f"{f.source}: {fault.message} (line {fault.line})"
        for f in fragments()
        if f.stands_alone and not f.is_in(built())
        for fault in _faults(f.statement())
    ]

    assert not wrong, "\n".join(wrong)


def _faults(statement: Statement) -> list:
    return faults(statement.sql, project().catalogue, typed_parameters(statement))


def test_new_sql_that_nobody_builds_is_found() -> None:
    """Given a module with a new statement of pieces, when the tree is searched, then it is named as not reached."""
    module = 'def f(where):\n    return f"SELECT MIN(load_id) FROM inventory_ops.loads WHERE {where} GROUP BY feed"\n'

    (found,) = unreached(list(in_python("new.py", module)), built())

    assert found.source == "new.py:2"


def test_words_are_not_sql() -> None:
    """Given a docstring and a message, when a module is searched, then neither is taken for SQL."""
    module = '"""SELECT a FROM b, told."""\nraise ValueError("expected one SELECT, found MERGE")\n'

    assert not list(in_python("words.py", module))
