"""A text is read in the encoding that is declared, marked or proved; else in cp1252, and the doubt is noted."""

import io
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.ingest.readers import encoding
from functions.ingest.readers.decode import decode
from functions.ingest.readers.evidence import choose
from functions.ingest.readers.model import Facts, Target
from stockflow.errors import PermanentError
from tests.unit.ingest.reading import Reading, contracts, read

HEADER = "receipt_number,line_number,business_date,sku,location_code,quantity\n"
CP1252 = [bytes([b]).decode("cp1252") for b in range(128, 256) if bytes([b]).decode("cp1252", "ignore")]

FRENCH = "Pépinières du Rhône, Bêche à fleurs, Tondeuse électrique, râteau, brûleur, thermomètre"
POLISH = "Łopata ogrodowa, żółta piła ręczna, śruba ćwiartkowa, gwoździe, młotek, nożyce do żywopłotu"
CZECH = (
    "Zahradní lopata žlutá, ruční pila, křížový šroub, hřebíky, nůžky na živý plot, dřevěné kladivo, štětec, řezačka"
)
TURKISH = "Sarı küçük kürek, bahçe makası, çivi, çekiç, ağaç, şişe, fırça, yağlı boya, sulama kabı, ışık, düğme"
RUSSIAN = "Садовая лопата с деревянной ручкой для сада и огорода, молоток, гвозди"
GREEK = "Φτυάρι κήπου ξύλινη λαβή, πριόνι, καρφιά, σφυρί, ψαλίδι, βίδα"


def row(number: int, sku: str = "A") -> str:
    return f"R{number},1,2026-09-01,{sku},LYO,1\n"


def read_declared(data: bytes, declared: str, feed: str = "sales") -> Reading:
    contract = contracts()[feed]
    contract = replace(contract, properties={**contract.properties, "encoding": declared})
    facts, reading = Facts(), Reading()
    for chunk in decode(io.BytesIO(data), Target(contract, f"{feed}/x.csv"), facts, 10**9):
        reading.rows += chunk.batch.to_pylist() if chunk.batch is not None else []
        reading.rejects += chunk.rejects
    reading.facts = facts.values
    return reading


def chosen(text: str, code: str) -> str:
    return choose(text.encode(code), lambda _: 0).encoding


@pytest.mark.parametrize("sign", CP1252, ids=lambda c: f"{ord(c):04x}")
@pytest.mark.parametrize("sku", ["{}12", "A{}", "rouge{}noir", "5 {} 3", "L{}ETE"])
def test_each_character_of_cp1252_is_read_right_when_it_is_the_only_one(sign: str, sku: str) -> None:
    found = read((HEADER + row(1) + row(2, sku.format(sign)) + row(3)).encode("cp1252"))
    assert [r["sku"] for r in found.rows] == ["A", sku.format(sign), "A"]
    assert (found.facts["encoding"], found.facts["encoding_source"]) == ("cp1252", "assumed")
    assert found.facts["encoding_doubt"] == [f"{sign.encode('cp1252').hex()} {sign}".strip()]


@given(names=st.lists(st.text(st.sampled_from("abcXYZ 019£®™’“”°€½"), min_size=1, max_size=9), min_size=1, max_size=9))
@settings(max_examples=100, deadline=None)
def test_signs_however_many_are_never_taken_for_letters(names: list[str]) -> None:
    skus = [f"A{n}Z" for n in names]
    data = (HEADER + "".join(row(i, sku) for i, sku in enumerate(skus))).encode("cp1252")
    if not data.isascii():
        found = read(data)
        assert [r["sku"] for r in found.rows] == skus
        assert found.facts["encoding"] == "cp1252"


@pytest.mark.parametrize(
    "text",
    [
        FRENCH,
        "Größe Höhe Länge Stück Gerät Säge für Äxte Öl",
        "camión pequeño aquí también número ¿qué? ª º",
        "città però più così perché caffè qualità là università lunedì",
        "coração não ação pão maçã três você órgão",
        "Rød grøn brød sølv hjørne Køge sødt høj bøf løg tørv søm",
        "Träd högt bäst åäö Åre smörgås kött lök",
        "Íslensk þörf, það er blóm, hönd, ást, íþrótt, bréf, smjör, kjöt, skór, múr, ýsa, ær, æð",
        "LEGO™ Playmobil™ Barbie™ Bosch® Hilti® 10°C £12 “big” l’été ½ 5×3 Paris–Lyon un…deux",
        "Müller Grüße Köln; créé Hélène façade à la forêt; niño señor camión; città più; Ærø Åse",
    ],
)
def test_western_languages_are_cp1252_in_small_letters_and_capitals(text: str) -> None:
    assert chosen(text, "cp1252") == chosen(text.upper(), "cp1252") == "cp1252"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (FRENCH, "cp850"),
        (FRENCH, "mac_roman"),
        *[(POLISH, code) for code in ("cp1250", "iso8859_2", "cp852")],
        *[(CZECH, code) for code in ("cp1250", "iso8859_2", "cp852")],
        (TURKISH, "cp1254"),
        *[(RUSSIAN, code) for code in ("cp1251", "koi8_r", "cp866", "iso8859_5", "mac_cyrillic")],
        *[(RUSSIAN.lower(), code) for code in ("cp1251", "koi8_r", "cp866", "iso8859_5", "mac_cyrillic")],
        *[(GREEK, code) for code in ("cp1253", "iso8859_7", "cp737")],
        ("园艺铲子 木柄 黄色 手锯 螺丝 钉子 锤子 剪刀 软管\n" * 5, "gb18030"),
    ],
)
def test_words_that_only_one_other_encoding_explains_are_read_in_it(text: str, code: str) -> None:
    data = text.encode(code)
    assert data.decode(chosen(text, code)) == text


@pytest.mark.parametrize(("text", "code"), [("prix à côté", "mac_roman"), ("śruba", "cp1250"), ("Bêche", "cp850")])
def test_a_few_words_are_not_overwhelming_evidence(text: str, code: str) -> None:
    assert chosen(text, code) == "cp1252"


def test_evidence_for_another_encoding_is_noted_as_a_doubt() -> None:
    found = read((HEADER + "".join(row(i, w) for i, w in enumerate(POLISH.replace(",", "").split()))).encode("cp1250"))
    assert {r["sku"] for r in found.rows} >= {"ogrodowa", "piła"}
    assert (found.facts["encoding"], found.facts["encoding_source"]) == ("cp1250", "evidence")
    assert found.facts["encoding_confidence"] > 0.8
    assert "b3 ł" in found.facts["encoding_doubt"]


def test_unicode_and_ascii_leave_no_doubt() -> None:
    for data in (HEADER + row(1)).encode(), (HEADER + row(1, "é")).encode(), (HEADER + row(1, "é")).encode("utf-16"):
        assert "encoding_doubt" not in read(data).facts


@pytest.mark.parametrize("damage", [b"\xff\xff", b"\xa0\xa0", b"\xfe\xff", b"\xc3\x28"])
def test_damaged_bytes_are_never_blanks_without_a_word(damage: bytes) -> None:
    found = read((HEADER + row(1)).encode() + b"R2,1,2026-09-01,A" + damage + b",LYO,1\n")
    assert found.rows[1]["sku"] == "A" + damage.decode("cp1252")
    assert len(found.facts["encoding_doubt"]) == len({b for b in damage if b > 127})


@pytest.mark.parametrize("byte", [0x81, 0x8D, 0x8F, 0x90, 0x9D])
def test_a_byte_that_cp1252_does_not_have_rejects_its_line_only(byte: int) -> None:
    found = read((HEADER + row(1)).encode() + b"R2,1,2026-09-01,A" + bytes([byte]) + b",LYO,1\n" + row(3).encode())
    assert [r["line"] for r in found.rows] == [2, 4]
    assert [(r.line, r.code, f"A\\x{byte:02x}" in r.original_text) for r in found.rejects] == [
        (3, "undecodable_bytes", True)
    ]


@pytest.mark.parametrize(("code", "name"), [("utf-8", "utf-8"), ("cp1252", "cp1252")])
@pytest.mark.parametrize("accent", ["é", "€", "𝄞"])
def test_an_accent_that_ends_a_block_decides_as_any_other(
    code: str, name: str, accent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if code == "cp1252" and accent == "𝄞":
        pytest.skip("cp1252 has no such sign")
    text = HEADER + "".join(row(i) for i in range(50)) + row(0, f"B{accent}")
    data = text.encode(code)
    first = data.index(b"B" + accent.encode(code)) + 1
    for size in range(first, first + 4):
        monkeypatch.setattr(encoding, "BLOCK", size)
        found = read(data)
        assert (found.rows[-1]["sku"], found.rejects, found.facts["encoding"]) == (f"B{accent}", [], name)


def test_a_declared_encoding_is_taken_without_a_doubt() -> None:
    found = read_declared((HEADER + row(1, "Bêche")).encode("cp850"), "cp850")
    assert found.rows[0]["sku"] == "Bêche"
    assert (found.facts["encoding"], found.facts["encoding_source"]) == ("cp850", "declared")
    assert "encoding_doubt" not in found.facts


def test_a_byte_order_mark_says_more_than_the_contract() -> None:
    found = read_declared((HEADER + row(1, "Bêche")).encode("utf-8-sig"), "cp1252")
    assert found.rows[0]["sku"] == "Bêche"
    assert (found.facts["encoding"], found.facts["encoding_declared"]) == ("utf-8", "cp1252")


def test_a_declared_encoding_rejects_the_lines_it_cannot_read() -> None:
    found = read_declared((HEADER + row(1) + row(2, "é")).encode("cp1252"), "utf-8")
    assert [(r.line, r.code) for r in found.rejects] == [(3, "undecodable_bytes")]


@pytest.mark.parametrize("name", ["cp9999", "base64", "rot13"])
def test_a_declared_encoding_that_is_not_one_refuses_the_file(name: str) -> None:
    with pytest.raises(PermanentError) as refused:
        read_declared(HEADER.encode(), name)
    assert refused.value.code == "unknown_encoding"


@pytest.mark.parametrize("code", ["utf-8", "utf-16-le"])
@pytest.mark.parametrize("quote", ["", '"'])
def test_a_mark_in_the_middle_is_where_two_files_were_joined(code: str, quote: str) -> None:
    def line(text: str) -> str:
        return ",".join(f"{quote}{c}{quote}" for c in text.strip().split(",")) + "\n"

    text = line(HEADER) + line(row(1)) + "\ufeff" + line(HEADER) + line(row(2)) + "\ufeff" + line(row(3))
    found = read(("\ufeff" + text).encode(code))
    assert [(r["line"], r["receipt_number"]) for r in found.rows] == [(2, "R1"), (4, "R2"), (5, "R3")]
    assert [(r.line, r.code) for r in found.rejects] == [(3, "repeated_header")]


def test_a_mark_at_the_start_of_any_block_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    text = HEADER + "".join("\ufeff" + row(i) for i in range(30))
    whole: list[Any] = read(text.encode()).rows
    assert [r["receipt_number"] for r in whole] == [f"R{i}" for i in range(30)]
    for size in (80, 101, 137):
        monkeypatch.setattr(encoding, "BLOCK", size)
        assert read(text.encode()).rows == whole
