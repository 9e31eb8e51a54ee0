"""What decides the result of ingest."""

from pathlib import Path

from stockflow.contracts import Contract
from stockflow.identity import code_version, stage_version


def version(contract: Contract) -> str:
    """Return the stage version of ingest for a feed: a hash of this code and of what it reads in the contract."""
    return stage_version(contract.reading, code_version(Path(__file__).resolve().parent))
