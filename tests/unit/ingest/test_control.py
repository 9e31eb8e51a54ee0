"""What the small files beside the data state."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.ingest.control import Stated, stated

MD5 = "0123456789abcdef0123456789ABCDEF"
SHA256 = MD5 * 2


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("x.csv.ok", b"", ()),
        ("x.csv.ok", b"OK\n", ()),
        ("x.csv.done", b"5\n", (Stated("x.csv", 5),)),
        ("x.csv.done", b"20260901\n", ()),
        ("x.csv.ctl", b"rows=120\nbytes=4096\n", (Stated("x.csv", 120, 4096),)),
        ("x.csv.ctl", b"ROW COUNT: 120", (Stated("x.csv", 120),)),
        ("x.csv.ctl", "Nombre de lignes ; 120".encode("cp1252"), (Stated("x.csv", 120),)),
        ("x.csv.ctl", b"120 records", (Stated("x.csv", 120),)),
        ("x.csv.ctl", b"rows=120\nrows=130\n", ()),
        ("x.csv.md5", MD5.encode(), (Stated("x.csv", None, None, "md5", MD5.lower()),)),
        ("x.md5", f"{MD5}  ./out/x.csv\n".encode(), (Stated("x.csv", None, None, "md5", MD5.lower()),)),
        ("x.md5", f"{MD5} *x.csv\r\n".encode(), (Stated("x.csv", None, None, "md5", MD5.lower()),)),
        ("x.sha256", f"SHA256 (x.csv) = {SHA256}".encode(), (Stated("x.csv", None, None, "sha256", SHA256.lower()),)),
        (
            "md5sums",
            f"{MD5}  a.csv\n{MD5}  b c.csv\n".encode(),
            (Stated("a.csv", None, None, "md5", MD5.lower()), Stated("b c.csv", None, None, "md5", MD5.lower())),
        ),
    ],
)
def test_a_control_file_states_counts_sizes_and_checksums(
    name: str, content: bytes, expected: tuple[Stated, ...]
) -> None:
    assert stated(name, content) == expected


@given(st.text(max_size=20), st.binary(max_size=200))
def test_no_bytes_raise(name: str, content: bytes) -> None:
    assert isinstance(stated(name, content), tuple)
