"""`kpi why` and `kpi preview` in the reader's language: no English word of ours is left in a French answer."""

import re

import pytest
from typer.testing import CliRunner

from cli import target
from cli.kpi.catalogue import shown
from cli.kpi.command import app
from cli.kpi.movement import tell
from cli.kpi.valued import unknown_days
from cli.texts import french
from functions.kpi.definition import parse
from functions.kpi.headline import Headline
from stockflow.settings import bundle_root
from tests.support.corner_shop import corner_shop
from tests.support.local_warehouse import LocalServices

WHY = ("why", "net_sales", "--from", "2026-09-01", "--to", "2026-09-03")
PREVIEW = ("preview", "net_sales", "--days", "3")


@pytest.fixture(scope="module")
def services() -> LocalServices:
    """A shop that no test changes."""
    return corner_shop()


@pytest.fixture(autouse=True)
def shop(services: LocalServices, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(target, "services", lambda: services)
    monkeypatch.setenv("COLUMNS", "200")


def told(*words: str) -> str:
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, f"{done.output}\n{done.exception!r}"
    return re.sub(r"\s+", " ", done.stdout)


def english(text: str) -> list[str]:
    """The English texts of more than one word that an answer has although there are French ones."""
    return [e for e, f in french().items() if " " in e.strip() and "{" not in e and e != f and e in text]


def test_why_a_number_moved_is_told_in_french() -> None:
    """35 euros became 77: more was sold, at another price."""
    said = told(*WHY, "--language", "fr")
    assert said.startswith("Ventes nettes : 35,0 € le 2026-09-01, 77,0 € le 2026-09-03")
    assert "ensemble +42,0 €" in said and "prix ou coût unitaire" in said
    assert "Par emplacement" in said and "Cellules qui ont le plus bougé" in said
    assert "sales/week_36.csv" in said and "Ce que disent les fichiers" in said
    assert english(said) == []


def test_why_is_told_in_english_by_default() -> None:
    said = told(*WHY)
    assert said.startswith("Net sales: €35.0 on 2026-09-01, €77.0 on 2026-09-03")
    assert "together +€42.0" in said and "By location" in said and "Cells that moved most" in said


def test_an_amount_that_two_days_lack_did_not_move_by_nothing() -> None:
    """A Sunday and the Sunday before it, when the shops are closed."""
    done = CliRunner().invoke(app, ("why", "net_sales", "--from", "2026-08-02", "--to", "2026-08-09"))
    assert "net_sales has no value on one of the days" in str(done.exception)


@pytest.mark.parametrize("days", [(), ("--from", "2026-09-01"), ("--to", "2026-09-03")])
def test_without_two_days_it_says_which_there_are(days: tuple[str, ...]) -> None:
    done = CliRunner().invoke(app, ("why", "net_sales", *days))
    assert "expected two days, --from and --to: it has a value on 3 days, 2026-09-01 to 2026-09-03" in str(
        done.exception
    )
    assert "`stockflow kpi why net_sales --from 2026-09-02 --to 2026-09-03`" in str(done.exception)


def test_a_kpi_without_a_value_on_any_day_says_how_it_gets_one(services: LocalServices) -> None:
    definition = parse("x.sql", (bundle_root() / "functions/kpi/definitions/net_sales.sql").read_text())
    services.warehouse.rows("CREATE OR REPLACE TABLE inventory_kpi.x AS SELECT * FROM inventory_kpi.net_sales LIMIT 0")
    told = str(unknown_days(definition, services, "expected two days"))
    assert (
        told == "expected two days: it has no value on any day yet; `stockflow kpi refresh x` computes what is missing"
    )


def test_a_kpi_without_a_value_is_listed_with_the_reason_in_words(services: LocalServices) -> None:
    definition = parse("x.sql", (bundle_root() / "functions/kpi/definitions/stockout_rate.sql").read_text())
    row = shown(definition, Headline(None, None, None, "stale", ""))
    assert (row["meaning"], row["reason_code"]) == ("the last snapshot is too old", "stale")


def test_a_preview_is_told_in_french() -> None:
    said = told(*PREVIEW, "--language", "fr")
    assert said.startswith("Ventes nettes") and "77,0 € le 2026-09-03." in said
    assert "01 sept. au 03 sept." in said and "Plus grandes cellules du 2026-09-03" in said
    assert "rien n'a été écrit" in said and english(said) == []


def test_a_preview_as_json_has_its_sentence_in_french() -> None:
    assert "Les ventes nettes" in told(*PREVIEW, "--language", "fr", "--json")


def test_parts_of_a_share_are_points_and_what_floating_point_leaves_over_is_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = (bundle_root() / "functions/kpi/definitions/stockout_rate.sql").read_text()
    found = {"start": 0.703, "end": 0.7093, "from": "2026-10-01", "to": "2026-10-08", "change": 0.0063, "by": {},
             "late_files": [], "lines": [], "cells": [],
             "parts": {"numerator": 0.0063, "denominator": 2.003e-17}}  # fmt: skip
    tell(found, parse("stockout_rate.sql", text))
    said = re.sub(r"\s+", " ", capsys.readouterr().out)
    assert "numerators +0.63 pt" in said and "denominators +0.00 pt" in said and "together +0.63 pt" in said
