"""What the emulator keeps of its catalogue, while several jobs read and change it."""

import pytest

from local import bigquery_lookups as lookups

TABLE = ("demo", "sales", "t")
VIEW = ("demo", "sales", "v")
MADE = lookups._Described("TABLE", (("id", True, "BIGINT"),))


@pytest.fixture(autouse=True)
def _nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookups, "_described", {})
    monkeypatch.setattr(lookups, "_schemas", {})


def test_a_table_that_is_made_during_the_look_is_not_kept_as_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another job's CREATE TABLE ends between the question and its answer."""

    def look(*_reference: str) -> lookups._Described | None:
        if lookups._described:
            return MADE
        lookups._described[VIEW] = None  # so that this is the first look only
        lookups.moved()
        lookups._described[VIEW] = None
        return None

    monkeypatch.setattr(lookups, "_look", look)
    assert lookups._describe(*TABLE) is None
    assert lookups._describe(*TABLE) == MADE


@pytest.mark.parametrize(
    ("was", "now", "kept"),
    [
        (None, MADE, True),  # new: no view can read it yet
        (MADE, MADE, True),  # CREATE TABLE IF NOT EXISTS
        (MADE, None, False),  # dropped: what views on it have is asked again
        (MADE, lookups._Described("TABLE", (("id", True, "VARCHAR"),)), False),
    ],
)
def test_what_others_have_is_asked_again_only_after_a_change(
    was: lookups._Described | None, now: lookups._Described | None, kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookups, "_look", lambda *_reference: now)
    view = lookups._Described("VIEW", (("id", True, "BIGINT"),))
    lookups._described.update({TABLE: was, VIEW: view})
    before = lookups.moves()
    lookups.moved(TABLE)
    assert (VIEW in lookups._described) == kept
    assert (lookups.moves() == before) == (was == now)
