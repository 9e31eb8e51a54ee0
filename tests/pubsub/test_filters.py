"""The filter language: what it lets through, and what it refuses."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.pubsub.errors import ServiceError
from local.pubsub.filters import compile_filter

MESSAGE = {"event_type": "load.ingested", "feed": "sales", "odd key": "x"}


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("", True),
        ("attributes:feed", True),
        ("attributes:colour", False),
        ('attributes.feed = "sales"', True),
        ('attributes.feed="stock"', False),
        ('attributes.feed != "stock"', True),
        ('attributes.colour != "red"', True),
        ('attributes."odd key" = "x"', True),
        ('hasPrefix(attributes.event_type, "load.")', True),
        ('hasPrefix(attributes.event_type, "kpi.")', False),
        ("NOT attributes:colour", True),
        ("-attributes:feed", False),
        ('attributes:feed AND attributes.feed = "sales"', True),
        ('attributes:colour OR attributes.feed = "sales"', True),
        ('attributes:feed AND (attributes:colour OR NOT attributes.feed = "x")', True),
        ('attributes.feed = "sa\\"les"', False),
    ],
)
def test_a_filter_decides(text: str, passes: bool) -> None:
    """Each documented form."""
    assert compile_filter(text)(MESSAGE) is passes


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('attributes:a AND attributes:b OR attributes:c', "parentheses"),
        ("attributes.a", "expected = or !="),
        ("attributes.a = b", "quoted string"),
        ("data = \"x\"", "expected attributes"),
        ("attributes:a )", "unexpected"),
        ("(attributes:a", "expected )"),
        ('attributes.a = "' + "x" * 260 + '"', "too large"),
        ("attributes.a § 1", "position"),
    ],
)  # fmt: skip
def test_what_is_no_filter_is_refused_with_a_reason(text: str, says: str) -> None:
    """INVALID_ARGUMENT that names what was expected."""
    with pytest.raises(ServiceError, match=None) as caught:
        compile_filter(text)
    assert says in caught.value.message
    assert caught.value.code.name == "INVALID_ARGUMENT"


# -- any filter, beside what it means

_KEYS = ["a", "b-c", "odd key", "ü"]
_VALUES = ["", "x", 'q"uote', "back\\slash", "xy"]
Meaning = tuple[str, Callable[[dict[str, str]], bool]]


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _key(name: str) -> str:
    return name if name.replace("-", "").isalnum() and name.isascii() else _quoted(name)


def _comparison(kind: str, key: str, value: str) -> Meaning:
    name, text = _key(key), _quoted(value)
    return {
        ":": (f"attributes:{name}", lambda a: key in a),
        "=": (f"attributes.{name} = {text}", lambda a: a.get(key) == value),
        "!=": (f"attributes.{name}!={text}", lambda a: a.get(key) != value),
        "hasPrefix": (f"hasPrefix(attributes.{name}, {text})", lambda a: key in a and a[key].startswith(value)),
    }[kind]


def _joined(word: str, parts: list[Meaning]) -> Meaning:
    test = all if word == "AND" else any
    return f" {word} ".join(f"({t})" for t, _ in parts), lambda a: test(m(a) for _, m in parts)


_SIMPLE = st.builds(
    _comparison, st.sampled_from([":", "=", "!=", "hasPrefix"]), st.sampled_from(_KEYS), st.sampled_from(_VALUES)
)
_FILTERS = st.recursive(
    _SIMPLE,
    lambda inner: st.one_of(
        st.builds(_joined, st.sampled_from(["AND", "OR"]), st.lists(inner, min_size=2, max_size=3)),
        inner.map(lambda m: (f"NOT ({m[0]})", lambda a: not m[1](a))),
        inner.map(lambda m: (f"-({m[0]})", lambda a: not m[1](a))),
    ),
    max_leaves=4,
).filter(lambda m: len(m[0].encode()) <= 256)


@given(_FILTERS, st.dictionaries(st.sampled_from(_KEYS), st.sampled_from(_VALUES)))
def test_a_filter_means_what_it_says(meaning: Meaning, attributes: dict[str, str]) -> None:
    """However it is put together."""
    text, means = meaning
    assert compile_filter(text)(attributes) is means(attributes)


@given(st.text(alphabet='attributes.:= "\\()-ANDORT', max_size=60))
def test_anything_is_a_filter_or_refused(text: str) -> None:
    """Nothing else happens."""
    try:
        compile_filter(text)
    except ServiceError as error:
        assert error.code.name == "INVALID_ARGUMENT"
