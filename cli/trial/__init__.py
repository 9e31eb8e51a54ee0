"""How a file would be read and judged, without a stack: the readers of ingest and the rules of validate."""
