"""Live stage changes over real HTTP, from real Kafka."""

import asyncio
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

import aiohttp
import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from stream.codec.stage_changes import ChangeSource, encode
from stream.core.stage_change import StageChange
from stream.settings import Settings
from stream.web import live_hub
from stream.web.live_query import KNOWN
from tests.kit.kafka import KafkaBroker, SharedKafka
from tests.kit.stage_changes import T, change, write
from tests.kit.topics import create_topics
from tests.web.live import Counts, Reader, Sent, reading, worker

PARTITIONS = 4


@pytest.fixture
async def settings(kafka: SharedKafka, topic_prefix: str) -> Settings:
    settings = Settings(bootstrap=kafka.bootstrap, topic_prefix=topic_prefix)
    await create_topics(settings.bootstrap, settings.topics.stage_changes, partitions=PARTITIONS)
    return settings


def moves(first: int, last: int) -> list[StageChange]:
    """Of ten customers, those with these sequences."""
    return [change(f"c{who}", born=f"0-{who}", sequence=each) for each in range(first, last + 1) for who in range(10)]


def ids(sent: Iterable[Sent]) -> list[object]:
    return [each.data["ce_id"] for each in sent]


def ids_of(changes: Iterable[StageChange]) -> list[str]:
    return [f"shop:customer:{each.subject}:{each.born}:{each.sequence}" for each in changes]


async def test_a_change_arrives_as_an_event_with_its_value_and_its_id(settings: Settings) -> None:
    async with worker(settings) as url, reading(url) as reader:
        response = reader.response
        assert (response.status, response.headers["Content-Type"]) == (200, "text/event-stream")
        assert response.headers["Cache-Control"] == "no-cache"
        assert response.headers["X-Accel-Buffering"] == "no"
        await reader.until_it_listens()
        await write(settings, [change("ann")])
        sent = await reader.next()
    assert reader.retry == 3000
    assert (sent.name, sent.data["ce_id"]) == ("stage-change", "shop:customer:ann:0-0:2")
    assert (sent.data["customer_id"], sent.data["to"], sent.data["facts"]) == ("ann", "customer", {"orders": 1})


async def test_a_value_that_somebody_else_wrote_over_several_lines_stays_one_event(settings: Settings) -> None:
    value = encode(change("ann"), ChangeSource("interactions", 0, 7)).replace(b',"born"', b',\n\r\n"born"')
    async with worker(settings) as url, reading(url) as reader:
        await reader.until_it_listens()
        async with AIOKafkaProducer(bootstrap_servers=settings.bootstrap) as producer:
            await producer.send_and_wait(settings.topics.stage_changes, b"no change")
            await producer.send_and_wait(settings.topics.stage_changes, value)
        assert ids([await reader.next()]) == ["shop:customer:ann:0-0:2"]


@pytest.mark.parametrize("memory", [True, False], ids=["from-memory", "from-kafka"])
async def test_a_reader_goes_on_after_its_last_event_on_another_worker(
    settings: Settings, memory: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without gap or repeat over all partitions: what came while nobody was there, and what comes then."""
    if not memory:
        monkeypatch.setattr(live_hub, "_LOOK_BACK", 0)
    got: list[object] = []
    async with worker(settings) as url, reading(url) as reader:
        await reader.until_it_listens()
        await write(settings, moves(1, 10))
        got += ids(await reader.take(60))
        last = reader.last_id
    await write(settings, moves(11, 20))
    async with worker(settings) as url, reading(url, headers={"Last-Event-ID": last}) as reader:
        got += ids(await reader.take(50))
        received, _ = await asyncio.gather(reader.take(190), write(settings, moves(21, 30)))
        got += ids(received)
    assert sorted(map(str, got)) == sorted(ids_of(moves(1, 30)))


async def test_what_comes_while_a_reader_catches_up_is_neither_lost_nor_repeated(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From Kafka, then from a memory that holds little, then live, while changes are written all the time."""
    monkeypatch.setattr(live_hub, "_LOOK_BACK", 0)
    monkeypatch.setattr(live_hub, "RECENT_BYTES", 20_000)
    await write(settings, moves(1, 200))
    async with worker(settings) as url, reading(url) as first:  # so that the worker is there before
        await first.until_it_listens()
        writing = asyncio.create_task(_write_each(settings, moves(201, 260)))
        async with reading(url, "?since=beginning") as reader:
            got = ids(await reader.take(2_600))
        await writing
    of_each = {who: [each for each in map(str, got) if f":c{who}:" in each] for who in range(10)}
    for who, mine in of_each.items():
        assert mine == [f"shop:customer:c{who}:0-{who}:{each}" for each in range(1, 261)]


async def _write_each(settings: Settings, changes: list[StageChange]) -> None:
    for place in range(0, len(changes), 10):
        await write(settings, changes[place : place + 10])


async def test_the_id_is_taken_as_a_parameter_too_and_the_header_stands_over_it(settings: Settings) -> None:
    async with worker(settings) as url:
        async with reading(url) as reader:
            before = await reader.until_it_listens()
            await write(settings, [change("ann"), change("bob")])
            first, _second = await reader.take(2)
        async with reading(url, f"?last_event_id={before}") as reader:
            assert sorted(map(str, ids(await reader.take(2)))) == ids_of([change("ann"), change("bob")])
        headers = {"Last-Event-ID": first.id}
        async with reading(url, f"?since=beginning&last_event_id={before}", headers) as reader:
            await write(settings, [change("zoe")])
            assert first.data["ce_id"] not in ids(await reader.take(2))


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("?lifecycle=b2b", {1}),
        ("?to=vip,", {2, 3}),
        ("?to=vip&to=", {2, 3}),
        ("?from=", {4}),
        ("?customer=bob&customer=a,b", {5, 6}),
        ("?final=false&customer=bob,c", {5}),
        ("?final=true", {7}),
        ("?final&lifecycle=shop", {7}),
        ("?lifecycle=shop,b2b&to=vip,customer&from=lead", {0, 1, 2, 5, 6, 7}),
    ],
)
async def test_only_the_changes_asked_for_arrive(settings: Settings, query: str, kept: set[int]) -> None:
    changes = [
        change("c0", final=False),
        change("c1", final=False, lifecycle="b2b"),
        change("c2", final=False, to_stage="vip"),
        change("c3", final=False, to_stage=None),
        change("c4", final=False, from_stage=None, to_stage="new"),
        change("bob", final=False, kind="anonymous"),
        change("a,b", final=False),
        change("c7", final=True),
    ]
    await write(settings, changes)
    separator = "&" if query else "?"
    async with worker(settings) as url, reading(url, f"{query}{separator}since=beginning") as reader:
        got = {
            str(each.data.get("customer_id") or each.data.get("anonymous_id")) for each in await reader.take(len(kept))
        }
    assert got == {changes[place].subject for place in kept}


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("?stage=vip", f"unknown parameter 'stage'; known are {', '.join(KNOWN)}"),
        ("?final=maybe", "final is true or false"),
        ("?since=yesterday", "since is now or beginning"),
        ("?last_event_id=7", "Last-Event-ID: it is not the id of an event of this stream"),
        ("?last_event_id=0.zz", "Last-Event-ID: it is not"),
    ],
)
async def test_a_request_that_cannot_be_meant_is_refused_with_what_would_be_right(
    settings: Settings, query: str, says: str
) -> None:
    async with worker(settings) as url, aiohttp.ClientSession() as session, session.get(url + query) as response:
        assert response.status == 400
        assert says in (await response.json())["message"]


async def test_what_was_never_committed_does_not_arrive(settings: Settings) -> None:
    topic = settings.topics.stage_changes
    async with (
        worker(settings) as url,
        reading(url) as reader,
        AIOKafkaProducer(
            bootstrap_servers=settings.bootstrap, transactional_id=f"{settings.topic_prefix}w"
        ) as producer,
    ):
        await reader.until_it_listens()
        await producer.begin_transaction()
        await producer.send_and_wait(topic, encode(change("gone"), ChangeSource("", 0, 0)), partition=0)
        await producer.abort_transaction()
        async with producer.transaction():
            await producer.send_and_wait(topic, encode(change("here"), ChangeSource("", 0, 0)), partition=0)
        assert (await reader.next()).data["customer_id"] == "here"


async def test_what_retention_took_is_told_as_a_gap_and_the_rest_follows(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_hub, "_LOOK_BACK", 0)
    async with worker(settings) as url, reading(url) as reader:
        before = await reader.until_it_listens()
    await write(settings, [change("ann", sequence=each) for each in range(1, 11)])
    async with worker(settings) as url, reading(url, "?since=beginning") as reader:
        first = await reader.next()
    tps = [TopicPartition(settings.topics.stage_changes, number) for number in range(PARTITIONS)]
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.bootstrap)
    await admin.start()
    moved = next(number for number, tp in enumerate(tps) if _offset(first.id, number) == 1)
    await admin.delete_records({tps[moved]: RecordsToDelete(4)})
    await admin.close()
    async with worker(settings) as url, reading(url, headers={"Last-Event-ID": before}) as reader:
        gap, *rest = await reader.take(7)
        again = reader.last_id
    assert (gap.name, gap.data) == (
        "gap",
        {"reason": "the topic no longer keeps these", "partition": moved, "first_offset": 0, "last_offset": 3},
    )
    assert [each.sequence for each in rest] == [5, 6, 7, 8, 9, 10]
    async with worker(settings) as url, reading(url, headers={"Last-Event-ID": again}) as reader:
        await reader.until_it_listens()
        await write(settings, [change("ann", sequence=11)])
        assert (await reader.next()).sequence == 11


def _offset(position_id: str, partition: int) -> int:
    return int(position_id.split(".")[partition + 1], 32)


async def test_an_id_of_another_topic_is_told_as_a_gap_and_the_topic_follows_whole(settings: Settings) -> None:
    await write(settings, [change("ann")])
    async with worker(settings) as url, reading(url, headers={"Last-Event-ID": "abc.5.5.5.5"}) as reader:
        gap, sent = await reader.take(2)
    assert gap.name == "gap"
    assert "another topic" in str(gap.data["reason"])
    assert sent.data["customer_id"] == "ann"


async def test_a_heartbeat_says_how_far_the_stream_is_though_nothing_was_wanted(settings: Settings) -> None:
    """So that a reader with a narrow filter does not come back with an id that retention has overtaken."""
    async with worker(settings, heartbeat=0.1) as url, reading(url, "?customer=nobody") as reader:
        before = await reader.until_it_listens()
        await write(settings, [change("ann")])
        async with asyncio.timeout(60):
            while reader.last_id == before:
                assert reader._take(await reader._line()) is None
        assert "heartbeat" in reader.comments


async def test_a_slow_reader_is_cut_off_and_goes_on_by_its_last_id_while_others_get_everything(
    settings: Settings,
) -> None:
    big = [change("ann", sequence=each, facts={"text": "x" * 50_000}) for each in range(1, 401)]
    counts = Counts()
    async with worker(settings, counts=counts) as url, reading(url) as quick:
        before = await quick.until_it_listens()
        slow = await _connect_and_not_read(url)
        for place in range(0, len(big), 20):
            await write(settings, big[place : place + 20])
            assert [each.sequence for each in await quick.take(20)] == list(range(place + 1, place + 21))
        received = await _all_of(slow)
        assert 0 < received < 10_000_000  # of 20 MB
        assert (counts.readers, counts.cut_off) == (1, 1)
        async with reading(url, headers={"Last-Event-ID": before}) as again:
            assert [each.sequence for each in await again.take(400)] == list(range(1, 401))


async def _connect_and_not_read(url: str) -> socket.socket:
    place = urlsplit(url)
    assert place.hostname is not None
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8_192)
    made.setblocking(False)
    await asyncio.get_running_loop().sock_connect(made, (place.hostname, place.port))
    made.sendall(f"GET {place.path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    async with asyncio.timeout(60):
        while b"\nid: " not in made.recv(65_536, socket.MSG_PEEK) if _has_data(made) else True:
            await asyncio.sleep(0.01)
    return made


def _has_data(made: socket.socket) -> bool:
    try:
        return bool(made.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return False


async def _all_of(slow: socket.socket) -> int:
    """How many bytes it got before its connection ended."""
    received = 0
    async with asyncio.timeout(60):
        with slow:
            try:
                while data := await asyncio.get_running_loop().sock_recv(slow, 65_536):
                    received += len(data)
            except ConnectionResetError:
                pass
    return received


async def test_a_worker_that_stops_ends_its_streams_in_order(settings: Settings) -> None:
    """One that does not read, too, so that nothing waits for it."""
    async with worker(settings) as url:
        readers = [await _opened(url) for _ in range(20)]
        idle = await _connect_and_not_read(url)
    for session, reader in readers:
        with pytest.raises(EOFError):
            await reader.next()
        await session.close()
    assert await _all_of(idle) > 0


async def _opened(url: str) -> tuple[aiohttp.ClientSession, Reader]:
    session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None))
    reader = Reader(await session.get(url))
    await reader.until_it_listens()
    return session, reader


async def test_kafka_away_the_stream_stays_and_goes_on(topic_prefix: str) -> None:
    """Before it was ever there, and later."""
    broker = KafkaBroker()
    settings = Settings(bootstrap=broker.bootstrap, topic_prefix=topic_prefix)
    async with worker(settings, heartbeat=0.1) as url, reading(url) as reader:
        async with asyncio.timeout(60):
            while len(reader.comments) < 3:
                reader._take(await reader._line())
        assert reader.last_id == ""
        try:
            await asyncio.to_thread(broker.start)
            await create_topics(settings.bootstrap, settings.topics.stage_changes)
            await reader.until_it_listens()
            await write(settings, [change("ann")])
            assert (await reader.next()).data["customer_id"] == "ann"
            await asyncio.to_thread(broker.kill)
            beats = len(reader.comments)
            async with asyncio.timeout(60):
                while len(reader.comments) < beats + 20:
                    reader._take(await reader._line())
            await asyncio.to_thread(broker.start)
            await write(settings, [change("bob", at=T + 1)])
            assert (await reader.next(120)).data["customer_id"] == "bob"
        finally:
            await asyncio.to_thread(broker.__exit__)


async def test_the_consumer_ends_some_time_after_the_last_reader_and_begins_anew_with_the_next(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_hub, "LINGER_SECONDS", 0.05)
    async with worker(settings, heartbeat=0.05) as url:
        assert _consumers() == 0
        for _ in range(2):
            async with reading(url) as reader:
                await reader.until_it_listens()
                assert _consumers() == 1
                await write(settings, [change("ann")])
                assert (await reader.next()).data["customer_id"] == "ann"
            async with asyncio.timeout(60):
                while _consumers():
                    await asyncio.sleep(0.02)


def _consumers() -> int:
    return sum("LiveHub._run" in repr(each.get_coro()) for each in asyncio.all_tasks())
