"""The pure decisions: back-off, dead letters, what an ack id is worth, order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.pubsub.delivery import AckId, Delivery, Policy, pick
from local.pubsub.errors import ServiceError
from local.pubsub.wire import Subscription


def test_the_back_off_doubles_between_its_bounds() -> None:
    """10, 20, 40 ... never above the maximum, however often."""
    policy = Policy(minimum_backoff=10, maximum_backoff=600)
    assert [policy.backoff(n) for n in (1, 2, 3, 7, 8, 10_000)] == [10, 20, 40, 600, 600, 600]


def test_without_a_policy_nothing_waits_and_nothing_dies() -> None:
    """A plain subscription."""
    policy = Policy.of(Subscription())
    assert (policy.backoff(5), policy.is_dead(1_000_000)) == (0, False)


def test_a_dead_letter_has_had_all_its_attempts() -> None:
    """The fifth delivery is the last of five."""
    policy = Policy(max_attempts=5, dead_letter_topic="t")
    assert [policy.is_dead(n) for n in (4, 5)] == [False, True]


@given(st.integers(0, 2**53), st.integers(0, 2**53), st.integers(0, 2**53))
def test_an_ack_id_reads_back(subscription: int, message: int, token: int) -> None:
    """What was given out is understood."""
    ack_id = AckId(subscription, message, token)
    assert AckId.parse(str(ack_id)) == ack_id


@given(st.text().filter(lambda t: t.count(":") != 2))
def test_anything_else_is_refused(text: str) -> None:
    """INVALID_ARGUMENT, whatever it is."""
    with pytest.raises(ServiceError):
        AckId.parse(text)


@pytest.mark.parametrize("text", ["1:2:x", "1:2:", "1:2:٣", "1:2:-1", "1:2:" + "9" * 30])
def test_almost_an_ack_id_is_refused(text: str) -> None:
    """Three parts are not enough."""
    with pytest.raises(ServiceError):
        AckId.parse(text)


def _delivery(acked: int = 0, token: int = 3, available: float = 100, leased: int = 1, floor: int = 0) -> Delivery:
    return Delivery(1, acked, token, available, 1, leased, floor, "")


@pytest.mark.parametrize(
    ("state", "token", "plain", "exactly_once"),
    [
        (_delivery(), 3, True, True),
        (_delivery(), 2, True, False),  # a lease before the present one
        (_delivery(available=50), 3, True, False),  # the deadline has passed
        (_delivery(leased=0), 3, True, False),  # it was refused
        (_delivery(acked=1, leased=0), 3, True, True),  # acknowledged already, by the same lease
        (_delivery(acked=1, leased=0), 2, True, False),
        (_delivery(floor=3), 3, False, False),  # a seek came between
    ],
)
def test_which_acknowledgements_count(state: Delivery, token: int, plain: bool, exactly_once: bool) -> None:
    """Late ones do, best effort, unless the subscription is exactly-once or a seek came between."""
    assert state.acknowledgeable(token, 60, exactly_once=False) is plain
    assert state.acknowledgeable(token, 60, exactly_once=True) is exactly_once


_DUE = st.lists(st.sampled_from(["", "a", "b", "c"]), max_size=30)


@given(_DUE, st.sets(st.sampled_from("abc")), st.integers(0, 40), st.booleans())
def test_what_goes_out_keeps_the_order_of_each_key(
    keys: list[str], blocked: set[str], limit: int, single: bool
) -> None:
    """For each key a beginning of what is due, nothing of a blocked key, no more than the limit."""
    due = list(enumerate(keys))
    picked = list(pick(due, blocked, limit, single))
    assert len(picked) <= limit
    for key in "abc":
        of_key = [n for n, k in due if k == key]
        went = [n for n in picked if keys[n] == key]
        assert went == of_key[: len(went)]
        assert not (went and key in blocked)
        assert not single or len(went) <= 1
