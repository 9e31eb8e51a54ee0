"""What a file's reading left in doubt: each with its reason and the command that settles it."""

import json
from typing import Any

import pytest

from cli.texts import speaking
from local.dashboard import doubts
from stockflow.values.formats import CONTRACT, MARK, ORDER, Doubt

NUMBERS = Doubt(MARK, 3, ".", CONTRACT, (("1,045", "1.045", "1045"),))
DATES = Doubt(ORDER, 1, "dmy", CONTRACT, (("05/06/2026", "2026-06-05", "2026-05-06"),))


def load(ingest: dict[str, Any] | None = None, ambiguous: tuple[Doubt, ...] = ()) -> dict[str, Any]:
    judged = json.dumps({"ambiguous": [str(doubt) for doubt in ambiguous]})
    return {"object": "sales/acme/x.csv", "feed": "sales", "ingest": json.dumps(ingest or {}), "validate": judged}


def told(row: dict[str, Any]) -> list[str]:
    return [f"{doubt.kind}: {doubt.told}" for doubt in doubts.doubts(row)]


def test_values_that_could_be_read_two_ways_say_how_they_were_read() -> None:
    assert told(load(ambiguous=(NUMBERS, DATES))) == [
        'decimal mark: decimal mark: 3 values could be read two ways (1,045 = 1.045 / 1045); the contract says "."',
        "date order: date order: 1 value could be read two ways (05/06/2026 = 2026-06-05 / 2026-05-06); "
        'the contract says "dmy"',
    ]


def test_they_are_told_in_french() -> None:
    with speaking("fr"):
        assert told(load(ambiguous=(NUMBERS,))) == [
            "decimal mark: séparateur décimal : 3 valeurs pouvaient se lire de deux façons (1,045 = 1.045 / 1045) ; "
            "le contrat dit « . »"
        ]


def test_a_doubt_in_other_words_is_told_as_it_is() -> None:
    row = load() | {"validate": json.dumps({"ambiguous": ["something new"]})}
    assert told(row) == ["decimal mark: something new"]


@pytest.mark.parametrize(
    ("noted", "kind", "text"),
    [
        ({"encoding": "cp1252", "encoding_doubt": ["0xE9 é"], "encoding_confidence": 0.8}, "encoding",
         "encoding cp1252 is a guess (80 % sure): 0xE9 é"),
        ({"unused_columns": [{"header": "Net Amnt", "nearest": "net_amount", "confidence": 0.9},
                             {"header": "Foo", "nearest": None}]}, "columns",
         "columns not used: 'Net Amnt' (nearest: net_amount, 90 %), 'Foo'"),
        ({"absent_measures": ["quantity"]}, "measures",
         "no column states quantity: what is computed from it is missing"),
        ({"periods": True}, "periods", "it states periods of several days; each is recorded on its last day"),
        ({"quantities_not_read": {"46": 2}}, "not read", "not read: 46 (2)"),
    ],
)  # fmt: skip
def test_each_kind_of_doubt_has_a_reason_and_a_command(noted: dict[str, Any], kind: str, text: str) -> None:
    assert list(doubts.doubts(load(noted))) == [doubts.Doubt(kind, text)]
    command, then = doubts.SETTLED[kind]
    assert command.startswith("stockflow ") and then


def test_a_row_names_the_sender_and_the_file_of_its_command_and_escapes_what_the_file_says() -> None:
    row = load({"unused_columns": [{"header": "<b>", "nearest": None}]})
    html = doubts._row(row, *doubts.doubts(row))
    assert "stockflow sender accept acme --from x.csv" in html and "<b>" not in html
    assert "sender accept SENDER --from y.csv" in doubts._row(row | {"object": "sales/y.csv"}, *doubts.doubts(row))


def test_a_file_without_a_doubt_has_none() -> None:
    assert told(load({"short_lines": 0})) == []
