"""How many requests a second an endpoint gets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.webhooks.sending.rate import RateLimit


def sent(rate: float, seconds: float, pauses: tuple[float, ...] = ()) -> list[float]:
    """When requests go out, where there is always one more; nobody asks during a pause."""
    limit, now, times, left = RateLimit(rate), 0.0, [], list(pauses)
    while now < seconds:
        wait = limit.take(now)
        if wait == 0.0:
            times.append(now)
            now += left.pop() if left else 0.0
        else:
            now += wait
    return times


def most_in_a_second(times: list[float]) -> int:
    return max(sum(begin <= each < begin + 1 - 1e-6 for each in times) for begin in times)


@pytest.mark.parametrize("rate", [1, 2, 3, 10, 19, 20, 21, 50, 100, 640])
def test_no_second_has_more_requests_than_the_rate(rate):
    assert most_in_a_second(sent(rate, 3)) <= rate


@pytest.mark.parametrize("rate", [1, 2, 10, 20, 100, 640])
def test_whoever_always_has_something_to_send_gets_nearly_the_whole_rate(rate):
    assert len(sent(rate, 20)) >= 0.95 * rate * 20


@given(st.integers(1, 60), st.lists(st.floats(0, 2), max_size=20))
def test_a_pause_is_not_made_up_for(rate, pauses):
    assert most_in_a_second(sent(rate, 4, tuple(pauses))) <= rate


def test_a_rate_below_one_spaces_requests():
    assert sent(0.5, 7) == [0.0, 2.0, 4.0, 6.0]


def test_what_is_refused_is_not_counted():
    limit = RateLimit(1)
    assert limit.take(0.0) == 0.0
    assert [limit.take(0.5), limit.take(0.5), limit.take(0.75)] == [0.5, 0.5, 0.25]
    assert limit.take(1.0) == 0.0


def test_requests_that_belong_together_go_out_together_and_what_follows_waits_longer():
    limit = RateLimit(2)
    assert limit.take(0.0, requests=3) == 0.0
    assert limit.take(0.0) == 1.5
    assert limit.take(1.5) == 0.0
