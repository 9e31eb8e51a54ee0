"""What a workbook may make its reader hold. A small file can unpack to a lot: it is counted before it is kept."""

import sys

from stockflow.errors import PermanentError

STRINGS_SHARE = 0.5  # of the memory of the reading process: the rest is for the rows of a batch
MAX_ROWS, MAX_COLUMNS = 1_048_576, 16_384  # of a sheet: no spreadsheet writes more
MAX_SHEETS = 1_000
MAX_STYLES = 65_536  # Excel writes no more (64,000 cell formats)
MAX_RELATIONS = 20_000
MAX_MERGES = 200_000
MAX_SETTINGS = 100  # elements of which a workbook has one
_POINTER = 8


def too_much(name: str, found: str, takes: str, **facts: int) -> PermanentError:
    """Return the error of a workbook that holds more of something than is kept in memory."""
    return PermanentError(
        "too_large_for_function",
        f"{name} has {found}; one function call takes {takes}. Save the sheet with the data as CSV, or split the file",
        **facts,
    )


class Held:
    """Counts the memory of the shared strings while they are read."""

    def __init__(self, name: str, memory_bytes: int) -> None:
        self._name = name
        self._limit = int(memory_bytes * STRINGS_SHARE)
        self._bytes = self._strings = 0

    def keep(self, text: str) -> None:
        """Count a string that is kept.

        Raises:
            PermanentError: ``too_large_for_function``.
        """
        self._strings += 1
        self._bytes += sys.getsizeof(text) + _POINTER
        self.check(0)

    def check(self, characters: int) -> None:
        """See that what is kept and the characters of the string that is being read are within the limit."""
        if self._bytes + characters > self._limit:
            raise too_much(
                self._name,
                f"shared strings that take more memory than that ({self._strings:,} of them were read)",
                f"{self._limit:,} bytes of shared strings",
                limit=self._limit,
                strings=self._strings,
            )


def check_count(name: str, what: str, count: int, most: int) -> None:
    """See that a workbook has no more of something than is kept.

    Raises:
        PermanentError: ``too_large_for_function``.
    """
    if count > most:
        raise too_much(name, f"more than {most:,} {what}", f"{most:,} of them", limit=most)
