"""What people write in cells, and what it means: held against Python here and against SQL on the emulator."""

from datetime import UTC, date, datetime
from decimal import Decimal

# text, decimal mark, value
NUMBERS: list[tuple[str | None, str, Decimal | None]] = [
    (None, ".", None), ("", ".", None), ("  ", ".", None), ("0", ".", Decimal(0)), ("-0", ".", Decimal(0)),
    ("12", ".", Decimal(12)), ("+12", ".", Decimal(12)), (" 12 ", ".", Decimal(12)), ("007", ".", Decimal(7)),
    ("1.5", ".", Decimal("1.5")), (".5", ".", Decimal("0.5")), ("5.", ".", None), ("1,5", ",", Decimal("1.5")),
    ("1,234.56", ".", Decimal("1234.56")), ("1.234,56", ",", Decimal("1234.56")), ("1,23", ".", None),
    ("0,123", ".", None), ("0.123", ",", None), ("-0,125", ".", None), ("012,345", ".", None), ("0.123.456", ",", None),
    ("0 123", ".", None), ("00'123", ".", None), ("0,123", ",", Decimal("0.123")), ("00123", ".", Decimal(123)),
    ("1.23", ",", None), ("1,234", ".", Decimal(1234)), ("1,234", ",", Decimal("1.234")),
    ("1.234.567", ",", Decimal(1234567)), ("12,34,567", ".", None), ("1 234,56", ",", Decimal("1234.56")),
    ("10\u00a0237,65", ",", Decimal("10237.65")), ("10\u202f237,65", ",", Decimal("10237.65")),
    ("10\u2009237.65", ".", Decimal("10237.65")), ("1'234.50", ".", Decimal("1234.5")),
    ("1\u2019234,50", ",", Decimal("1234.5")), ("1 2", ".", None), ("4380.31-", ".", Decimal("-4380.31")),
    ("1.234,50-", ",", Decimal("-1234.5")), ("-4-", ".", None), ("--4", ".", None), ("- 4", ".", None),
    ("\u22124.5", ".", Decimal("-4.5")), ("(4)", ".", Decimal(-4)), ("NaN", ".", None), ("inf", ".", None),
    ("-Infinity", ".", None), ("1_000", ".", None), ("\u0661\u0662", ".", None), ("1e400", ".", None),
    ("1E3", ".", Decimal(1000)), ("1e-05", ".", Decimal("0.00001")), ("1,5E+2", ",", Decimal(150)),
    ("1e99", ".", None), ("0x10", ".", None), ("12a", ".", None), ("12 %", ".", None), ("\u20ac 12", ".", None),
    ('="12"', ".", Decimal(12)), ("'12", ".", Decimal(12)), ("-", ".", None), (".", ".", None), (",", ",", None),
    ("0.123456789", ".", Decimal("0.123456789")), ("0.1234567894", ".", Decimal("0.123456789")),
    ("0.1234567895", ".", Decimal("0.12345679")), ("0.30000000000000004", ".", Decimal("0.3")),
    ("12345678901234567890.123456789", ".", Decimal("12345678901234567890.123456789")),
    ("99999999999999999999999999999", ".", Decimal(10**29 - 1)), ("100000000000000000000000000000", ".", None),
    ("N/A", ".", None), ("not stocked", ".", None), ("1.2.3", ".", None), ("1,2,3", ",", None),
    ("(1.234,50)", ",", Decimal("-1234.5")), ("( 7 )", ".", Decimal(-7)), ("(-7)", ".", None), ("(7-)", ".", None),
    ("()", ".", None), ("(7", ".", None), ("1\u2009234,5", ",", Decimal("1234.5")), ("12\u200b5", ".", Decimal(125)),
    ("NULL", ".", None), ("-", ",", None), ("9" * 29 + ".9999999994", ".", Decimal("9" * 29 + ".999999999")),
    ("9" * 29 + ".9999999995", ".", None), ("0." + "3" * 400, ".", Decimal("0.333333333")), ("9" * 400, ".", None),
    ("9" * 60 + "e-40", ".", None), ("1.2345678901234567e-05", ".", Decimal("0.000012346")), ("1e-99", ".", Decimal(0)),
    ("123456789012345678e-10", ".", Decimal("12345678.901234568")), ("1234567890123456789e-10", ".", None),
    ("9223372036854775807", ".", Decimal(2**63 - 1)), ("9223372036854775808", ".", Decimal(2**63)),
    ("-9223372036854775808", ".", Decimal(-(2**63))),
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
    ("2026-09-01 10:00:00 +0200", "dmy", date(2026, 9, 1)), ("9/18/2026 12:00:00 AM", "mdy", date(2026, 9, 18)),
    ("9/18/2026, 2:35:00 PM", "mdy", date(2026, 9, 18)), ("18/09/2026 13:00 PM", "dmy", None),
    ("20260901T080500Z", "dmy", date(2026, 9, 1)), ("20260901T080500+0200", "dmy", date(2026, 9, 1)),
    ("2026-09-01T08:05:09,123", "dmy", date(2026, 9, 1)), ("2026-09-01 +0200", "dmy", None),
    ("0001-01-01", "dmy", None), ("0001-01-01T00:00:00", "dmy", None), ("1753-01-01", "dmy", None),
    ("01/01/1753", "dmy", None), ("01/01/1753", "ymd", None), ("1900-01-01T00:00:00Z", "dmy", None),
    ("1/0/1900", "mdy", None), ("30.12.1899", "dmy", None), ("1899-12-30 00:00:00", "dmy", None),
    ("9999-12-31", "dmy", None), ("12/31/9999 11:59:59 PM", "mdy", None), ("99991231", "dmy", None),
    ("19000101000000", "dmy", None), ("2999-12-31", "dmy", None), ("1900-01-02", "dmy", date(1900, 1, 2)),
    ("1753-01-02", "dmy", date(1753, 1, 2)), ("NULL", "dmy", None), ("-", "dmy", None),
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
    ("2026-09-01 08:05 PM", "dmy", datetime(2026, 9, 1, 20, 5, tzinfo=UTC)),
    ("2026-09-01T08:05:09+15:00", "dmy", None), ("08:05", "dmy", None),
    ("2026-09-01T08:05:09.", "dmy", None), ("20260901246000", "dmy", None), ("yesterday", "dmy", None),
    ("2026-09-01 10:00:00 +0200", "dmy", datetime(2026, 9, 1, 8, tzinfo=UTC)),
    ("2026-09-01 10:00 -05:30", "dmy", datetime(2026, 9, 1, 15, 30, tzinfo=UTC)),
    ("2026-09-01 10:00:00 GMT", "dmy", datetime(2026, 9, 1, 10, tzinfo=UTC)),
    ("9/18/2026 12:00:00 AM", "mdy", datetime(2026, 9, 18, tzinfo=UTC)),
    ("9/18/2026 12:30:15.25 p.m.", "mdy", datetime(2026, 9, 18, 12, 30, 15, 250000, tzinfo=UTC)),
    ("9/18/2026, 2:35:00\u202fPM", "mdy", datetime(2026, 9, 18, 14, 35, tzinfo=UTC)),
    ("18/09/2026 02:35PM +0200", "dmy", datetime(2026, 9, 18, 12, 35, tzinfo=UTC)),
    ("18/09/2026 13:00 PM", "dmy", None), ("18/09/2026 2:35 XM", "dmy", None),
    ("2026-09-01T08:05:09,123", "dmy", datetime(2026, 9, 1, 8, 5, 9, 123000, tzinfo=UTC)),
    ("20260901T080509Z", "dmy", datetime(2026, 9, 1, 8, 5, 9, tzinfo=UTC)),
    ("20260901T080509+0200", "dmy", datetime(2026, 9, 1, 6, 5, 9, tzinfo=UTC)), ("20260901T0805", "dmy", None),
    ("1900-01-01T00:00:00Z", "dmy", None), ("9999-12-31T23:59:59.9999999", "dmy", None),
    ("0001-01-01 00:00:00", "dmy", None),
]  # fmt: skip

# text, text without what spreadsheets add, code
TEXTS: list[tuple[str | None, str | None, str | None]] = [
    (None, None, None), ("", None, None), (" \t\n", None, None), ("abc", "abc", "ABC"),
    ("  a   b ", "a b", "A B"), ("a\u00a0\u202fb", "a b", "A B"), ('="0503E000"', "0503E000", "0503E000"),
    ('=" 05 "', "05", "05"), ('=""', None, None), ('="', '="', '="'), ("'00123", "00123", "00123"), ("'", None, None),
    ("=\"'00123\"", "00123", "00123"), ("it's", "it's", "IT'S"), ("\ufeffé\u200b", "é", "É"),
    ("caf\u00e9 noir", "café noir", "CAFÉ NOIR"),
    ("a\r\nb", "a b", "A B"), ("22E1", "22E1", "22E1"), ("=1+1", "=1+1", "=1+1"), ("NA", "NA", "NA"),
    ("null", "null", "NULL"), ("NULL", "NULL", "NULL"), ("AB\u200b12", "AB12", "AB12"), ("\u00ad12\u2060", "12", "12"),
    ("e\u0301te\u0301", "été", "ÉTÉ"), ("A\u03a9", "AΩ", "AΩ"), ("A\u2126", "AΩ", "AΩ"), ("a\x07b\x7f", "ab", "AB"),
    ("a\u2003b", "a b", "A B"), ("a\u2028b", "a b", "A B"), ("stra\u00dfe", "straße", "STRASSE"),
    ('\ufeff="0161"', "0161", "0161"), ("\u200f123\u200e", "123", "123"), ("\u200b", None, None),
    ("'=\"05\"", '="05"', '="05"'),
]  # fmt: skip

# text, blank in a number, in a date, in a word, in text
BLANKS: list[tuple[str | None, bool, bool, bool, bool]] = [
    (None, True, True, True, True), (" \ufeff", True, True, True, True), ("0", False, True, False, False),
    *((text, True, True, True, False) for text in ("NULL", "null", "\\N", "N/A", "n/a", "n.a.", "None", "nil", "-",
      "--", "\u2013", "(blank)", "(null)", "[NULL]", "<null>", "(vide)", " NULL ")),
    ("NA", True, True, False, False), ("#N/A", False, False, False, False), ("#REF!", False, False, False, False),
    ("NaN", False, False, False, False), ("00000000", False, True, False, False),
    ("00/00/0000", False, True, False, False),    
    ("0000-00-00 00:00:00", False, True, False, False), ("1900-01-01", False, True, False, False),
    ("01/01/1753", False, True, False, False), ("1753-01-01T00:00:00.000+01:00", False, True, False, False),
    ("1899-12-31T23:50:39.000Z", False, True, False, False), ("12/31/9999 11:59:59 PM", False, True, False, False),
    ("9999-12-31", False, True, False, False), ("1900-01-10", False, False, False, False),
    ("nullable", False, False, False, False), ("N", False, False, False, False),
]  # fmt: skip

# text, currency of the row, amount's text
AMOUNTS: list[tuple[str | None, str, str | None]] = [
    (None, "EUR", None), ("12.5", "EUR", "12.5"), ("12.5 \u20ac", "EUR", "12.5"), ("\u20ac12.5", "EUR", "12.5"),
    ("-\u20ac 3", "EUR", "-3"), ("\u20ac -3", "EUR", "-3"), ("(\u20ac 3)", "EUR", "(3)"), ("(3 \u20ac)", "EUR", "(3)"),
    ("12.5 EUR", "EUR", "12.5"), ("USD 4", "USD", "4"), ("USD 4", "EUR", None), ("\u00a3 4", "EUR", None),
    ("\u00a34", "GBP", "4"), ("$ 4", "USD", "$ 4"), ("\u00a5 4", "JPY", "\u00a5 4"), ("4 PCE", "EUR", None),
    ("\u20ac 4 \u20ac", "EUR", "\u20ac 4 \u20ac"), ("\u20ac", "EUR", "\u20ac"), ("1E5", "EUR", "1E5"),
    ("12\u00a0345,60\u00a0\u20ac", "EUR", "12 345,60"),
]  # fmt: skip

# text, zone, moment: what the clocks of a place showed (gaps and folds of summer time included)
LOCAL: list[tuple[str, str, datetime]] = [
    ("2026-07-01 12:00", "Europe/Paris", datetime(2026, 7, 1, 10, tzinfo=UTC)),
    ("2026-01-01 12:00", "Europe/Paris", datetime(2026, 1, 1, 11, tzinfo=UTC)),
    ("2026-07-01", "Europe/Paris", datetime(2026, 6, 30, 22, tzinfo=UTC)),
    ("2026-03-29 01:59:59", "Europe/Paris", datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC)),
    ("2026-03-29 02:00", "Europe/Paris", datetime(2026, 3, 29, 1, tzinfo=UTC)),
    ("2026-03-29 02:30", "Europe/Paris", datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
    ("2026-03-29 03:00", "Europe/Paris", datetime(2026, 3, 29, 1, tzinfo=UTC)),
    ("2026-10-25 01:59", "Europe/Paris", datetime(2026, 10, 24, 23, 59, tzinfo=UTC)),
    ("2026-10-25 02:00", "Europe/Paris", datetime(2026, 10, 25, 0, tzinfo=UTC)),
    ("2026-10-25 02:30", "Europe/Paris", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
    ("2026-10-25 03:00", "Europe/Paris", datetime(2026, 10, 25, 2, tzinfo=UTC)),
    ("2026-11-01 01:30", "America/New_York", datetime(2026, 11, 1, 5, 30, tzinfo=UTC)),
    ("2026-03-08 02:30", "America/New_York", datetime(2026, 3, 8, 7, 30, tzinfo=UTC)),
    ("2026-04-05 01:45", "Australia/Lord_Howe", datetime(2026, 4, 4, 14, 45, tzinfo=UTC)),
    ("2026-04-05 02:15", "Australia/Lord_Howe", datetime(2026, 4, 4, 15, 45, tzinfo=UTC)),
    ("2026-10-25 02:30 +0100", "Europe/Paris", datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
    ("2026-10-25 02:30Z", "Europe/Paris", datetime(2026, 10, 25, 2, 30, tzinfo=UTC)),
    ("1985-07-01 12:00", "Europe/London", datetime(1985, 7, 1, 11, tzinfo=UTC)),
]  # fmt: skip

# text, zone, day: what a column of days says where programs wrote moments
LOCAL_DAYS: list[tuple[str, str, date]] = [
    ("2026-09-14T22:00:00Z", "Europe/Paris", date(2026, 9, 15)),
    ("2026-10-25T23:00:00.000Z", "Europe/Paris", date(2026, 10, 26)),
    ("2026-09-14T22:00:00+00:00", "Europe/Paris", date(2026, 9, 15)),
    ("2026-09-14T00:00:00Z", "America/New_York", date(2026, 9, 14)),
    ("2026-09-15T04:00:00Z", "America/New_York", date(2026, 9, 15)),
    ("2026-09-15T03:59:00Z", "America/New_York", date(2026, 9, 14)),
    ("2026-11-03 22:30:15 +0100", "Europe/Paris", date(2026, 11, 3)),
    ("2026-11-03 22:30:15 -0500", "Europe/Paris", date(2026, 11, 3)),
    ("2026-09-14 23:30", "Europe/Paris", date(2026, 9, 14)),
    ("2026-09-14", "Europe/Paris", date(2026, 9, 14)),
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
