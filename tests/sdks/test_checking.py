"""The verdict of `make sdks` itself: what would be wrong is found."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple, cast

import pytest

from stream.core.times import format_time
from stream.kafka.partitioner import partition_of
from tests.sdks.calls import story
from tests.sdks.checking import Checked, Placed, Record
from tests.sdks.product import PARTITIONS
from tests.sdks.recording import recorded
from tests.sdks.sdks import SDKS

SDK = SDKS[0]
RECORDING = recorded(SDK)
CALLS = [call for burst in story(SDK) for call in burst]


class Stored(NamedTuple):
    """A record, as far as it is looked at."""

    key: bytes
    value: bytes
    timestamp: int
    headers: tuple[tuple[str, bytes], ...] = ()


def stored(raw: dict[str, Any], partition: int | None = None) -> Placed:
    key = (raw["userId"] or raw["anonymousId"]).encode()
    record = Stored(key, json.dumps(raw).encode(), RECORDING.sent.ended)
    return (partition_of(key, PARTITIONS) if partition is None else partition), cast("Record", record)


def right() -> list[dict[str, Any]]:
    """The records as they must be, taken from the requests by other means than the collector's."""
    return [
        {**item, "sentAt": json.loads(exchange.unpacked)["sentAt"], "receivedAt": format_time(RECORDING.sent.ended)}
        for exchange in RECORDING.requests
        for item in exchange.items()
        if item.get("event") != "Cut"
    ]


def differences(found: list[Placed]) -> list[str]:
    return list(Checked(SDK, CALLS, RECORDING.sent, RECORDING.requests, found).differences())


def test_what_is_right_has_no_differences() -> None:
    assert differences([stored(raw) for raw in right()]) == []


def test_a_record_that_is_there_twice_with_one_id_is_no_difference() -> None:
    once = [stored(raw) for raw in right()]
    assert differences(once + once) == []
    assert Checked(SDK, CALLS, RECORDING.sent, RECORDING.requests, once + once).repeats == len(once)


def _order(found: list[dict[str, Any]]) -> dict[str, Any]:
    return next(raw for raw in found if raw.get("event") == "Order Completed")


def _lose(found: list[dict[str, Any]]) -> None:
    found.remove(_order(found))


def _with_another_id(found: list[dict[str, Any]]) -> None:
    found.append({**_order(found), "messageId": "another"})


def _other_number(found: list[dict[str, Any]]) -> None:
    _order(found)["properties"]["total"] = 19.899


def _text_for_a_number(found: list[dict[str, Any]]) -> None:
    _order(found)["properties"]["total"] = "19.9"


def _later(found: list[dict[str, Any]]) -> None:
    dated = next(raw for raw in found if raw.get("event") == "Dated")
    dated["timestamp"] = dated["timestamp"].replace(".123", ".124")


def _with_its_key(found: list[dict[str, Any]]) -> None:
    _order(found)["writeKey"] = "secret"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_lose, "Order Completed is there with 0 ids"),
        (_with_another_id, "Order Completed is there with 2 ids"),
        (_other_number, "its properties are"),
        (_text_for_a_number, "its properties are"),
        (_later, "its own time is 1763805600124, and should be 1763805600123"),
        (_with_its_key, "has its write key still"),
    ],
)
def test_what_is_wrong_is_said(change: Callable[[list[dict[str, Any]]], None], said: str) -> None:
    found = right()
    change(found)
    assert [each for each in differences([stored(raw) for raw in found]) if said in each]


def test_a_record_on_another_partition_is_said() -> None:
    found = [stored(raw, 3 - partition_of(raw["messageId"].encode(), 2)) for raw in right()]
    assert any("it is on partition" in each for each in differences(found))
