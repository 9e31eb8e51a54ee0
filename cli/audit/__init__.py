"""audit: proves that nothing was lost and nothing doubled."""

from cli.audit.command import audit, check

__all__ = ["audit", "check"]
