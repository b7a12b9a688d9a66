"""When a Segment call happened: what helps to find it, and what is left out because it cannot be so."""

import json

import pytest

from stream.codec.dead_letter_reasons import Reason, Rejected
from stream.codec.interactions import InteractionDecoder
from stream.core.interaction import Interaction
from stream.core.times import format_time, parse_time

MADE = "2026-03-01T16:00:27.029Z"
RECEIVED = parse_time("2026-03-01T16:00:29Z") or 0
ORDER = {"type": "track", "event": "Order Completed", "messageId": "s2", "userId": "c-6", "timestamp": MADE}


def read(fields: dict[str, object], received: int | None = RECEIVED) -> tuple[str, dict[str, int]]:
    """The time that comes out, and what was counted."""
    decoder = InteractionDecoder()
    found = decoder.decode(json.dumps(ORDER | fields).encode(), received)
    assert isinstance(found, Interaction), found
    return format_time(found.time), decoder.take_flaws()


# ── What is not believed ──


def test_a_time_of_arrival_before_all_that_is_believed_leaves_the_broker_s():
    """Sent 1 s before the broker had it: the clock is 1 s behind."""
    call = {"sentAt": "2026-03-01T16:00:28Z", "receivedAt": "1970-01-01T00:00:00Z"}
    assert read(call) == ("2026-03-01T16:00:28.029Z", {"receivedAt": 1})


def test_a_time_of_arrival_long_after_the_broker_s_leaves_that():
    call = {"sentAt": "2026-03-01T16:00:28Z", "receivedAt": "2999-01-01T00:00:00Z"}
    assert read(call) == ("2026-03-01T16:00:28.029Z", {"receivedAt": 1})


@pytest.mark.parametrize("timestamp", ["1970-01-01T00:00:00Z", "2999-01-01T00:00:00Z"])
def test_a_corrected_time_that_is_not_believed_leaves_the_original(timestamp):
    assert read({"timestamp": timestamp, "originalTimestamp": MADE}) == (MADE, {"timestamp": 1})


@pytest.mark.parametrize("received_at", ["2026-03-01T16:00:28Z", None])
@pytest.mark.parametrize("sent_at", ["1970-01-01T00:00:00Z", "2024-04-02T00:00:00Z", "2026-02-28T20:00:00Z"])
def test_a_call_is_not_sent_before_it_is_made(sent_at, received_at):
    assert read({"sentAt": sent_at, "receivedAt": received_at}) == (MADE, {"sentAt": 1})


def test_the_second_in_which_a_call_was_made_may_be_that_in_which_it_was_sent():
    """Some senders cut fractions off: 16:00:27 is 1 s before this arrival."""
    assert read({"sentAt": "2026-03-01T16:00:27Z", "receivedAt": "2026-03-01T16:00:28Z"}) == (
        "2026-03-01T16:00:28.029Z",
        {},
    )
    assert read({"sentAt": "2026-03-01T16:00:26.029Z", "receivedAt": "2026-03-01T16:00:26.029Z"}) == (MADE, {})
    assert read({"sentAt": "2026-03-01T16:00:26.028Z", "receivedAt": "2026-03-01T16:00:26.029Z"}) == (
        MADE,
        {"sentAt": 1},
    )


def test_a_correction_to_where_nothing_is_believed_is_left_out():
    assert read({"sentAt": "2999-01-01T00:00:00Z"}) == (MADE, {"sentAt": 1})
    assert read({"sentAt": "2999-01-01T00:00:00Z"}, None) == (MADE, {})  # nothing to compare it with


def test_a_frozen_sent_at_of_two_years_ago_moves_nothing():
    """analytics-java with a `sentAt` of its own, 1.9 years old: 2028 with the correction."""
    call = {"sentAt": "2024-04-02T00:00:00Z", "context": {"library": {"name": "analytics-java"}}}
    assert read(call) == (MADE, {"sentAt": 1})
    assert read(call | {"receivedAt": "2026-03-01T16:00:28Z"}) == (MADE, {"sentAt": 1})


def test_without_a_time_of_its_own_a_call_happened_when_it_arrived_as_far_as_that_is_believed():
    assert read({"timestamp": None, "receivedAt": "2026-03-01T16:00:28Z"}) == ("2026-03-01T16:00:28.000Z", {})
    for wrong in ("1970-01-01T00:00:00Z", "soon"):
        assert read({"timestamp": None, "receivedAt": wrong}) == ("2026-03-01T16:00:29.000Z", {"receivedAt": 1})


def test_the_call_s_own_time_is_refused_as_it_is_where_nothing_corrects_it():
    decoder = InteractionDecoder()
    for more in ({}, {"sentAt": MADE}, {"sentAt": "1970-01-01T00:10:05Z"}):
        call = ORDER | {"timestamp": "1970-01-01T00:10:00Z"} | more
        found = decoder.decode(json.dumps(call).encode(), RECEIVED)
        assert isinstance(found, Rejected)
        assert found.reason is Reason.BAD_TIME
        assert "1970-01-01T00:10:00.000Z" in found.detail
    assert decoder.take_flaws() == {}


# ── What cannot be read ──


def test_a_time_of_arrival_that_cannot_be_read_leaves_the_broker_s():
    assert read({"receivedAt": "soon"}) == (MADE, {"receivedAt": 1})
    assert read({"receivedAt": "soon", "sentAt": "2026-03-01T16:00:28Z"}) == (
        "2026-03-01T16:00:28.029Z",
        {"receivedAt": 1},
    )


def test_of_two_times_that_which_can_be_read_counts():
    assert read({"timestamp": "soon", "originalTimestamp": MADE}) == (MADE, {"timestamp": 1})
    assert read({"timestamp": True, "originalTimestamp": MADE}) == (MADE, {"timestamp": 1})
    assert read({"originalTimestamp": "soon"}) == (MADE, {})  # the other is corrected already
    decoder = InteractionDecoder()
    found = decoder.decode(json.dumps(ORDER | {"timestamp": "soon", "originalTimestamp": "later"}).encode(), RECEIVED)
    assert isinstance(found, Rejected)
    assert found.reason is Reason.BAD_TIME
    assert "`originalTimestamp`" in found.detail
    assert decoder.take_flaws() == {}


# ── Units and digits ──


def test_seconds_are_read_as_such_wherever_they_stand():
    """1772380827 is 16:00:27, 1772380828 a second later."""
    assert read({"timestamp": 1772380827}) == ("2026-03-01T16:00:27.000Z", {"time_unit": 1})
    assert read({"timestamp": None, "originalTimestamp": 1772380827}) == ("2026-03-01T16:00:27.000Z", {"time_unit": 1})
    assert read({"timestamp": 1772380827, "originalTimestamp": 1}) == ("2026-03-01T16:00:27.000Z", {"time_unit": 1})
    assert read({"sentAt": 1772380828}) == ("2026-03-01T16:00:28.029Z", {"time_unit": 1})
    assert read({"timestamp": 1772380827, "sentAt": 1772380828, "receivedAt": 1772380828}) == (
        "2026-03-01T16:00:27.000Z",
        {"time_unit": 3},
    )


@pytest.mark.parametrize("zero", [0x0660, 0x06F0, 0x0966])
def test_digits_of_another_script_are_digits_in_each_of_the_times(zero):
    def written(time: str) -> str:
        return time.translate({ord(str(digit)): chr(zero + digit) for digit in range(10)})

    assert read({"timestamp": written(MADE)}) == (MADE, {})
    assert read({"sentAt": written("2026-03-01T16:00:28.000Z")}) == ("2026-03-01T16:00:28.029Z", {})
    assert read({"sentAt": written("2026-03-01T16:00:28.000Z"), "receivedAt": written("2026-03-01T16:00:28.500Z")}) == (
        "2026-03-01T16:00:27.529Z",
        {},
    )


# ── Calls without a type ──


@pytest.mark.parametrize(
    "fields",
    [{"traits": {"plan": "pro"}}, {"groupId": "g"}, {"previousId": "p"}, {"name": "Pricing", "category": "Docs"}],
)
def test_a_call_that_does_not_say_which_it_is_names_both_that_would(fields):
    decoder = InteractionDecoder()
    found = decoder.decode(json.dumps({"userId": "c-6", "timestamp": MADE, **fields}).encode(), RECEIVED)
    assert isinstance(found, Rejected)
    assert found.reason is Reason.NO_EVENT_NAME
    assert "`type` (track, page, screen, identify, group, alias)" in found.detail
    assert "`event`" in found.detail
