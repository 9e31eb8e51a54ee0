"""What is said of bytes that are no text is valid text itself: the ledger keeps it."""

import json
from dataclasses import asdict

import pytest

from stockflow.errors import PermanentError
from tests.unit.ingest.reading import read

ISA = b"ISA*00*          *00*          *ZZ*NORDTEX        *ZZ*SHOP           *260901*1430*^*00501*000000042*0*P*>~"
HEAD = ISA + b"GS*PD*A*B*20260901*1430*7*X*005010~ST*852*0001~XQ*H*20260901~N1*SN*X*92*N01~"
TAIL = b"GE*1*7~IEA*1*000000042~"


def valid(values: dict[str, object]) -> bool:
    return bool(json.dumps(values, ensure_ascii=False, default=str).encode())


@pytest.mark.parametrize(
    "file",
    [
        HEAD + b"LIN**SK*A~ZA*QS*1*EA~SE*\x81*0001~" + TAIL,  # a count
        HEAD + b"SE*4*\x811~" + TAIL,  # a number
        HEAD.replace(b"*852*", b"*8\x812*") + b"SE*4*0001~" + TAIL,  # a kind of message
        b"UNB+UNOC:3+A:14+B:14+260707:2216+77'UNH+1+SL\x81RPT:D:96A:UN'UNT+2+1'UNZ+1+77'".replace(b"C:", b"A:", 1),
        b"UNB+UNOA:3+A:14+B:14+260707:2216+77'UNH+1+SLSRPT:D:96A:UN'UNT+\x81+1'UNZ+1+77'",
    ],
)
def test_an_error_about_bytes_that_are_no_text_is_text(file: bytes) -> None:
    with pytest.raises(PermanentError) as refused:
        read(file, "sales", "sales/x.edi")
    assert valid({"message": refused.value.message, **refused.value.facts})


def test_notes_and_rejects_about_bytes_that_are_no_text_are_text() -> None:
    items = b"LIN**SK*A~ZA*QS*1*EA~ZA*Q\x81*2*EA~LIN**SK*B~ZA*QS*1*EA~ZA*QS*\x81*EA~LIN**SK*C~ZA*QS*1*EA~SE*12*0001~"
    found = read(HEAD + items + TAIL, "sales", "sales/x.edi")
    assert len(found.rejects) == 2 and all(valid(asdict(r)) for r in found.rejects)
    assert valid(found.facts)


@pytest.mark.parametrize("count", ["³", "①"])
def test_a_sign_that_is_only_like_a_digit_is_not_a_count(count: str) -> None:
    for file in (
        HEAD + b"SE*" + count.encode() + b"*0001~" + TAIL,
        HEAD + b"CTT*" + count.encode() + b"~SE*5*0001~" + TAIL,
    ):
        with pytest.raises(PermanentError, match="control_totals"):
            read(file, "sales", "sales/x.edi")


HEADED = [
    HEAD.replace(b"*N01~", b"*N\x811~") + b"LIN**SK*A~ZA*QS*1*EA~SE*6*0001~" + TAIL,
    b"UNB+UNOC:3+A:14+B:14+260707:2216+77'UNH+1+SLSRPT:D:96A:UN'LOC+162+L\x81O::92'DTM+356:20260707:102'"
    b"LIN+1++400:EN'QTY+153:1:PCE'UNT+6+1'UNZ+1+77'",
]


@pytest.mark.parametrize("file", HEADED)
def test_a_place_that_is_not_text_costs_the_items_of_its_message(file: bytes) -> None:
    """The place stands in the head, so that no item of the message has one."""
    with pytest.raises(PermanentError, match="the head of its message has bytes"):
        read(file, "sales", "sales/x.edi")


@pytest.mark.parametrize("encoding", ["UTF-9", "big5", "hex"])
def test_xml_in_an_encoding_that_nobody_reads_is_refused(encoding: str) -> None:
    """UTF-9 does not exist, big5 has more than a byte a character, hex is no text."""
    file = f'<?xml version="1.0" encoding="{encoding}"?><InventoryReport/>'.encode()
    with pytest.raises(PermanentError) as refused:
        read(file, "stock_snapshots", "stock_snapshots/x.xml")
    assert refused.value.code == "corrupt_xml"
    assert "an encoding that cannot be read" in refused.value.message
