"""The senders' book: what each sender posted and was answered; and what of it must be on the topics, and in the states.

What was answered 200 is on the topic of interactions, at least once, as it was sent, on its customer's partition, and
applied once. What was given up without an answer may be there and applied once, or not at all. Bad items are dead
letters with their reason.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from aiokafka import ConsumerRecord

from stream.codec.dead_letter_reasons import Rejected
from stream.core.interaction import Interaction
from stream.kafka.partitioner import partition_of
from tests.faults.items import BASE, PLACES, BadItem, Item, Posted
from tests.kit.decoding import decode
from tests.kit.topics import Records

_SHOWN = 300
_MILLION = 1_000_000
Record = ConsumerRecord[bytes | None, bytes | None]


@dataclass(frozen=True)
class Manner:
    """How a sender tells the time of what it sends."""

    format: str
    """`call`, `batch` or `native`."""
    source: str
    """Of its write key."""
    skew: int = 0
    """Milliseconds that its clock is ahead of the true time."""
    keeps_sent: bool = False
    """It repeats a request with the `sentAt` of the first attempt, and says by its library's name that it does."""
    context: Mapping[str, Any] = field(default_factory=dict)
    """What stands in the context of each of its items, on the topic."""


@dataclass
class Entry:
    """One item in the book."""

    item: Posted
    manner: Manner
    sent: list[int] = field(default_factory=list)
    """The times that each attempt said it was sent at, by the sender's clock, epoch milliseconds."""
    answered: bool = False
    """With 200."""


class Book:
    """Of all senders of a run."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        """By id."""
        self.answers: Counter[str] = Counter()
        """How attempts ended: statuses, with the code where it was not 200, `timeout`, `no answer`."""
        self.wrong: list[str] = []
        """Answers that nobody should have got, and senders that never got any, a line each."""

    def write(self, items: Iterable[Posted], manner: Manner) -> list[Entry]:
        """Begin the entries of items that are about to be sent."""
        entries = [Entry(each, manner) for each in items]
        self.entries.update((each.item.id, each) for each in entries)
        return entries

    @property
    def answered(self) -> int:
        """Items that count and were answered."""
        return sum(each.answered and isinstance(each.item, Item) for each in self.entries.values())

    @property
    def given_up(self) -> int:
        """Items that count and never were."""
        return sum(not each.answered and isinstance(each.item, Item) for each in self.entries.values())

    @property
    def bad(self) -> int:
        """Items that are bad on purpose."""
        return sum(isinstance(each.item, BadItem) for each in self.entries.values())


def compare_with_topic(book: Book, interactions: Records) -> tuple[list[str], Counter[str]]:
    """A line for each item that is missing, or not as it was sent; and how often each stands there, by id."""
    found: Counter[str] = Counter()
    lines = list(book.wrong)
    for number, records in interactions.items():
        for record in records:
            read = decode(record.value, record.timestamp)
            if isinstance(read, Rejected) or read.id is None:
                continue
            entry = book.entries.get(read.id)
            if entry is None:
                if read.id.startswith(("p-", "bad-")):
                    lines.append(f"{read.id} is on the topic, and nobody sent it")
                continue
            found[read.id] += 1
            here = {"partition": number, "partitions": len(interactions)}
            lines += _differences(entry, read, record, **here)
    for name, entry in book.entries.items():
        if entry.answered and isinstance(entry.item, Item) and not found[name]:
            lines.append(f"{name} of {entry.item.customer} was answered 200 and is not on the topic")
    return lines, found


def _differences(entry: Entry, read: Interaction, record: Record, *, partition: int, partitions: int) -> list[str]:
    """How a record differs from the item that it is."""
    item = entry.item
    if isinstance(item, BadItem):
        return [f"{item.id} is bad ({item.reason}), and is on the topic: {str(record.value)[:_SHOWN]}"]
    key = item.customer.encode()
    wanted: dict[str, object] = {
        "customer": item.customer,
        "name": item.name,
        "properties": orjson.loads(orjson.dumps(item.properties)),
        "context": dict(entry.manner.context),
        "key": key,
        "partition": partition_of(key, partitions),
        "source": entry.manner.source.encode(),
    }
    there: dict[str, object] = {
        "customer": read.customer_id,
        "name": read.name,
        "properties": read.properties,
        "context": read.context,
        "key": record.key,
        "partition": partition,
        "source": dict(record.headers).get("lifecycle_source"),
    }
    lines = [
        f"{item.id}: {name} is {str(there[name])[:_SHOWN]} instead of {str(value)[:_SHOWN]}"
        for name, value in wanted.items()
        if there[name] != value
    ]
    assert record.value is not None
    return lines + _difference_of_time(entry, item, read.time, orjson.loads(record.value))


def _difference_of_time(entry: Entry, item: Item, time: int, value: Mapping[str, Any]) -> list[str]:
    """Whether the time is the true one, but for what the request was underway: that is not known to be no skew."""
    manner = entry.manner
    if manner.format == "native":
        must = item.time
    else:
        sent, received = _milliseconds(value["sentAt"]), _milliseconds(value["receivedAt"])
        if sent not in entry.sent:
            return [f"{item.id}: sentAt is {sent}, and its attempts were sent at {entry.sent}"]
        if received < sent - manner.skew:
            return [f"{item.id}: was received {sent - manner.skew - received} ms before it was sent"]
        must = item.time if manner.keeps_sent else item.time + received - (sent - manner.skew)
    return [] if time == must else [f"{item.id}: its time is {time} instead of {must}"]


def _milliseconds(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1_000)


def compare_with_letters(book: Book, letters: Iterable[Record]) -> list[str]:
    """A line for each bad item that is no dead letter, or one for another reason, and for each letter of another item.

    `letters` are those of collectors.
    """
    found: set[str] = set()
    lines = []
    bad = {each.item.id: each for each in book.entries.values() if isinstance(each.item, BadItem)}
    for record in letters:
        value = record.value or b""
        name = _bad_id_in(value)
        entry = bad.get(name)
        if entry is None:
            lines.append(f"dead letter {str(value)[:_SHOWN]} is of no item that is bad on purpose")
            continue
        assert isinstance(entry.item, BadItem)
        found.add(name)
        reason = dict(record.headers)["lifecycle_reason"].decode()
        if reason != entry.item.reason:
            lines.append(f"{name} is a dead letter because of {reason} instead of {entry.item.reason}")
        if entry.manner.format == "native" and value != entry.item.text.encode():
            lines.append(f"{name}: its dead letter has {str(value)[:_SHOWN]} instead of {entry.item.text[:_SHOWN]}")
    lines += [
        f"{name} was answered 200 and is no dead letter"
        for name, entry in bad.items()
        if entry.answered and name not in found
    ]
    return lines


def _bad_id_in(value: bytes) -> str:
    start = value.find(b"bad-")
    return value[start : value.find(b"-", start + 4) + 1].decode() if start >= 0 else ""


def compare_with_states(book: Book, there: Mapping[str, int], weights: Mapping[str, int]) -> list[str]:
    """A line for each item that was not applied once, or that was and is not on the topic.

    `there`: how often each is on the topic, by id; `weights`: by customer, the sum of the weights of what was applied,
    in millionths.
    """
    places: dict[str, dict[int, str]] = {}
    for name, entry in book.entries.items():
        if isinstance(entry.item, Item):
            places.setdefault(entry.item.customer, {})[entry.item.place] = name
    lines = []
    for customer in sorted(places.keys() | {who for who, weight in weights.items() if weight}):
        rest, fraction = divmod(weights.get(customer, 0), _MILLION)
        names = places.get(customer, {})
        for place in range(PLACES):
            rest, times = divmod(rest, BASE)
            name = names.get(place, "nothing that was sent")
            copies = there.get(name, 0)
            if times != min(1, copies):
                lines.append(
                    f"{name}, item {place} of {customer}, was applied {times} times; it is on the topic {copies} times"
                )
        if rest or fraction:
            lines.append(f"what was applied of {customer} weighs {weights[customer]} millionths: more than was sent")
    return lines
