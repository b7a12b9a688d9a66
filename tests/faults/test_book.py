"""The senders' book: what must be noticed of items that were posted."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
import pytest
from aiokafka import ConsumerRecord

from stream.codec.dead_letter_reasons import Reason, Rejected
from stream.codec.dead_letters import NEVER_ON_A_TOPIC, dead_letter
from stream.kafka.partitioner import partition_of
from tests.faults.book import Book, Record, compare_with_letters, compare_with_states, compare_with_topic
from tests.faults.items import BASE, BadItem, Item
from tests.faults.senders import PROFILES, Profile, request_of
from tests.faults.verdict import split_letters
from tests.kit.machines import Record as Source
from tests.kit.topics import Records

NOW = 1_767_225_600_000
PARTITIONS = 4
NATIVE = next(each for each in PROFILES if each.manner.format == "native" and each.size == 1)
CALL = next(each for each in PROFILES if each.manner.format == "call" and each.manner.skew)


def item(place: int = 0, **other: Any) -> Item:
    return Item(
        **{
            "id": f"p-{place}",
            "customer": "h-1",
            "call": "track",
            "name": "page_view",
            "time": NOW - 60_000,
            "properties": {"weight": BASE**place, "text": "ü"},
            "place": place,
            **other,
        }
    )


def book_of(*items: Item | BadItem, profile: Profile = NATIVE, answered: bool = True) -> Book:
    book = Book()
    for entry in book.write(items, profile.manner):
        entry.answered = answered
        entry.sent.append(NOW + profile.manner.skew)
    return book


def on_topic(
    posted: Item,
    profile: Profile = NATIVE,
    received: int = NOW + 40,
    *,
    key: bytes = b"h-1",
    partition: int | None = None,
    sourced: bool = True,
) -> Records:
    """As a collector that received it at `received` writes it; key, partition and header may be other than these."""
    value = orjson.loads(request_of(profile, [posted], NOW + profile.manner.skew)[2].decode().strip("[]"))
    if profile.manner.format == "call":
        value["receivedAt"] = f"2026-01-01T00:00:00.{received - NOW:03}Z"
    headers = (("lifecycle_source", profile.manner.source.encode()),)
    home = partition_of(key, PARTITIONS) if partition is None else partition
    record: Record = ConsumerRecord(
        "interactions", home, 0, NOW, 1, key, orjson.dumps(value), None, 0, 0, headers if sourced else ()
    )
    return {number: [record] if number == home else [] for number in range(PARTITIONS)}


@pytest.mark.parametrize("profile", [NATIVE, CALL])
def test_an_item_as_it_was_sent_is_no_difference(profile: Profile) -> None:
    lines, there = compare_with_topic(book_of(item(), profile=profile), on_topic(item(), profile))
    assert (lines, there["p-0"]) == ([], 1)


def test_an_item_that_was_answered_must_be_there_and_one_that_was_given_up_need_not() -> None:
    nothing: Records = {number: [] for number in range(PARTITIONS)}
    [line] = compare_with_topic(book_of(item()), nothing)[0]
    assert line == "p-0 of h-1 was answered 200 and is not on the topic"
    assert compare_with_topic(book_of(item(), answered=False), nothing)[0] == []


def test_an_item_that_nobody_sent_is_a_difference() -> None:
    [line] = compare_with_topic(Book(), on_topic(item()))[0]
    assert line == "p-0 is on the topic, and nobody sent it"


OTHERS: list[Callable[[], Records]] = [
    lambda: on_topic(item(name="purchase")),
    lambda: on_topic(item(properties={"weight": 1, "text": "u"})),
    lambda: on_topic(item(time=NOW)),
    lambda: on_topic(item(), key=b"h-2", partition=partition_of(b"h-1", PARTITIONS)),
    lambda: on_topic(item(), partition=(partition_of(b"h-1", PARTITIONS) + 1) % PARTITIONS),
    lambda: on_topic(item(), sourced=False),
]


@pytest.mark.parametrize("found", OTHERS)
def test_an_item_that_is_there_otherwise_is_a_difference(found: Callable[[], Records]) -> None:
    assert len(compare_with_topic(book_of(item()), found())[0]) == 1


def test_the_time_of_a_call_must_be_without_what_its_senders_clock_is_off() -> None:
    """Whenever it arrived; its `sentAt` is that of an attempt."""
    book = book_of(item(), profile=CALL)
    assert compare_with_topic(book, on_topic(item(), CALL, received=NOW + 900))[0] == []
    book.entries["p-0"].sent = [NOW + CALL.manner.skew - 5]
    [line] = compare_with_topic(book, on_topic(item(), CALL))[0]
    assert "its attempts were sent at" in line
    uncorrected = replace(CALL, manner=replace(CALL.manner, skew=0))
    [line] = compare_with_topic(book_of(item(), profile=uncorrected), on_topic(item(time=NOW), uncorrected))[0]
    assert "its time is" in line


def test_an_item_is_applied_once_where_it_is_on_the_topic_and_else_never() -> None:
    book = book_of(item(0), item(1), item(2))
    there = {"p-0": 1, "p-1": 3}
    millionths = 1_000_000
    assert compare_with_states(book, there, {"h-1": (1 + BASE) * millionths}) == []
    for weight, place in ((1, 1), (1 + 2 * BASE, 1), (1 + BASE + BASE**2, 2), (BASE, 0)):
        [line] = compare_with_states(book, there, {"h-1": weight * millionths})
        assert line.startswith(f"p-{place}, item {place} of h-1, was applied ")
    assert len(compare_with_states(book, there, {"h-1": (1 + BASE) * millionths + 1})) == 1
    assert len(compare_with_states(book, there, {"h-1": (1 + BASE) * millionths, "c-1": millionths})) == 1


BAD = BadItem("bad-7-", '{"id":"bad-7-","type":"page_view"}', "no_subject")


def letter(value: str = BAD.text, reason: str = BAD.reason, partition: int = NEVER_ON_A_TOPIC) -> Record:
    out = dead_letter(Source(3, 1, None, value.encode()), Rejected(Reason(reason), "…"), "interactions", partition)
    return ConsumerRecord("dead", 1, 0, 1, 0, out.key, out.value, None, 0, 0, tuple(out.headers))


def test_a_bad_item_is_a_dead_letter_with_its_reason_once_or_more() -> None:
    assert compare_with_letters(book_of(BAD), [letter(), letter()]) == []
    assert compare_with_letters(book_of(BAD, answered=False), []) == []
    assert compare_with_letters(book_of(BAD), []) == ["bad-7- was answered 200 and is no dead letter"]
    assert len(compare_with_letters(book_of(BAD), [letter(reason="bad_time")])) == 1
    assert len(compare_with_letters(book_of(BAD), [letter(), letter('{"id":"p-1"}')])) == 1
    assert len(compare_with_letters(book_of(BAD), [letter(BAD.text + " ")])) == 1


def test_a_bad_item_on_the_topic_of_interactions_is_a_difference() -> None:
    taken = item(id=BAD.id)
    assert len(compare_with_topic(book_of(BAD), on_topic(taken))[0]) == 1


def test_letters_of_collectors_are_told_from_those_of_workers() -> None:
    ours = replace(letter(partition=2), offset=1)
    assert split_letters({0: [], 1: [letter(), ours]}) == ({0: [], 1: [ours]}, [letter()])
