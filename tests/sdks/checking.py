"""Hold what is on the topics against the calls that were made, and against what went over the wire."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from aiokafka import ConsumerRecord

from stream.codec.interactions import InteractionDecoder
from stream.core.interaction import Interaction
from stream.kafka.partitioner import partition_of
from stream.web.collector.intake import SOURCE
from tests.kit.topics import Records
from tests.sdks.calls import Call, are_same, expected, instant_of, is_unreadable
from tests.sdks.product import PARTITIONS
from tests.sdks.sdks import Sdk
from tests.sdks.sending import Sent
from tests.sdks.wire import Exchange

Record = ConsumerRecord[bytes | None, bytes | None]
Placed = tuple[int, Record]
"""A record and its partition."""
_PUT_IN: Final = {"writeKey", "sentAt", "context", "receivedAt"}
"""Members of an item that the collector takes out, puts in or adds to."""
_SENDS_AGAIN_UNCHANGED: Final = {"analytics-java", "analytics-node"}
"""Libraries whose `sentAt` is that of their first attempt."""
_CUT_OFF: Final = 1_000


def of_source(records: Records, source: str) -> list[Placed]:
    """The records that came by one write key, with their partitions."""
    return [
        (partition, record)
        for partition, found in records.items()
        for record in found
        if dict(record.headers).get(SOURCE) == source.encode()
    ]


class Checked:
    """What was found of one part of a run."""

    def __init__(
        self,
        sdk: Sdk,
        calls: Sequence[Call],
        sent: Sent,
        exchanges: Sequence[Exchange],
        found: list[Placed],
    ) -> None:
        """`found` are the interactions of this part."""
        self._sdk, self._calls, self._sent = sdk, calls, sent
        self._exchanges, self._found = exchanges, found
        self._decoder = InteractionDecoder()
        self.ids = {json.loads(record.value or b"")["messageId"] for _partition, record in found}
        self.repeats = len(found) - len(self.ids)
        """Records that are there once more, and count once."""

    def differences(self) -> Iterator[str]:
        """Whatever is not as it must be, in a sentence each."""
        by_call: dict[object, list[Placed]] = defaultdict(list)
        for each in self._found:
            by_call[_key_of(json.loads(each[1].value or b""))].append(each)
        for call in self._calls:
            records = by_call.pop(_key(call), [])
            if is_unreadable(call, self._sdk):
                if records:
                    yield f"{_key(call)} is an interaction, and cannot be one"
                continue
            ids = {json.loads(record.value or b"")["messageId"] for _partition, record in records}
            if len(ids) != 1:
                yield f"{_key(call)} is there with {len(ids)} ids"
            for partition, record in records:
                for wrong in self._wrong(call, partition, record):
                    yield f"{_key(call)}: {wrong}"
        yield from (f"{key} was never called" for key in by_call)
        yield from self._unlike_the_wire()

    def _wrong(self, call: Call, partition: int, record: Record) -> Iterator[str]:
        value = record.value or b""
        if record.key != call.subject.encode():
            yield f"its key is {record.key!r}"
        if partition != partition_of(call.subject.encode(), PARTITIONS):
            yield f"it is on partition {partition}"
        read = self._decoder.decode(value, record.timestamp, record.headers)
        if not isinstance(read, Interaction):
            yield f"it cannot be read: {read}"
            return
        raw = json.loads(value)
        if (read.name, read.subject, read.id) != (call.event, call.subject, raw["messageId"]):
            yield f"it is {read.name} of {read.subject}, id {read.id}"
        found = read.properties
        if self._sdk.is_of_a_browser and call.kind in ("page", "screen"):
            found = {key: each for key, each in found.items() if key in call.expected}
        wanted = expected(call, self._sdk)
        if not are_same(wanted, found):
            yield f"its properties are {found}, and should be {wanted}"
        own = _own_time(raw)
        if call.time is not None and own != call.time:
            yield f"its own time is {own}, and should be {call.time}"
        if call.time is None and not self._sent.began <= own <= self._sent.ended:
            yield f"its own time is {own}, and it was called from {self._sent.began} to {self._sent.ended}"
        if read.time != _corrected(raw):
            yield f"its time is {read.time}, and should be {_corrected(raw)}"

    def _unlike_the_wire(self) -> Iterator[str]:
        """Each record has what one of its SDK's attempts had, member by member; all that was answered 200 is there."""
        sent: dict[str, list[dict[str, Any]]] = defaultdict(list)
        answered: set[str] = set()
        for exchange in self._exchanges:
            for item in exchange.items():
                sent[item["messageId"]].append(item)
                if exchange.status == 200:
                    answered.add(item["messageId"])
        readable = {item["messageId"] for items in sent.values() for item in items if not _is_unreadable(item)}
        if answered & readable - self.ids:
            yield f"answered 200, and not there: {sorted(answered & readable - self.ids)}"
        for _partition, record in self._found:
            raw = json.loads(record.value or b"")
            unlike = [[*_unlike(item, raw)] for item in sent[raw["messageId"]]]
            if not unlike:
                yield f"nobody sent {raw['messageId']}"
            elif all(unlike):
                yield f"{raw['messageId']}: {unlike[0]}"
            if "writeKey" in raw:
                yield f"{raw['messageId']} has its write key still"


def unreadable(sdk: Sdk, calls: Iterable[Call], letters: list[Placed]) -> Iterator[str]:
    """Whatever is wrong with the dead letters of a part: each call that cannot be read is one, and nothing else."""
    wanted = [call for call in calls if is_unreadable(call, sdk)]
    names = [json.loads(record.value or b"").get("event") for _partition, record in letters]
    if set(names) != {call.name for call in wanted}:
        yield f"dead letters are {names}, and should be {[call.name for call in wanted]}"


def _unlike(item: dict[str, Any], raw: dict[str, Any]) -> Iterator[str]:
    for key in (item.keys() | raw.keys()) - _PUT_IN - {"type"}:
        if repr(item.get(key)) != repr(raw.get(key)):
            yield f"`{key}` was sent as {item.get(key)!r} and is {raw.get(key)!r}"


def _is_unreadable(item: dict[str, Any]) -> bool:
    return any(isinstance(value, str) and not _can_be_stored(value) for value in item.get("properties", {}).values())


def _can_be_stored(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _key(call: Call) -> object:
    """By what a call is known."""
    return (call.event, call.properties["number"]) if call.name == "Ping" else call.event


def _key_of(raw: dict[str, Any]) -> object:
    if raw.get("event") == "Ping":
        return ("Ping", raw["properties"]["number"])
    return raw["event"] if raw["type"] == "track" else raw["type"]


def _own_time(raw: dict[str, Any]) -> int:
    """The call's time as its program states it, or else by the sender's clock."""
    return instant_of(raw.get("timestamp") or raw["originalTimestamp"])


def _corrected(raw: dict[str, Any]) -> int:
    """The call's time without what the sender's clock is off, as docs/topics.md says."""
    if "originalTimestamp" in raw and "timestamp" in raw:
        return instant_of(raw["timestamp"])
    own = _own_time(raw)
    sent, received = instant_of(raw["sentAt"]), instant_of(raw["receivedAt"])
    library = raw.get("context", {}).get("library", {}).get("name")
    if sent < own - _CUT_OFF or (received >= sent and library in _SENDS_AGAIN_UNCHANGED):
        return own
    return own + received - sent
