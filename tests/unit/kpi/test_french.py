"""Every title, description, sentence and reason of a KPI has a French text that holds the same figures."""

import re

import pytest
from sqlglot import exp

from cli import wording
from cli.kpi.catalogue import sentence, shown
from cli.texts import speaking
from functions.kpi.catalog import load_definitions
from functions.kpi.definition import Definition, parse
from functions.kpi.graph import parse_sql
from functions.kpi.headline import Headline
from stockflow.errors import PermanentError
from stockflow.settings import bundle_root
from tests.unit.kpi.test_definition import GOOD

DEFINITIONS = load_definitions(str(bundle_root() / "functions" / "kpi" / "definitions"))
CODES = re.compile(r"`[^`]+`|\b[a-z]+_[a-z_0-9]+\b|\{\w+\}")
IN_FRENCH = {"title": "Unités vendues", "meaning": "{value} unités ont été vendues."}


def texts(definition: Definition) -> list[str]:
    return ["title", "description", *(["meaning"] if definition.kind == "kpi" else [])]


def reasons(definition: Definition) -> set[str]:
    """Return the codes that a definition's SQL writes in reason_code."""
    tree = parse_sql(definition.name, definition.sql)
    written = [a.this for a in tree.find_all(exp.Alias) if a.alias == "reason_code"]
    return {text.this for e in written for text in e.find_all(exp.Literal) if text.is_string}


@pytest.mark.parametrize("definition", DEFINITIONS.values(), ids=DEFINITIONS)
def test_it_has_french_texts(definition: Definition) -> None:
    french = definition.told_in("fr")
    for name in texts(definition):
        said, english = getattr(french, name), getattr(definition, name)
        assert said.strip(), name
        assert said != english or said == "", name
        raw = str(definition.header[name]), str(definition.header["french"][name])
        assert set(CODES.findall(raw[0])) <= set(CODES.findall(raw[1])), name


def test_no_two_titles_are_the_same() -> None:
    titles = [d.told_in("fr").title for d in DEFINITIONS.values()]
    assert len(set(titles)) == len(titles)


def test_a_threshold_is_filled_in_french_too() -> None:
    assert "180 jours" in DEFINITIONS["dead_stock"].told_in("fr").description


def test_every_reason_has_words_in_both_languages() -> None:
    codes = {code for d in DEFINITIONS.values() if d.kind == "kpi" for code in reasons(d)}
    assert {"stale", "no_demand", "missing_sales", "no_cycle"} <= codes
    english = {code: wording.reason(code) for code in codes}
    assert [c for c, said in english.items() if said == c.replace("_", " ")] == []
    with speaking("fr"):
        assert [c for c, said in english.items() if wording.reason(c) == said] == []


def test_the_texts_decide_no_version() -> None:
    """So that a translation computes nothing again."""
    french = "french:\n" + "".join(f'  {k}: "{v}"\n' for k, v in IN_FRENCH.items())
    translated = parse("units_sold.sql", GOOD.replace("formula:", french + "formula:"))
    assert translated.version == parse("units_sold.sql", GOOD).version
    assert translated.told_in("fr").title == IN_FRENCH["title"]
    assert translated.told_in("fr").description == translated.description


def test_a_misspelt_text_is_refused() -> None:
    with pytest.raises(PermanentError, match="french: unknown text 'titel', expected one of title"):
        parse("units_sold.sql", GOOD.replace("formula:", "french: {titel: Ventes}\nformula:"))


def test_a_headline_is_a_sentence_in_french() -> None:
    definition = DEFINITIONS["stock_on_hand"].told_in("fr")
    line = Headline(1200.5, 1000.0, None, None, definition.meaning)
    with speaking("fr"):
        said = sentence(definition, line)
        silent = shown(definition, Headline(None, None, None, "stale", ""))
    assert said == "1\u202f200 unités sont en stock dans les magasins et entrepôts ; en hausse de 20 % en une semaine."
    assert silent["meaning"] == "le dernier relevé de stock est trop ancien"
