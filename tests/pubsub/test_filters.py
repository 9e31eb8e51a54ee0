"""The filter language: what it lets through, and what it refuses."""

import pytest

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
