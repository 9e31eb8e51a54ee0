"""What is published and what was: numbers, who, and what a rollback takes."""

from datetime import UTC, datetime

import pytest

from cli.kpi.publish import chosen
from cli.kpi.published import Bucket, Publication
from cli.output import CommandError
from stockflow.services import Services
from stockflow.settings import Settings


def made(*texts: str) -> list[Publication]:
    at = datetime(2026, 9, 1, tzinfo=UTC)
    return [Publication("k", at, "me", "", text, text, number) for number, text in enumerate(texts, 1)]


def test_a_rollback_takes_the_version_before_the_live_one() -> None:
    assert chosen(made("a", "b", "c"), "c", 0).number == 2


def test_a_rollback_of_a_rollback_goes_further_back() -> None:
    """After a, b, a the live text is a: before its newest publication lies b."""
    assert chosen(made("a", "b", "a"), "a", 0).text == "b"


def test_a_rollback_takes_the_number_asked_for() -> None:
    assert chosen(made("a", "b", "c"), "c", 1).text == "a"


def test_what_came_another_way_is_rolled_back_to_the_newest_copy() -> None:
    assert chosen(made("a", "b"), "by the build", 0).text == "b"


@pytest.mark.parametrize(("number", "said"), [(0, "no version before"), (7, "no version 7: there are 1 to 1")])
def test_where_there_is_none_it_is_said(number: int, said: str) -> None:
    with pytest.raises(CommandError, match=said):
        chosen(made("a"), "a", number)


def test_an_environment_that_reads_a_folder_cannot_be_published_to() -> None:
    with pytest.raises(CommandError, match="reads its definitions from the folder /somewhere"):
        Bucket(Services(Settings("p", definitions_uri="/somewhere")))
