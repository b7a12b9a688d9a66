"""The requests of a transaction and the answers to them, held against aiokafka's; and answers that are none."""

import asyncio
import struct
from collections.abc import Callable
from typing import Any

import pytest
from aiokafka.errors import KafkaError, ProducerFenced, for_code, kafka_errors
from aiokafka.protocol import produce
from aiokafka.protocol.transaction import (
    AddOffsetsToTxnRequest_v0,
    AddOffsetsToTxnResponse_v0,
    AddPartitionsToTxnRequest_v0,
    AddPartitionsToTxnResponse_v0,
    EndTxnRequest_v0,
    EndTxnResponse_v0,
    TxnOffsetCommitRequest_v0,
    TxnOffsetCommitResponse_v0,
)
from hypothesis import given
from hypothesis import strategies as st

from stream.kafka.batch_header import Writer
from stream.kafka.exactly_once import answers, requests
from stream.kafka.exactly_once.answers import Outcome, What
from stream.kafka.exactly_once.connection import Connection
from stream.kafka.exactly_once.requests import GroupOffset, Place, Request

NAMES = st.text(max_size=20)
NUMBERS, CODES = st.integers(0, 2**31 - 1), st.integers(-(2**15), 2**15 - 1)
PLACES = st.tuples(NAMES, NUMBERS)
WRITERS = st.builds(Writer, st.integers(0, 2**63 - 1), st.integers(0, 2**15 - 1))
OF_PLACES = st.dictionaries(PLACES, CODES, max_size=9)
VERSIONS = st.sampled_from(requests.PRODUCE_VERSIONS)
THROTTLE = st.integers(0, 2**31 - 1)


def by_topic(places: dict[Place, Any]) -> list[tuple[str, list[tuple[int, Any]]]]:
    topics: dict[str, list[tuple[int, Any]]] = {}
    for (topic, partition), value in places.items():
        topics.setdefault(topic, []).append((partition, value))
    return list(topics.items())


def body(request: Request, key: int, version: int = 0) -> bytes:
    assert (request.key, request.version) == (key, version)
    return b"".join(request.body)


@given(NAMES, WRITERS, st.lists(PLACES, unique=True, max_size=9))
def test_partitions_are_added_as_aiokafka_asks_for_it(name: str, writer: Writer, places: list[Place]) -> None:
    theirs = AddPartitionsToTxnRequest_v0(
        name, *writer, [(topic, [number for number, _ in of]) for topic, of in by_topic(dict.fromkeys(places))]
    )
    assert body(requests.add_partitions(name, writer, places), theirs.API_KEY) == theirs.encode()


@given(NAMES, WRITERS, NAMES)
def test_a_group_is_added_as_aiokafka_asks_for_it(name: str, writer: Writer, group: str) -> None:
    theirs = AddOffsetsToTxnRequest_v0(name, *writer, group)
    assert body(requests.add_offsets(name, writer, group), theirs.API_KEY) == theirs.encode()


@given(NAMES, WRITERS, NAMES, PLACES, st.integers(0, 2**63 - 1))
def test_an_offset_is_written_as_aiokafka_asks_for_it(
    name: str, writer: Writer, group: str, place: Place, offset: int
) -> None:
    theirs = TxnOffsetCommitRequest_v0(name, group, *writer, [(place[0], [(place[1], offset, "")])])
    assert body(requests.commit_offset(name, writer, GroupOffset(group, place, offset)), theirs.API_KEY) == (
        theirs.encode()
    )


@given(NAMES, WRITERS)
def test_a_transaction_is_committed_as_aiokafka_asks_for_it(name: str, writer: Writer) -> None:
    theirs = EndTxnRequest_v0(name, *writer, True)
    assert body(requests.commit(name, writer), theirs.API_KEY) == theirs.encode()


@given(NAMES, st.dictionaries(PLACES, st.binary(max_size=300), max_size=9), NUMBERS, VERSIONS)
def test_batches_are_produced_as_aiokafka_asks_for_it(
    name: str, batches: dict[Place, bytes], timeout: int, version: int
) -> None:
    theirs = getattr(produce, f"ProduceRequest_v{version}")(name, -1, timeout, by_topic(batches))
    ours = requests.produce(name, batches, timeout, version)
    assert body(ours, theirs.API_KEY, theirs.API_VERSION) == theirs.encode()


@given(OF_PLACES, THROTTLE, PLACES)
def test_answers_about_partitions_are_read_as_aiokafka_writes_them(
    codes: dict[Place, int], throttle: int, place: Place
) -> None:
    expected: dict[What, Outcome] = {each: Outcome(code) for each, code in codes.items()}
    assert answers.of_add_partitions(AddPartitionsToTxnResponse_v0(throttle, by_topic(codes)).encode()) == expected
    encoded = TxnOffsetCommitResponse_v0(throttle, by_topic(codes)).encode()
    renamed = {"group g" if each == place else each: outcome for each, outcome in expected.items()}
    assert answers.of_commit_offset(encoded, place, "group g") == renamed


@given(CODES, THROTTLE)
def test_answers_about_all_of_it_are_read_as_aiokafka_writes_them(code: int, throttle: int) -> None:
    assert answers.of_add_offsets(AddOffsetsToTxnResponse_v0(throttle, code).encode(), "g") == {"g": Outcome(code)}
    assert answers.of_end(EndTxnResponse_v0(throttle, code).encode(), "t") == {"t": Outcome(code)}


@given(st.dictionaries(PLACES, st.tuples(CODES, st.none() | st.text(max_size=9)), max_size=6), THROTTLE, VERSIONS)
def test_answers_about_batches_are_read_as_aiokafka_writes_them(
    outcomes: dict[Place, tuple[int, str | None]], throttle: int, version: int
) -> None:
    def rest(number: int, code: int, words: str | None) -> tuple[Any, ...]:
        begin = (number, code, 7, 8)
        if version < 5:
            return begin
        return (*begin, 9) if version < 8 else (*begin, 9, [(0, words), (1, "other")], words)

    topics = [(topic, [rest(number, *said) for number, said in of]) for topic, of in by_topic(outcomes)]
    encoded = getattr(produce, f"ProduceResponse_v{version}")(topics, throttle).encode()
    assert answers.of_produce(encoded, version) == {
        place: Outcome(code, (words or "") if version >= 8 else "") for place, (code, words) in outcomes.items()
    }


READERS: list[Callable[[bytes], answers.Outcomes]] = [
    answers.of_add_partitions,
    lambda answer: answers.of_commit_offset(answer, ("t", 0), "g"),
    lambda answer: answers.of_add_offsets(answer, "g"),
    lambda answer: answers.of_end(answer, "t"),
    *(lambda answer, version=version: answers.of_produce(answer, version) for version in requests.PRODUCE_VERSIONS),
]


@given(st.binary(max_size=200))
def test_any_bytes_are_an_answer_or_an_error(data: bytes) -> None:
    for read in READERS:
        try:
            read(data)
        except KafkaError:
            pass
        else:
            with pytest.raises(KafkaError):
                read(data + b"\0")
            for end in range(len(data)):
                with pytest.raises(KafkaError):
                    read(data[:end])


def test_numbers_that_no_answer_has_room_for_are_an_error_at_once() -> None:
    for count in (2**31 - 1, 10**6):
        with pytest.raises(KafkaError):
            answers.of_add_partitions(struct.pack(">ii", 0, count) + bytes(600))
        with pytest.raises(KafkaError):
            answers.of_produce(struct.pack(">i", count) + bytes(600), 8)


def test_a_partition_that_is_answered_for_twice_or_not_at_all_is_an_error() -> None:
    with pytest.raises(KafkaError, match="twice"):
        answers.of_add_partitions(AddPartitionsToTxnResponse_v0(0, [("t", [(1, 0), (1, 0)])]).encode())
    cases: list[answers.Outcomes] = [{}, {("t", 1): Outcome(0)}, {("t", 0): Outcome(0), ("t", 1): Outcome(0)}]
    for outcomes in cases:
        with pytest.raises(KafkaError, match="asked for t, partition 0"):
            answers.hindered(outcomes, [("t", 0)], {51})


def test_every_error_of_kafka_says_of_what_it_is() -> None:
    for code in (*kafka_errors, 12_345, -7):
        if code == answers.DONE:
            continue
        error = answers.error_of(("t", 3), code)
        expected = ProducerFenced if code in (47, 90) else for_code(code)
        assert type(error) is expected
        assert expected is ProducerFenced or "t, partition 3" in str(error)


def test_a_rival_explains_whatever_else_failed_and_what_was_not_tried_nothing() -> None:
    def codes(*of: int) -> answers.Outcomes:
        return {("t", number): Outcome(code) for number, code in enumerate(of)}

    for of in ((29, 90, 55), (47, 29, 51)):
        with pytest.raises(ProducerFenced):
            answers.hindered(codes(*of), codes(*of), {51})
    with pytest.raises(for_code(29)):
        answers.hindered(codes(55, 29, 51), codes(0, 0, 0), {51})
    again = answers.hindered(codes(0, 55, 51), codes(0, 0, 0), {51})
    assert again == {("t", 1): 55, ("t", 2): 51}
    assert type(answers.hindrance(again)) is for_code(51)


class Wire(asyncio.Transport):
    """Keeps what is sent."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[bytes] = []
        self.ended = False

    @property
    def sent(self) -> bytes:
        return b"".join(self.pieces)

    def write(self, data: Any) -> None:
        self.pieces.append(bytes(data))

    def is_closing(self) -> bool:
        return self.ended

    def abort(self) -> None:
        self.ended = True


COMMIT = requests.commit("t", Writer(1, 2))


def connected() -> tuple[Connection, Wire]:
    connection, wire = Connection({}, "ours"), Wire()
    connection.connection_made(wire)
    return connection, wire


def framed(number: int, data: bytes) -> bytes:
    return struct.pack(">ii", 4 + len(data), number) + data


def run(check: Callable[[], Any]) -> None:
    """Hypothesis knows no coroutines."""

    async def checking() -> None:
        check()

    asyncio.run(checking())


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=5), st.data())
def test_answers_are_the_same_however_they_are_cut(bodies: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(framed(number, each) for number, each in enumerate(bodies, 1))
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=6).map(sorted))

    def check() -> None:
        connection, wire = connected()
        waiting = [each for _ in bodies for each in connection.send(COMMIT)]
        for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
            connection.data_received(stream[begin:end])
        assert [each.result() for each in waiting] == bodies
        assert connection.is_open
        assert not connection._received
        theirs = EndTxnRequest_v0("t", 1, 2, True)
        header = theirs.build_request_header(1, "ours").encode()
        assert wire.sent.startswith(struct.pack(">i", len(header + theirs.encode())) + header + theirs.encode())

    run(check)


@given(st.lists(st.binary(max_size=60), max_size=6))
def test_any_bytes_are_answers_or_end_the_connection_and_everybody_hears_of_it(pieces: list[bytes]) -> None:
    def check() -> None:
        connection, wire = connected()
        waiting = connection.send(COMMIT, COMMIT, COMMIT)
        for piece in pieces:
            connection.data_received(piece)
        assert len(connection._received) <= 60 * 6
        if wire.ended:
            assert all(each.done() for each in waiting)
            assert not connection.is_open
            with pytest.raises(KafkaError):
                connection.send(COMMIT)
        connection.close()
        for each in waiting:
            assert each.exception() is None or isinstance(each.exception(), KafkaError)

    run(check)


@pytest.mark.parametrize(
    "data", [framed(2, b""), framed(-1, b"x"), b"\0\0\0\3\0\0\0", b"\x7f\xff\xff\xff", b"\xff" * 8]
)
async def test_what_cannot_be_an_answer_ends_the_connection(data: bytes) -> None:
    connection, wire = connected()
    [answer] = connection.send(COMMIT)
    connection.data_received(data)
    assert wire.ended
    assert isinstance(answer.exception(), KafkaError)
    connection.data_received(data)  # as TLS may hand over what it had already


async def test_requests_in_one_piece_are_the_bytes_of_one_after_the_other() -> None:
    (together, one_piece), (apart, two_pieces) = connected(), connected()
    both = [requests.commit("u", Writer(3, 4)), COMMIT]
    answers = together.send(*both)
    for each in both:
        apart.send(each)
    assert one_piece.sent == two_pieces.sent
    assert (len(one_piece.pieces), len(two_pieces.pieces)) == (1, 2)
    together.data_received(framed(1, b"one") + framed(2, b"two"))
    assert [await each for each in answers] == [b"one", b"two"]


async def test_an_answer_that_nobody_waits_for_any_more_is_passed_over() -> None:
    connection, _ = connected()
    first, second = connection.send(COMMIT, COMMIT)
    first.cancel()
    connection.data_received(framed(1, b"one") + framed(2, b"two"))
    assert await second == b"two"
    assert connection.is_open
