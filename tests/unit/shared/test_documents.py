"""YAML is read by libyaml, and its errors are told in words."""

import pytest
import yaml

from stockflow.documents import read_yaml


def test_a_text_says_what_it_says() -> None:
    assert read_yaml("a: [1, two]\nb: 2026-09-30\n")["a"] == [1, "two"]


def test_an_error_says_where_and_what_was_expected() -> None:
    with pytest.raises(yaml.MarkedYAMLError, match="expected ',' or ']'") as error:
        read_yaml("title: units\nunit: [\nkind: kpi\n")
    assert error.value.problem_mark is not None and error.value.problem_mark.line == 3
