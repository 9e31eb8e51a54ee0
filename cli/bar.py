"""A bar of what is done of a total; where no terminal shows it, a line now and then instead."""

import time
from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

EVERY_SECONDS = 10.0


class Bar(Progress):
    """What ``rich`` draws on a terminal, erased when it ends; elsewhere a line at most each ten seconds."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
        super().__init__(*columns, TimeElapsedColumn(), console=console, transient=True)
        self._clock = clock
        self._began = self._told = clock()

    def update(self, task_id: TaskID, **changes: Any) -> None:
        """Update a task, and say how far it is when it is time to."""
        super().update(task_id, **changes)
        now = self._clock()
        if not self.console.is_terminal and now - self._told >= EVERY_SECONDS:
            self._told = now
            task = next(t for t in self.tasks if t.id == task_id)
            done = f"{task.completed:.0f}/{task.total:.0f}" if task.total is not None else f"{task.completed:.0f}"
            self.console.print(f"{task.description} {done}, {now - self._began:.0f} s", markup=False)
