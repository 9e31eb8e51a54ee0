"""Cells that say nothing: blank, a database's or a person's word for "no value", an ERP's "no date"."""

import re

from stockflow.values.text import to_text

TYPED = frozenset({"number", "integer", "date", "timestamp"})
WORD = "word"
_NO_VALUE = r"null|\\n|n/a|n\.a\.|none|nil|-+|[–—]|[(<\[](?:null|blank|empty|none|vide)[)>\]]"
_NULL_WORD = re.compile(f"(?i:{_NO_VALUE})")
_NULL_CELL = re.compile(f"(?i:{_NO_VALUE}|na)")
_ZEROS = re.compile("[0.:/ T-]+")
# The lowest or highest day of SAP, SQL Server, .NET, Excel and others, with any time behind it.
_NO_DATE = re.compile(
    r"(?:0001[-/.]?0?1[-/.]?0?1|1753[-/.]?0?1[-/.]?0?1|1899[-/.]?12[-/.]?3[01]|1900[-/.]?0?1[-/.]?0?[01]"
    r"|2999[-/.]?12[-/.]?31|9999[-/.]?12[-/.]?3[01]"
    r"|0?1[-/.]0?1[-/.](?:0001|1753)|0?[01][-/.]0?[01][-/.]1900"
    r"|(?:3[01][-/.]12|12[-/.]3[01])[-/.](?:1899|9999)|(?:31[-/.]12|12[-/.]31)[-/.]2999)"
    r"(?:[0-9]{6}|(?:T|,? )[0-9:.,]+(?: ?[AaPp]\.?[Mm]\.?)?(?: ?(?:Z|UTC|GMT|[+-][0-9:]+))?)?"
)


def is_blank(value: str | None, kind: str = "string") -> bool:
    """Whether a cell says nothing.

    ``kind`` is a logical type, or ``word`` for a column of a closed vocabulary (a unit, a currency, a status). In
    numbers and dates ``NULL``, ``\\N``, ``N/A``, ``NA``, ``-`` and their like are blank; in words all of them but
    ``NA`` (a country, a warehouse); in free text and codes nothing but blanks is. Spreadsheet errors (``#N/A``)
    are never blank: somebody meant a value. An ERP's lowest or highest date is "no date".
    """
    text = to_text(value)
    if text is None:
        return True
    if kind == WORD:
        return bool(_NULL_WORD.fullmatch(text))
    if kind not in TYPED:
        return False
    return bool(_NULL_CELL.fullmatch(text)) or (kind in {"date", "timestamp"} and is_no_date(text))


def is_no_date(text: str) -> bool:
    """Whether a cleaned text is zeros, or the day that an ERP writes where it has none."""
    return bool(_ZEROS.fullmatch(text) or _NO_DATE.fullmatch(text))


def to_word(value: str | None) -> str | None:
    """Return the text of a cell of a closed vocabulary; None for the words that mean "no value"."""
    return None if is_blank(value, WORD) else to_text(value)
