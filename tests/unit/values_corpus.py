"""What people write in cells, and what it means: held against Python here and against SQL on the emulator."""

from datetime import UTC, date, datetime
from decimal import Decimal

# text, decimal mark, value
NUMBERS: list[tuple[str | None, str, Decimal | None]] = [
    (None, ".", None), ("", ".", None), ("  ", ".", None), ("0", ".", Decimal(0)), ("-0", ".", Decimal(0)),
    ("12", ".", Decimal(12)), ("+12", ".", Decimal(12)), (" 12 ", ".", Decimal(12)), ("007", ".", Decimal(7)),
    ("1.5", ".", Decimal("1.5")), (".5", ".", Decimal("0.5")), ("5.", ".", None), ("1,5", ",", Decimal("1.5")),
    ("1,234.56", ".", Decimal("1234.56")), ("1.234,56", ",", Decimal("1234.56")), ("1,23", ".", None),
    ("1.23", ",", None), ("1,234", ".", Decimal(1234)), ("1,234", ",", Decimal("1.234")),
    ("1.234.567", ",", Decimal(1234567)), ("12,34,567", ".", None), ("1 234,56", ",", Decimal("1234.56")),
    ("10\u00a0237,65", ",", Decimal("10237.65")), ("10\u202f237,65", ",", Decimal("10237.65")),
    ("10\u2009237.65", ".", Decimal("10237.65")), ("1'234.50", ".", Decimal("1234.5")),
    ("1\u2019234,50", ",", Decimal("1234.5")), ("1 2", ".", None), ("4380.31-", ".", Decimal("-4380.31")),
    ("1.234,50-", ",", Decimal("-1234.5")), ("-4-", ".", None), ("--4", ".", None), ("- 4", ".", None),
    ("\u22124.5", ".", Decimal("-4.5")), ("(4)", ".", None), ("NaN", ".", None), ("inf", ".", None),
    ("-Infinity", ".", None), ("1_000", ".", None), ("\u0661\u0662", ".", None), ("1e400", ".", None),
    ("1E3", ".", Decimal(1000)), ("1e-05", ".", Decimal("0.00001")), ("1,5E+2", ",", Decimal(150)),
    ("1e99", ".", None), ("0x10", ".", None), ("12a", ".", None), ("12 %", ".", None), ("\u20ac 12", ".", None),
    ('="12"', ".", Decimal(12)), ("'12", ".", Decimal(12)), ("-", ".", None), (".", ".", None), (",", ",", None),
    ("0.123456789", ".", Decimal("0.123456789")), ("0.1234567894", ".", Decimal("0.123456789")),
    ("0.1234567895", ".", Decimal("0.12345679")), ("0.30000000000000004", ".", Decimal("0.3")),
    ("12345678901234567890.123456789", ".", Decimal("12345678901234567890.123456789")),
    ("99999999999999999999999999999", ".", Decimal(10**29 - 1)), ("100000000000000000000000000000", ".", None),
    ("N/A", ".", None), ("not stocked", ".", None), ("1.2.3", ".", None), ("1,2,3", ",", None),
]  # fmt: skip

# text, date order, value
DATES: list[tuple[str | None, str, date | None]] = [
    (None, "dmy", None), ("", "dmy", None), ("2026-09-01", "dmy", date(2026, 9, 1)),
    ("2026-9-1", "mdy", date(2026, 9, 1)), ("2026/09/01", "dmy", date(2026, 9, 1)),
    ("2026.09.01", "dmy", date(2026, 9, 1)), ("20260901", "dmy", date(2026, 9, 1)),
    ("01/02/2026", "dmy", date(2026, 2, 1)), ("01/02/2026", "mdy", date(2026, 1, 2)),
    ("01/02/2026", "ymd", None), ("1.2.2026", "dmy", date(2026, 2, 1)), ("01-02-2026", "dmy", date(2026, 2, 1)),
    ("13/02/2026", "mdy", None), ("30/02/2026", "dmy", None), ("29/02/2024", "dmy", date(2024, 2, 29)),
    ("29/02/2025", "dmy", None), ("2026-02-30", "dmy", None), ("2026-13-01", "dmy", None),
    ("20261301", "dmy", None), ("00000000", "dmy", None), ("0000-00-00", "dmy", None), ("01/09/26", "dmy", None),
    ("2026-09-01T23:30:00Z", "dmy", date(2026, 9, 1)), ("2026-09-01 23:30:00-05:00", "dmy", date(2026, 9, 1)),
    ("01/09/2026 08:05", "dmy", date(2026, 9, 1)), ("20260901080500", "dmy", date(2026, 9, 1)),
    ("2026-09-01 25:00", "dmy", None), ("2026-09-01T", "dmy", None), ("2026-09-01x", "dmy", None),
    ("45901", "dmy", None), ("9999999999", "dmy", None), ("1 sept. 2026", "dmy", None), ("Total", "dmy", None),
    ("\u0662\u0660\u0662\u0666-09-01", "dmy", None), ("2026-09", "dmy", None), ("3026-01-01", "dmy", None),
    ('="2026-09-01"', "dmy", date(2026, 9, 1)), (" 2026-09-01\u00a0", "dmy", date(2026, 9, 1)),
    ("32/01/2026", "dmy", None), ("00/01/2026", "dmy", None), ("2026-00-10", "dmy", None),
]  # fmt: skip

# text, date order, value
MOMENTS: list[tuple[str | None, str, datetime | None]] = [
    (None, "dmy", None), ("2026-09-01", "dmy", datetime(2026, 9, 1, tzinfo=UTC)),
    ("2026-09-01 08:05", "dmy", datetime(2026, 9, 1, 8, 5, tzinfo=UTC)),
    ("2026-09-01T08:05:09", "dmy", datetime(2026, 9, 1, 8, 5, 9, tzinfo=UTC)),
    ("2026-09-01T08:05:09Z", "dmy", datetime(2026, 9, 1, 8, 5, 9, tzinfo=UTC)),
    ("2026-09-01 08:05:09 UTC", "dmy", datetime(2026, 9, 1, 8, 5, 9, tzinfo=UTC)),
    ("2026-09-01T08:05:09.5Z", "dmy", datetime(2026, 9, 1, 8, 5, 9, 500000, tzinfo=UTC)),
    ("2026-09-01T08:05:09.123456789+02:00", "dmy", datetime(2026, 9, 1, 6, 5, 9, 123456, tzinfo=UTC)),
    ("2026-09-01T08:05:09+0530", "dmy", datetime(2026, 9, 1, 2, 35, 9, tzinfo=UTC)),
    ("2026-09-01T08:05-05", "dmy", datetime(2026, 9, 1, 13, 5, tzinfo=UTC)),
    ("01/09/2026 8:05", "dmy", datetime(2026, 9, 1, 8, 5, tzinfo=UTC)),
    ("09/01/2026 8:05", "mdy", datetime(2026, 9, 1, 8, 5, tzinfo=UTC)),
    ("01.09.2026 23:59:59", "dmy", datetime(2026, 9, 1, 23, 59, 59, tzinfo=UTC)),
    ("20260901080509", "dmy", datetime(2026, 9, 1, 8, 5, 9, tzinfo=UTC)),
    ("2026-09-01 24:00", "dmy", None), ("2026-09-01 08:60", "dmy", None), ("2026-02-30 08:00", "dmy", None),
    ("2026-09-01 08:05 PM", "dmy", None), ("2026-09-01T08:05:09+15:00", "dmy", None), ("08:05", "dmy", None),
    ("2026-09-01T08:05:09.", "dmy", None), ("20260901246000", "dmy", None), ("yesterday", "dmy", None),
]  # fmt: skip

# text, text without what spreadsheets add, code
TEXTS: list[tuple[str | None, str | None, str | None]] = [
    (None, None, None), ("", None, None), (" \t\n", None, None), ("abc", "abc", "ABC"),
    ("  a   b ", "a b", "A B"), ("a\u00a0\u202fb", "a b", "A B"), ('="0503E000"', "0503E000", "0503E000"),
    ('=" 05 "', "05", "05"), ('=""', None, None), ('="', '="', '="'), ("'00123", "00123", "00123"), ("'", None, None),
    ("=\"'00123\"", "00123", "00123"), ("it's", "it's", "IT'S"), ("\ufeffé\u200b", "é", "É"),
    ("caf\u00e9 noir", "café noir", "CAFÉ NOIR"),
    ("a\r\nb", "a b", "A B"), ("22E1", "22E1", "22E1"), ("=1+1", "=1+1", "=1+1"), ("NA", "NA", "NA"),
    ("null", "null", "NULL"),
]  # fmt: skip

# text, code
UNITS: list[tuple[str | None, str | None]] = [
    (None, None), ("", None), ("EA", "EA"), ("each", "EA"), ("Pièces", "EA"), ("PCE", "EA"), ("ST", "EA"),
    ("u.", "EA"), ("unité(s)", "EA"), ("CS", "CS"), ("Carton", "CS"), ("colis", "CS"), ("boîte", "BX"), ("Box", "BX"),
    ("kg", "KG"), ("KGM", "KG"), ("gr.", "G"), ("Litres", "L"), ("palette", "PAL"), ("lot", "PK"), ("douzaine", "DZ"),
    ("sac", "SAC"), ("big  bag", "BIG BAG"), ("\u6761", "\u6761"),
]  # fmt: skip

# text, 14 digits
GTINS: list[tuple[str | None, str | None]] = [
    (None, None), ("", None), ("4006381333931", "04006381333931"), ("04006381333931", "04006381333931"),
    ("96385074", "00000096385074"), ("012345678905", "00012345678905"), ("12345678905", "00012345678905"),
    ("4006381333932", None), ("4.00638E+12", None), ("400638133393", None), ("400-6381-333931", "04006381333931"),
    ("4006381333931000", None), ("123", None), ("ABCDEFGH", None), ('="4006381333931"', "04006381333931"),
]  # fmt: skip
