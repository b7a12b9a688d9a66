"""When a delivery that failed is tried again."""

from hypothesis import given
from hypothesis import strategies as st

from stream.webhooks.deliveries.schedule import DELAYS, JITTER, next_due

AT = 1_767_261_600_000
GOLDEN = 5_233
"""Milliseconds."""
SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000


def test_the_delays_are_those_of_the_standard():
    expected = (0, 5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR)
    assert expected == DELAYS


@given(st.text(max_size=20), st.text(max_size=20), st.integers(1, 9), st.integers(0, 1 << 44))
def test_each_delay_is_lengthened_by_a_fifth_at_most_and_never_shortened(event_id, endpoint, attempts, at):
    due = next_due(event_id, endpoint, attempts, at)
    assert due is not None
    assert DELAYS[attempts] <= due - at <= DELAYS[attempts] * (1 + JITTER)


@given(st.integers(10, 1_000))
def test_after_ten_attempts_there_is_none(attempts):
    assert next_due("shop:customer:1:0-1:1", "crm", attempts, AT) is None


def test_it_is_the_same_whenever_it_is_computed():
    # Written down: another process, and a later version, says the same.
    assert next_due("shop:customer:1:0-1:1", "crm", 1, AT) == next_due("shop:customer:1:0-1:1", "crm", 1, AT)
    assert next_due("shop:customer:1:0-1:1", "crm", 1, AT) - AT == GOLDEN


def test_what_failed_together_is_not_tried_again_together():
    dues = {next_due(f"shop:customer:{number}:0-1:1", "crm", 2, AT) for number in range(1_000)}
    assert len(dues) > 950
    first, last = min(dues) - AT, max(dues) - AT
    assert first < DELAYS[2] * 1.01
    assert last > DELAYS[2] * 1.19


def test_two_endpoints_are_not_tried_again_together():
    assert next_due("shop:customer:1:0-1:1", "crm", 2, AT) != next_due("shop:customer:1:0-1:1", "mail", 2, AT)
