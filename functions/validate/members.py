"""The files of a zip archive in what validation says of their rows. Pure."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
from pyarrow import compute as pc

from functions.validate.model import Judgement, Result
from stockflow.members import Members


def in_messages(members: Members, refused: pa.Table) -> pa.Table:
    """Return verdicts (see ``refused.SCHEMA``) whose messages begin with the file."""
    if not members.names or not len(refused):
        return refused
    places = np.searchsorted(np.array(members.ends), refused["row"].to_numpy())
    names = pa.array(members.names).take(pa.array(places))
    said = pc.binary_join_element_wise(names, refused["message"].cast(pa.string()), ": ")
    return refused.set_column(refused.schema.get_field_index("message"), "message", said)


def in_results(members: Members, judgement: Judgement) -> None:
    """Put the file into what the results say of single rows."""
    for result in judgement.results if members.names else ():
        _in_result(members, result)


def _in_result(members: Members, result: Result) -> None:
    if result.examples:
        result.observed += f" of {members.of_row(result.examples[0].row)}"
    result.examples = [replace(v, member=members.of_row(v.row)) for v in result.examples]
