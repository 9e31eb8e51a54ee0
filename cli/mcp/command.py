"""mcp: the server that an assistant starts."""

import sys
from dataclasses import dataclass

from cli import target
from cli.output import errors, quiet
from stockflow.services import Services


@dataclass
class _Kept:
    """The services of the last call: their clients are used again until the environment is another one."""

    services: Services | None = None

    def __call__(self) -> Services:
        now = target.services()
        if self.services is None or self.services.settings != now.settings:
            self.services = now
        return self.services


def mcp() -> None:
    """Serve the KPIs to an assistant: the Model Context Protocol on standard input and output. It only reads.

    An assistant starts it; docs/mcp.md says how it is registered. It asks the stack of this folder at each call, so the
    stack may start later; with --project, that Google Cloud project, with the rights of whoever runs it.

    Examples:

      stockflow mcp

      stockflow --project my-project mcp
    """
    from cli.mcp.server import server

    quiet()
    if sys.stderr.isatty():
        errors().print("serving on standard input and output; an assistant starts this, Ctrl-C ends it")
    server(_Kept()).run("stdio")
