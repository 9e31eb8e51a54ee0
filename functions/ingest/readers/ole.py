"""One stream out of an OLE compound file, as XLS workbooks are."""

import struct

_END = 0xFFFFFFFA  # sector numbers from here on are marks
_ROOT, _STREAM = 5, 2


class Compound:
    """An OLE file in memory."""

    def __init__(self, data: bytes) -> None:
        """Read the tables.

        Raises:
            ValueError, struct.error, IndexError: when the file is damaged.
        """
        self._data = data
        shift, small = struct.unpack_from("<HH", data, 30)
        if shift not in {9, 12} or small != 6:
            raise ValueError("sectors of an unknown size")
        self._size = 1 << shift
        first_directory, self._cutoff = struct.unpack_from("<I4xI", data, 48)
        first_small, self._next = struct.unpack_from("<I", data, 60)[0], self._table()
        self._next_small = _numbers(self._chain(first_small))
        self._entries = self._chain(first_directory)
        self._small = b""

    def stream(self, *names: str) -> bytes:
        """Return the first stream that has one of the names.

        Raises:
            KeyError: when there is none.
        """
        for place in range(0, len(self._entries) - 127, 128):
            entry = self._entries[place : place + 128]
            length, kind = struct.unpack_from("<HB", entry, 64)
            start, size = struct.unpack_from("<II", entry, 116)
            if kind == _ROOT:
                self._small = self._chain(start)
            if kind == _STREAM and entry[: max(0, length - 2)].decode("utf-16-le", "replace") in names:
                return (self._small_chain(start) if size < self._cutoff else self._chain(start))[:size]
        raise KeyError(names[0])

    def _sector(self, number: int) -> bytes:
        start = (number + 1) * self._size
        return self._data[start : start + self._size]

    def _table(self) -> tuple[int, ...]:
        sectors = list(struct.unpack_from("<109I", self._data, 76))
        more, count = struct.unpack_from("<II", self._data, 68)
        for _ in range(min(count, len(self._data) // self._size)):
            *part, more = _numbers(self._sector(more))
            sectors += part
        return _numbers(b"".join(self._sector(s) for s in sectors if s < _END))

    def _chain(self, number: int) -> bytes:
        parts = []
        while number < _END:
            parts.append(self._sector(number))
            number = self._next[number]
            if len(parts) > len(self._next):
                raise ValueError("a chain of sectors that never ends")
        return b"".join(parts)

    def _small_chain(self, number: int) -> bytes:
        parts = []
        while number < _END:
            parts.append(self._small[number * 64 : number * 64 + 64])
            number = self._next_small[number]
            if len(parts) > len(self._next_small):
                raise ValueError("a chain of sectors that never ends")
        return b"".join(parts)


def _numbers(data: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(data) // 4}I", data[: len(data) // 4 * 4])
