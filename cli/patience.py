"""A command that takes long says so: on a terminal, until it writes something itself."""

import sys
import threading
import time
from typing import Any, TextIO

AFTER_SECONDS = 1.5
_ERASE = "\r\x1b[K"


class Patience:
    """Shows the seconds that a command has been at work, on standard error if that is a terminal."""

    def __init__(self, after: float = AFTER_SECONDS) -> None:
        self._after = after
        self._done = threading.Event()
        self._lock = threading.Lock()
        self._streams: tuple[TextIO, TextIO] = sys.stdout, sys.stderr
        self._shown = False

    def __enter__(self) -> None:
        if self._streams[1].isatty():
            sys.stdout, sys.stderr = (_Announced(stream, self.end) for stream in self._streams)
            threading.Thread(target=self._run, daemon=True).start()

    def __exit__(self, *_: object) -> None:
        self.end()
        sys.stdout, sys.stderr = self._streams

    def end(self) -> None:
        """Erase what is shown, for good: the command has something to say."""
        with self._lock:
            self._done.set()
            if self._shown:
                self._write(_ERASE)
            self._shown = False

    def _run(self) -> None:
        began = time.monotonic()
        pause = self._after
        while not self._done.wait(pause):
            pause = 1.0
            with self._lock:
                if not self._done.is_set():
                    self._write(f"{_ERASE}working, {time.monotonic() - began:.0f} s ...")
                    self._shown = True

    def _write(self, text: str) -> None:
        self._streams[1].write(text)
        self._streams[1].flush()


class _Announced:
    """A stream that tells before something is written to it."""

    def __init__(self, stream: TextIO, announce: Any) -> None:
        self._stream, self._announce = stream, announce

    def write(self, text: str) -> int:
        """Write to the stream."""
        self._announce()
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        if name in ("buffer", "writelines"):
            self._announce()
        return getattr(self._stream, name)
