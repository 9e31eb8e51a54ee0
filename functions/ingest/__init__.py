"""ingest: a landed object becomes rows in ``inventory_raw`` and rejects, once, with every value as written."""
