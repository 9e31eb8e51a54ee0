"""Imports without the optional packages that a client library takes along where they happen to be installed."""

import sys
import threading


class Without:
    """Makes importing these modules fail as where they are not installed.

    As a context manager for the imports of this thread, in ``sys.meta_path`` for the whole process. (None in
    ``sys.modules`` would do, too, but makes pyarrow stumble.) Modules that were imported before stay.
    """

    def __init__(self, *names: str) -> None:
        self._names = frozenset(names)
        self._thread: int | None = None

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> None:
        """Refuse the modules, and leave everything else to the next finder.

        Raises:
            ModuleNotFoundError: for what is left out.
        """
        if name in self._names and self._thread in (None, threading.get_ident()):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    def __enter__(self) -> None:
        self._thread = threading.get_ident()
        sys.meta_path.insert(0, self)

    def __exit__(self, *_: object) -> None:
        sys.meta_path.remove(self)
