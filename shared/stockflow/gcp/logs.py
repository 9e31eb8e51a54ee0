"""Cloud Logging: one JSON object a line, which the functions' runtime picks up from the stream."""

import logging

from google.cloud.logging_v2.handlers import StructuredLogHandler


def structured_logger(name: str, project: str) -> logging.Logger:
    """Return a logger that writes Cloud Logging's own JSON to standard error, and nothing else."""
    logger = logging.getLogger(name)
    if not logger.handlers:
        logger.addHandler(StructuredLogHandler(project_id=project))
        logger.setLevel(logging.INFO)
        logger.propagate = False
    return logger
