"""Scripts that ran to their end in this process.

Of any other record of a transform nobody knows whether the script that committed it lived to look at the drains beside
it: its loads are transformed once more when they are delivered again.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable

MOST = 50_000


class Ended:
    """The records of the last scripts that ended well; safe to use from several threads."""

    def __init__(self, most: int = MOST) -> None:
        self._most, self._lock = most, threading.Lock()
        self._records: OrderedDict[str, None] = OrderedDict()

    def note(self, records: Iterable[str]) -> None:
        """Remember what a script recorded; the oldest are forgotten."""
        with self._lock:
            self._records.update(dict.fromkeys(records))
            while len(self._records) > self._most:
                self._records.popitem(last=False)

    def __contains__(self, record: object) -> bool:
        """Whether the script of this record ended well, as far as this process knows."""
        with self._lock:
            return record in self._records


ENDED = Ended()
