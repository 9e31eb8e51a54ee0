"""How many bytes a row has by BigQuery's own count, from the schemas of the project."""

from collections.abc import Iterable, Mapping

from stockflow.contracts import Contract

# https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#data_type_sizes
_BYTES = {
    "INT64": 8, "FLOAT64": 8, "NUMERIC": 16, "BIGNUMERIC": 32, "BOOL": 1, "DATE": 8, "TIMESTAMP": 8, "DATETIME": 8,
    "TIME": 8,
}  # fmt: skip
_TEXT = 2  # beside the UTF-8 bytes of a STRING
# Average bytes of the texts whose length is not that of a code: measured on the sample month (see the test).
_LONG = {
    "object": 40, "bucket": 25, "message": 30, "detail": 300, "content_md5": 24, "original_row": 250, "expected": 30,
    "original_text": 80, "load_id": 20, "_load_id": 20, "_run_id": 32, "run_id": 32, "raw_run_id": 32,
    "record_id": 20, "input_record": 20, "stage_version": 16, "attempt_id": 32,
}  # fmt: skip
CODE = 8  # bytes of any other text that is filled
# Half of a contract's optional columns are filled by a sender; NULL has no bytes.
FILLED = 0.5

Schema = Iterable[Mapping[str, str]]


def row_bytes(schema: Schema, contract: Contract | None = None, only: frozenset[str] | None = None) -> float:
    """Return the average logical bytes of a row; ``only`` these columns of it.

    ``contract`` says which columns are optional: those count for half.
    """
    optional = {c.name for c in contract.columns if not c.required} if contract else set()
    wanted = [c for c in schema if only is None or c["name"] in only]
    return sum(_width(c) * (FILLED if c["name"] in optional else 1) for c in wanted)


def _width(column: Mapping[str, str]) -> float:
    if column["type"] in _BYTES:
        return _BYTES[column["type"]]
    return _TEXT + _LONG.get(column["name"], CODE)
