"""From the items of a request to records: each an interaction as the worker will read it, or a dead letter.

Every item is read by the product's own decoder, so that what a worker could not read is a dead letter here already,
and so that its key is its subject, and its partition the one where its customer's state is.
"""

import re
import secrets
from collections.abc import Mapping
from itertools import count
from typing import Final

from stream.codec.dead_letter_reasons import Reason, Rejected
from stream.codec.dead_letters import NEVER_ON_A_TOPIC, dead_letter
from stream.codec.gathered import meant_for
from stream.codec.interactions import NATIVE, SEGMENT, InteractionDecoder
from stream.codec.partitioners import home_of
from stream.codec.records import Headers, Outgoing
from stream.kafka.topic_plan import DEFAULT_MAX_MESSAGE, FoundTopic
from stream.settings import Settings
from stream.web.collector.cloud_events import with_event_id
from stream.web.collector.completing import Arrival, encoded, id_of, put_address
from stream.web.collector.splitting import Members, Raw, members_of

SOURCE: Final = "lifecycle_source"
"""The header that says by whose write key an interaction came."""
_RECORD_OVERHEAD: Final = 256
"""What a batch of one record takes besides its key, value and headers, at most, in bytes."""
_ROOM_BESIDE: Final = 16 << 10
"""More than key and headers of nearly all records take; only a value that leaves less is weighed exactly."""
_OFFSET_BITS: Final = 63
_WRITE_KEY: Final = re.compile(rb'"writeKey"\s*:\s*"[^"]*"')
_TIMES_OF_SEGMENT: Final = ("timestamp", "originalTimestamp")
_TIMES_OF_NATIVE: Final = ("time",)
_SUBJECT: Final = {SEGMENT: frozenset({"userId", "anonymousId"}), NATIVE: frozenset({"customer_id", "anonymous_id"})}
"""By format, what says whose an item is."""


class Placed:
    """A record and where it goes."""

    def __init__(self, topic: str, partition: int, record: Outgoing, rejected: Rejected | None) -> None:
        self.topic = topic
        self.partition = partition
        self.record = record
        self.rejected = rejected
        """Why it is a dead letter; None: it is an interaction."""


class Going:
    """What is the same for all items of a request."""

    def __init__(self, topic: str, headers: Headers, received: int) -> None:
        self.topic = topic
        """To which they go."""
        self.headers = headers
        """Which each of them gets."""
        self.received = received
        """When they arrived, epoch milliseconds."""


class _Unsent:
    """What a dead letter is made of, in place of a record of a topic."""

    def __init__(self, offset: int, timestamp: int, key: bytes | None, value: bytes | None, headers: Headers) -> None:
        self.offset = offset
        self.timestamp = timestamp
        self.key = key
        self.value = value
        self.headers = headers
        self.timestamp_type: int | None = None


class Intake:
    """Makes records for topics as they were found; `found` has those that are sent to, and that of dead letters."""

    def __init__(self, settings: Settings, found: Mapping[str, FoundTopic]) -> None:
        topics = settings.topics
        self._partitioner: str = settings.partitioner
        self._processed, self._dead_letters = topics.interactions, topics.dead_letters
        self._is_gathered = bool(topics.sources)
        self._partitions = {name: each.partitions for name, each in found.items()}
        self._largest = {
            name: int(each.configs.get("max.message.bytes", DEFAULT_MAX_MESSAGE)) for name, each in found.items()
        }
        self._surely_fits = {name: largest - _ROOM_BESIDE for name, largest in self._largest.items()}
        self._decoders: dict[str, InteractionDecoder] = {name: settings.decoder(name) for name in topics.sent_to}
        self._turn = count(secrets.randbelow(1 << 16))

    def call(self, item: bytes, members: Members | None, arrival: Arrival, goes: Going) -> Placed:
        """An item that came as a call of Segment's; `members` are what stands in it, and are changed."""
        if members is None:
            value = _WRITE_KEY.sub(b'"writeKey":"***"', item)
        else:
            arrival.complete(members)
            value = encoded(members)
        read = self._decoders[goes.topic].decode(value, goes.received)
        if isinstance(read, Rejected):
            return self._rejected(value, None, goes.headers, read, goes)
        if read.id is None and members is not None:
            value = _with_id(members, "messageId", _TIMES_OF_SEGMENT)
        return self._placed(read.subject, value, goes.headers, goes)

    def call_of_batch(self, item: bytes, arrival: Arrival, goes: Going) -> Placed:
        """As `call`; nearly all need not be taken apart for it, which takes longer than all else that is done here."""
        value = arrival.appended_to(item)
        if value is not None and len(value) <= self._surely_fits[goes.topic]:
            read = self._decoders[goes.topic].decode(value, goes.received)
            if not isinstance(read, Rejected) and read.id is not None:
                return self._at_home(read.subject.encode(), value, goes.headers, goes.topic)
        return self.call(item, members_of(item), arrival, goes)

    def interaction(self, item: bytes, arrival: Arrival, goes: Going) -> Placed:
        """An item that came as an interaction of any format that workers read."""
        decoder = self._decoders[goes.topic]
        read = decoder.decode(item, goes.received)
        if isinstance(read, Rejected):
            return self._rejected(item, None, goes.headers, read, goes)
        if decoder.format == SEGMENT or (decoder.format == NATIVE and (read.id is None or arrival.address is not None)):
            members = members_of(item)
            # Neither is there where it is in an envelope, which stays as it is.
            if members is not None and not _SUBJECT[decoder.format].isdisjoint(members):
                if decoder.format == SEGMENT:
                    return self.call(item, members, arrival, goes)
                if arrival.address is not None:
                    put_address(members, arrival.address)
                item = encoded(members) if read.id is not None else _with_id(members, "id", _TIMES_OF_NATIVE)
        return self._placed(read.subject, item, goes.headers, goes)

    def event(self, value: bytes, attributes: Headers, goes: Going) -> Placed:
        """A CloudEvent, whose `attributes`, headers of its record, say that it is one."""
        headers: Headers = [*attributes, *goes.headers]
        read = self._decoders[goes.topic].decode(value, goes.received, attributes)
        if isinstance(read, Rejected):
            return self._rejected(value, None, headers, read, goes)
        if read.id is None:
            value, headers = with_event_id(value, headers)
        return self._placed(read.subject, value, headers, goes)

    def _placed(self, subject: str, value: bytes, headers: Headers, goes: Going) -> Placed:
        key, topic = subject.encode(), goes.topic
        if len(value) > self._surely_fits[topic]:
            beside = len(key) + _RECORD_OVERHEAD + sum(len(name.encode()) + len(text) + 10 for name, text in headers)
            if len(value) + beside > self._largest[topic]:
                detail = f"{len(value)} bytes; the topic {topic} takes messages up to {self._largest[topic]}"
                return self._rejected(value, key, headers, Rejected(Reason.TOO_LARGE, detail), goes)
        return self._at_home(key, value, headers, topic)

    def _at_home(self, key: bytes, value: bytes, headers: Headers, topic: str) -> Placed:
        partition = home_of(self._partitioner, key, self._partitions[topic])
        return Placed(topic, partition, Outgoing(key, value, headers), None)

    def _rejected(self, value: bytes, key: bytes | None, headers: Headers, rejected: Rejected, goes: Going) -> Placed:
        if self._is_gathered:  # a replay is read by the mapping of the topic that it was meant for
            headers = [*headers, meant_for(goes.topic)]
        unsent = _Unsent(secrets.randbits(_OFFSET_BITS), goes.received, key, value, headers)
        letter = dead_letter(unsent, rejected, self._processed, NEVER_ON_A_TOPIC)
        partition = next(self._turn) % self._partitions[self._dead_letters]
        return Placed(self._dead_letters, partition, letter, rejected)


def _with_id(members: Members, key: str, times: tuple[str, ...]) -> bytes:
    """The item with an id, which it has none of."""
    members[key] = Raw(b'"%s"' % id_of(members, times).encode())
    return encoded(members)
