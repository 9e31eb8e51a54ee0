"""The tree stays as small in its parts as it was."""

from scripts.sizes import LIMITS, measured, now, summary


def test_lines_branches_and_parameters_are_counted() -> None:
    body = ['"""Say."""', "if a:", "    for _ in b:", "        pass", "return a"]
    text = "\n".join(['"""A module."""', "", "", "def f(a, b=1):", *(f"    {line}" for line in body), ""])
    assert measured({"m": text}) == {
        "lines of a function": [5], "lines of a module": [9], "nesting": [2], "parameters": [2]
    }  # fmt: skip


def test_functions_and_modules_are_no_larger_than_agreed() -> None:
    """Median and 95th percentile; `python -m scripts.sizes COMMIT` shows then and now."""
    found = {what: summary(values)[:2] for what, values in measured(now()).items()}
    assert {what: f for what, f in found.items() if f[0] > LIMITS[what][0] or f[1] > LIMITS[what][1]} == {}
