"""A command of more than two seconds shows on a terminal that it is at work, and leaves nothing of it behind."""

import io
import sys
import time

import pytest

from cli.patience import Patience


class Terminal(io.StringIO):
    """What a terminal was sent."""

    def isatty(self) -> bool:
        return True


def at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Have both streams go to one (not a fixture: pytest puts its own streams back before the test begins)."""
    found = Terminal()
    monkeypatch.setattr(sys, "stderr", found)
    monkeypatch.setattr(sys, "stdout", found)
    return found


def test_a_slow_command_shows_that_it_is_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = at_a_terminal(monkeypatch)
    with Patience(after=0.05):
        time.sleep(0.2)
    assert "working, 0 s ..." in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_a_quick_command_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = at_a_terminal(monkeypatch)
    with Patience(after=5):
        print("42")
    assert terminal.getvalue() == "42\n"


def test_what_the_command_says_stands_on_a_line_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The notice is erased before, and does not come back."""
    terminal = at_a_terminal(monkeypatch)
    with Patience(after=0.05):
        time.sleep(0.2)
        print("42")
        time.sleep(1.2)
    assert terminal.getvalue().endswith("...\r\x1b[K42\n")


def test_a_program_that_reads_the_command_sees_none_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """No terminal: the streams are as they were."""
    found = io.StringIO()
    monkeypatch.setattr(sys, "stderr", found)
    with Patience(after=0.01):
        assert sys.stderr is found
        time.sleep(0.1)
    assert found.getvalue() == ""
