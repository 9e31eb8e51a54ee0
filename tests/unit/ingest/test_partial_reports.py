"""Sales messages of a day in parts: each part counts, a correction takes the place of what it corrects."""

from typing import Any

import pytest

from tests.unit.ingest.reading import read

Keyed = dict[tuple[str, ...], str]


def edifact(*messages: str) -> bytes:
    """Return an interchange of SLSRPT messages, each given by its segments."""
    text = "UNB+UNOC:3+A:14+B:14+260901:2216+77'"
    for number, message in enumerate(messages, 1):
        text += f"UNH+{number}+SLSRPT:D:96A:UN:EAN004'{message}UNT+{message.count(chr(39)) + 2}+{number}'"
    return f"{text}UNZ+{len(messages)}+77'".encode()


def slsrpt(period: str, quantity: int, function: str = "9", document: str = "1") -> str:
    """Return the segments of a report of one product in one place."""
    return f"BGM+73E::9+{document}+{function}'{period}LOC+162+LYO::92'LIN+1++400:EN'QTY+153:{quantity}:PCE'"


def x12(*messages: str) -> bytes:
    """Return an interchange of 852 messages."""
    head = "ISA*00*          *00*          *ZZ*A              *ZZ*B              *260901*1430*^*00501*000000042*0*P*>~"
    text = f"{head}GS*PD*A*B*20260901*1430*7*X*005010~"
    for number, message in enumerate(messages, 1):
        text += f"ST*852*{number:04}~{message}SE*{message.count('~') + 2}*{number:04}~"
    return f"{text}GE*{len(messages)}*7~IEA*1*000000042~".encode()


def activity(period: str, quantity: int) -> str:
    return f"{period}N1*ST*Lyon*92*LYO~LIN*1*IN*400~ZA*QS*{quantity}*EA~"


def sold(*files: bytes) -> dict[str, int]:
    """Return day -> units, as they count when files are merged one after the other: the newest row of a key."""
    kept: dict[tuple[Any, ...], tuple[str, int]] = {}
    for data in files:
        for row in read(data, "sales", "sales/x.edi").rows:
            key = tuple(row[n] for n in ("location_code", "business_date", "receipt_number", "line_number"))
            kept[key] = (row["business_date"], int(row["quantity"]))
    days: dict[str, int] = {}
    for day, quantity in kept.values():
        days[day] = days.get(day, 0) + quantity
    return days


MORNING, AFTERNOON = "DTM+356:202609010800-202609011200:719'", "DTM+356:202609011200202609012000:719'"
DAY = "DTM+356:20260901:102'"
X_MORNING = "DTM*090*20260901*0800~DTM*091*20260901*1200~"
X_AFTERNOON = "DTM*090*20260901*1200~DTM*091*20260901*2000~"
X_DAY = "XQ*H*20260901~"


@pytest.mark.parametrize(
    ("morning", "afternoon"),
    [
        (edifact(slsrpt(MORNING, 2)), edifact(slsrpt(AFTERNOON, 3, document="2"))),
        (edifact(slsrpt("DTM+90:202609010800:203'DTM+91:202609011200:203'", 2)), edifact(slsrpt(AFTERNOON, 3))),
        (x12(activity(X_MORNING, 2)), x12(activity(X_AFTERNOON, 3))),
    ],
    ids=["edifact", "edifact-two-dates", "x12"],
)
def test_files_of_different_hours_of_a_day_add_up(morning: bytes, afternoon: bytes) -> None:
    assert sold(morning, afternoon) == sold(afternoon, morning) == {"2026-09-01": 5}
    assert sold(morning, afternoon, morning) == {"2026-09-01": 5}


def test_a_corrected_part_takes_the_place_of_that_part_only() -> None:
    files = [edifact(slsrpt(MORNING, 2)), edifact(slsrpt(AFTERNOON, 3)), edifact(slsrpt(MORNING, 7, "5"))]
    assert sold(*files) == {"2026-09-01": 10}


@pytest.mark.parametrize(
    "file",
    [edifact(slsrpt(DAY, 2), slsrpt(DAY, 3, document="2")), x12(activity(X_DAY, 2), activity(X_DAY, 3))],
    ids=["edifact", "x12"],
)
def test_messages_of_one_file_for_a_day_add_up(file: bytes) -> None:
    """As a product that one message names twice: what a file says is one statement, whatever its messages."""
    assert sold(file) == sold(file, file) == {"2026-09-01": 5}


def test_a_message_that_says_that_it_replaces_does() -> None:
    assert sold(edifact(slsrpt(DAY, 2), slsrpt(DAY, 3, "5"))) == {"2026-09-01": 3}


@pytest.mark.parametrize(
    "day", [DAY, "DTM+356:202609010000-202609012359:719'", "DTM+356:202609010000202609020000:719'"]
)
def test_a_whole_day_is_one_report_however_its_hours_are_written(day: str) -> None:
    """Midnight ends the day before."""
    assert sold(edifact(slsrpt(DAY, 2)), edifact(slsrpt(day, 3))) == {"2026-09-01": 3}


def test_a_period_of_days_without_a_hyphen_is_read() -> None:
    assert sold(edifact(slsrpt("DTM+356:2026083120260901:718'", 2))) == {"2026-09-01": 2}
