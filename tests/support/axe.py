"""What axe-core finds on a drawn page: what keeps a person with a keyboard or a screen reader from using it."""

from functools import cache
from importlib.metadata import files
from typing import Any

from selenium import webdriver

_RUN = "const done = arguments[0]; axe.run().then(r => done(r.violations)).catch(e => done(String(e)))"


@cache
def script() -> str:
    """Return axe-core's own script, as its package brings it."""
    (found,) = (f for f in files("axe-playwright-python") or () if f.name == "axe.min.js")
    return found.read_text(encoding="utf-8")


def findings(driver: webdriver.Chrome) -> list[str]:
    """Return what axe finds, each element with its rule and how to put it right."""
    driver.execute_script(script())
    found: list[Any] = driver.execute_async_script(_RUN)
    assert isinstance(found, list), found
    return [
        f"{v['id']} ({v['impact']}): {node['html'][:200]} {node['failureSummary']}"
        for v in found
        for node in v["nodes"]
    ]
