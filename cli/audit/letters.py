"""Dead letters: each one is about a load whose trouble is on record."""

from collections.abc import Iterator

from cli.audit.counts import Break, Records
from cli.deadletters import read, release
from stockflow.services import Services

_TROUBLES = """
SELECT DISTINCT load_id FROM inventory_ops.stage_attempts
WHERE landed_on >= DATE '2000-01-01' AND event != 'began'
"""


def dead_letters(ledger: Records, services: Services) -> Iterator[Break]:
    """Each dead letter has a reason: its load ended, or an attempt at it says why it failed."""
    letters = read(services)
    try:
        known = {row["load_id"] for row in services.warehouse.query(_TROUBLES)} if letters else set()
        for letter in letters:
            if letter.load_id not in known and letter.load_id not in ledger:
                yield Break(letter.load_id or "", f"a reason for a dead letter of {letter.subscription}", letter.what)
    finally:
        release(letters, services)
