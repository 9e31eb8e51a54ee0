"""Text and codes without what programs put around and into them."""

import re
import unicodedata

# Control characters, soft hyphens, zero-width characters, direction marks and byte order marks: nobody sees them.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]+"
)
_BLANKS = re.compile("[ \t\n\x0b\f\r\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")


def to_text(value: str | None) -> str | None:
    """Return the text in composed characters (NFC), without unprintable ones and outer blanks, inner blanks made one.

    The shields that spreadsheets put around codes (``="..."`` and a leading apostrophe) are taken off.
    """
    if value is None:
        return None
    seen = unicodedata.normalize("NFC", _UNPRINTABLE.sub("", value))
    text = _BLANKS.sub(" ", seen).strip(" ")
    if text.startswith('="') and text.endswith('"') and len(text) >= 3:
        text = text[2:-1].strip(" ")
    if text.startswith("'"):
        text = text[1:].strip(" ")
    return text or None


def to_code(value: str | None) -> str | None:
    """Return the text in capitals."""
    text = to_text(value)
    return None if text is None else "".join(_upper(ch) for ch in text)


def _upper(ch: str) -> str:
    upper = ch.upper()
    return upper if len(upper) == 1 or ch == "ß" else ch
