"""How far a command is: in a log it is said now and then, in lines."""

import io

from rich.console import Console

from cli.bar import Bar


def test_without_a_terminal_a_line_says_how_far_it_is_each_ten_seconds() -> None:
    times = iter([0.0, 1.0, 10.5, 11.0, 21.0])
    said = io.StringIO()
    shown = Bar(Console(file=said), lambda: next(times))
    task = shown.add_task("files processed", total=41)
    for done in range(1, 5):
        shown.update(task, completed=done, description=f"kpi {done}")
    assert said.getvalue() == "kpi 2 2/41, 10 s\nkpi 4 4/41, 21 s\n"
