"""Serves the dashboard: ``python -m local.dashboard --server.port 8501``, with the options of ``streamlit run``.

What the first page shows is read as soon as the server starts, so that nobody waits for it.
"""

import gc
import sys
from contextlib import suppress
from pathlib import Path
from threading import Thread

from streamlit.web import cli

_APP = Path(__file__).with_name("app.py")
# Streamlit looks at the files of all modules all the time otherwise, to run a page again when one is edited.
_UNWATCHED = ("--server.fileWatcherType", "none")


def main() -> None:
    """Read what the first page shows, aside; serve."""
    Thread(target=_read_ahead, daemon=True).start()
    cli.main(["run", str(_APP), *_UNWATCHED, *sys.argv[1:]])


def _read_ahead() -> None:
    from local.dashboard import changed_page, filters, kpi_page, overview, quality_page, readings, source  # noqa: F401

    with suppress(readings.UnavailableError):  # the page itself says what is wrong
        content, _ = source.opened()
        if content.bounds:
            overview.figures(content, filters.untouched(content))
    gc.freeze()  # Streamlit collects garbage after each page that it draws: what is there now stays


if __name__ == "__main__":
    main()
