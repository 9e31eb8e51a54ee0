"""Shared strings that a pattern reads are what an XML parser makes of them."""

import io
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.ingest.readers import xlsx_text, xml_events
from functions.ingest.readers.workbook_limits import Held
from functions.ingest.readers.xlsx_strings import _Strings, strings_of
from functions.ingest.readers.xml_events import XmlError, feed

GOOD = (
    "<si><t>SKU-1</t></si>", '<si><t xml:space="preserve"> é </t></si>', "<si><t/></si>", "<si/>", "<si><t></t></si>",
    "<si><t>R&amp;D &lt;3&gt; &quot;x&quot; &apos;</t></si>", "<si><t>&amp;lt; &#65; &#x20AC;</t></si>",
    "<si><t>a]b]]&gt;c</t></si>", "<si><t>_x0041__x000D_&amp;_xD800_</t></si>", "<si><t>a\r\nb\rc\nd\te</t></si>",
    "<si><r><t>in </t></r><r><rPr><b/></rPr><t>bold</t></r><rPh><t>said</t></rPh></si>", "\n <si><t>below</t></si>\r\n",
    "<si><t>one</t><t> two</t></si>", "<si ><t\n>wide</t></si>", "<!-- <si><t>no</t></si> -->",
    "<si><t>1 > 0!?</t></si>",
)  # fmt: skip
BAD = (
    "<si><t>\x01</t></si>", "<si><t>]]></t></si>", "<si><t>&foo;</t></si>", "<si><t>R&D</t></si>", "<si><t>a</si>",
    "<si><t>\uffff</t></si>", "</sst><si/>", "<!DOCTYPE x><si/>", "<si><t>\0</t></si>",
)  # fmt: skip
HEADS = (
    "<sst>", '<?xml version="1.0" encoding="UTF-8"?>\n<sst xmlns="a" count="3">', "\ufeff<sst>", "<sst count='3'>",
    "<!-- - --><sst>", "x<sst>",
)  # fmt: skip
strings = st.lists(st.sampled_from(GOOD) | st.sampled_from((*GOOD, *BAD)), max_size=6)


def strict(data: bytes) -> list[str]:
    found = _Strings(Held("x.xlsx", 10**6))
    for _ in feed([data], found):
        pass
    return found.found


@given(st.sampled_from(HEADS), strings, st.sampled_from(("</sst>", "", "</sst>x", "</sst>\n")), st.integers(30, 300))
def test_shared_strings_are_what_a_parser_makes_of_them(head: str, items: list[str], tail: str, part: int) -> None:
    data = (head + "".join(items) + tail).encode()
    said = []
    with patch.object(xml_events, "PART", part), patch.object(xlsx_text, "LONGEST", part * 2):
        for read in (lambda: strings_of(io.BytesIO(data), Held("x.xlsx", 10**6)), lambda: strict(data)):
            try:
                said.append(read())
            except XmlError:
                said.append([])
    assert said[0] == said[1]


def test_strings_that_are_not_utf_8_are_damage() -> None:
    with pytest.raises(XmlError, match="damaged"):
        strings_of(io.BytesIO(b"<sst><si><t>\xff</t></si></sst>"), Held("x.xlsx", 10**6))
