"""How long a tool asks to be left alone."""

import pytest

from stream.webhooks.templating.retry_after import LONGEST, RATE_LIMIT_HEADERS, asked_to_wait

NOW = 1_764_000_000.0
NOW_AS_DATE = "Mon, 24 Nov 2025 16:00:00 GMT"


def clock() -> float:
    return NOW


def waits(**headers: str) -> float | None:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return asked_to_wait(named, RATE_LIMIT_HEADERS, clock)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 0 ", 0),
        ("1.5", 1.5),
        ("Mon, 24 Nov 2025 16:02:00 GMT", 120),
        ("Monday, 24-Nov-25 16:02:00 GMT", 120),
        ("Mon Nov 24 16:02:00 2025", 120),
        ("Mon, 24 Nov 2025 15:00:00 GMT", 0),
        ("999999999", LONGEST),
        ("Mon, 24 Nov 9999 16:00:00 GMT", LONGEST),
    ],
)
def test_retry_after_is_seconds_or_a_date_of_http_and_is_bounded(value: str, seconds: float) -> None:
    assert waits(retry_after=value) == seconds


@pytest.mark.parametrize(
    "value", ["", "soon", "-5", "1e9", "٣", "12 s", "9" * 400, "Mon, 99 Nov 2025 16:00:00 GMT", "0x10"]
)
def test_a_header_that_cannot_be_read_asks_for_nothing(value: str) -> None:
    assert waits(retry_after=value, x_ratelimit_reset=value, x_sib_ratelimit_reset=value) is None


def test_nothing_is_asked_for_without_a_header() -> None:
    assert waits() is None


def test_a_date_is_compared_with_the_answers_own_clock() -> None:
    """A tool whose clock is an hour behind asks for two minutes all the same."""
    assert waits(retry_after="Mon, 24 Nov 2025 15:02:00 GMT", date="Mon, 24 Nov 2025 15:00:00 GMT") == 120
    assert waits(x_ratelimit_reset=str(int(NOW) + 5), date=NOW_AS_DATE) == 5


def test_other_headers_count_seconds_or_say_a_time() -> None:
    assert waits(x_ratelimit_reset="1764000003") == 3
    assert waits(x_ratelimit_reset="1763999990") == 0
    assert waits(x_sib_ratelimit_reset="7") == 7


def test_retry_after_comes_before_the_others_and_one_that_is_unreadable_does_not() -> None:
    assert waits(retry_after="1", x_sib_ratelimit_reset="7") == 1
    assert waits(retry_after="soon", x_sib_ratelimit_reset="7") == 7


def test_headers_that_a_template_does_not_name_are_not_looked_at() -> None:
    assert asked_to_wait({"x-ratelimit-reset": "1764000003"}, (), clock) is None
