"""Imports of a client library without what is not needed to ask one question.

``Without`` leaves out optional packages that it takes along where they happen to be installed; ``Late`` puts off
modules that only some credentials need.
"""

import sys
import threading
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType


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


class Late:
    """Makes importing these modules wait until something is asked of them; for the imports of this thread."""

    def __init__(self, *names: str) -> None:
        self._names = frozenset(names)
        self._thread = threading.get_ident()

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return where a module is, to be loaded when it is first used; None for others."""
        if name not in self._names or self._thread != threading.get_ident():
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = LazyLoader(spec.loader)
        return spec

    def __enter__(self) -> None:
        sys.meta_path.insert(0, self)

    def __exit__(self, *_: object) -> None:
        sys.meta_path.remove(self)


# The keys of service accounts, and with them all of cryptography: a fifth of what the clients import. Emulators ask for
# no credentials; those of a person or of an instance load it when the first request is signed.
SIGNING = "google.oauth2.service_account"
