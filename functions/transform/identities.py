"""The identity of a ledger record, as SQL: what ``StageRecord.record_id`` derives from the same facts."""


def record_id(load: str, version: str, state: str, finished_at: str) -> str:
    """Return the expression for a transform record; the arguments, except ``state``, are SQL expressions."""
    # as Python writes a time: without a fraction when that is zero
    finished = f"REGEXP_REPLACE(FORMAT_TIMESTAMP('%FT%H:%M:%E6S+00:00', {finished_at}), r'[.]000000', '')"
    parts = ["'9:transform'", _part(version), f"'{len(state)}:{state}'", _part(finished)]
    return f"SUBSTR(TO_HEX(SHA256(CONCAT({_part(load)}, {', '.join(parts)}))), 1, 20)"


def _part(text: str) -> str:
    return f"CAST(LENGTH({text}) AS STRING), ':', {text}"
