"""What the emulator keeps of its catalogue, while several jobs read it."""

from local import bigquery_lookups


class _Growing(dict[tuple[str, str], tuple[str, int]]):
    """Objects of a catalogue; each look at one lets another thread's job describe one more table."""

    def __init__(self, schemas: dict[tuple[str, str], list[str]]) -> None:
        super().__init__({("sales", f"t{n}"): ("TABLE", n) for n in range(3)})
        self._schemas = schemas

    def get(self, table: tuple[str, str], *default: tuple[str, int]) -> tuple[str, int]:  # type: ignore[override]
        self._schemas["sales", f"late{len(self._schemas)}"] = []
        return super().get(table, *default)  # type: ignore[return-value]


def test_a_table_that_is_described_while_the_catalogue_is_read_again_does_no_harm() -> None:
    """Found by a drain of the samples that failed with 'dictionary changed size during iteration'."""
    schemas: dict[tuple[str, str], list[str]] = {("sales", f"t{n}"): [f"column {n}"] for n in range(3)}
    before = bigquery_lookups._Catalogue(1, _Growing(schemas), {n: [] for n in range(3)}, schemas)
    now = {("sales", "t0"): ("TABLE", 0), ("sales", "t1"): ("TABLE", 1), ("sales", "t2"): ("TABLE", 9)}
    kept = bigquery_lookups._unchanged(before, now, {0: [], 1: [], 9: []})
    assert kept == {("sales", "t0"): ["column 0"], ("sales", "t1"): ["column 1"]}
