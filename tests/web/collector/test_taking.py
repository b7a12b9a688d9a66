"""What is answered 200 is on Kafka: each item where a worker looks for it, complete, and read as it was sent."""

import asyncio
import gzip
import zlib
from collections import Counter
from dataclasses import replace

import aiohttp
import orjson
import pytest
from backports import zstd

from stream.core.times import parse_time
from stream.settings import Settings
from tests.kit.collected import collected, dead_letters
from tests.kit.collectors import Served, served
from tests.kit.topics import create_topics, read_all
from tests.web.collector.conftest import SHOP, basic

OK = (200, {"success": True})
SINGLE = {"track": "t", "page": "p", "screen": "s", "identify": "i", "group": "g", "alias": "a"}
SINGLE_PATHS = [
    (path + slash, name)
    for name, short in SINGLE.items()
    for path in (f"/v1/{name}", f"/v1/{short}", f"/api/s/{name}")
    for slash in ("", "/")
]
BATCH_PATHS = [path + slash for path in ("/v1/batch", "/v1/b", "/v1/import", "/beacon/v1/batch") for slash in ("", "/")]


async def test_a_batch_is_on_the_topic_each_call_on_the_partition_of_its_customer(
    collector: Served, settings: Settings
) -> None:
    calls = [
        {"type": "track", "event": "Bought", "userId": f"u-{n % 20}", "messageId": f"m-{n}", "properties": {"n": n}}
        for n in range(100)
    ]
    assert (await collector.post("/v1/batch", orjson.dumps({"batch": calls})))[:2] == OK
    found = await collected(settings)
    assert {(each.interaction.id, each.interaction.subject, each.interaction.properties["n"]) for each in found} == {
        (f"m-{n}", f"u-{n % 20}", n) for n in range(100)
    }
    assert len(found) == 100


async def test_every_path_of_a_call_says_which_call_it_is(collector: Served, settings: Settings) -> None:
    """Of those that send no type; with a slash at the end and without, as browsers shorten it, and as Jitsu has it."""
    for number, (path, _name) in enumerate(SINGLE_PATHS):
        body = b'{"event":"Bought","userId":"u","messageId":"%d"}' % number
        assert (await collector.post(path, body))[:2] == OK
    found = {each.interaction.id: each.interaction.name for each in await collected(settings)}
    assert found == {
        str(number): "Bought" if name == "track" else name for number, (_path, name) in enumerate(SINGLE_PATHS)
    }


async def test_every_path_of_a_batch_takes_one_whatever_content_type_is_said(
    collector: Served, settings: Settings
) -> None:
    for number, path in enumerate(BATCH_PATHS):
        for kind in ("application/json", "text/plain", "application/x-www-form-urlencoded", "nonsense"):
            body = b'{"batch":[{"type":"page","userId":"u","messageId":"%d-%s"}]}' % (number, kind.encode())
            assert (await collector.post(path, body, Content_Type=kind))[:2] == OK
    assert len({each.interaction.id for each in await collected(settings)}) == 4 * len(BATCH_PATHS)


async def test_a_type_of_its_own_is_kept(collector: Served, settings: Settings) -> None:
    assert (await collector.post("/v1/track", b'{"type":"page","userId":"u"}'))[:2] == OK
    assert [each.interaction.name for each in await collected(settings)] == ["page"]


async def test_what_a_batch_says_for_all_is_in_each_call_and_its_key_and_time_are_not(
    collector: Served, settings: Settings
) -> None:
    """RudderStack's has a time of its own, which is not when anything happened; Java's library is there alone."""
    body = {
        "batch": [
            {"type": "page", "userId": "a", "originalTimestamp": "2026-11-22T10:00:00Z"},
            {"type": "page", "userId": "b", "sentAt": "2026-11-23T00:00:00Z", "context": {"app": {"name": "mine"}}},
            {"type": "page", "userId": "c", "context": {}, "sentAt": None, "writeKey": "secret-of-c"},
        ],
        "context": {"library": {"name": "analytics-java"}, "app": {"name": "theirs", "version": "7"}},
        "sentAt": "2026-11-22T12:00:00.000Z",
        "timestamp": "2026-11-22T12:00:00.000Z",
        "writeKey": "secret-of-all",
        "integrations": {"All": True},
    }
    assert (await collector.post("/v1/batch", orjson.dumps(body)))[:2] == OK
    found = [orjson.loads(each.value) for each in await collected(settings)]
    library = {"name": "analytics-java"}
    theirs = {"library": library, "app": {"name": "theirs", "version": "7"}}
    assert [each["context"] for each in found] == [
        theirs,
        {"app": {"name": "mine", "version": "7"}, "library": library},
        theirs,
    ]
    assert [each["sentAt"] for each in found] == [body["sentAt"], "2026-11-23T00:00:00Z", body["sentAt"]]
    assert all(each.keys().isdisjoint({"writeKey", "integrations"}) for each in found)
    assert "timestamp" not in found[0]
    assert all(b"secret" not in orjson.dumps(each) for each in found)


async def test_what_sdks_put_beside_the_properties_is_kept(collector: Served, settings: Settings) -> None:
    calls = [
        {"type": "alias", "userId": "a", "previousId": "before"},
        {"type": "group", "userId": "g", "groupId": "g-1", "traits": {"plan": "pro"}},
        {"type": "page", "userId": "p", "name": "Pricing", "category": "Docs"},
    ]
    assert (await collector.post("/v1/batch", orjson.dumps({"batch": calls})))[:2] == OK
    assert [dict(each.interaction.properties) for each in await collected(settings)] == [
        {"previousId": "before"},
        {"plan": "pro", "groupId": "g-1"},
        {"name": "Pricing", "category": "Docs"},
    ]


async def test_the_arrival_is_stamped_and_corrects_a_clock_that_is_wrong(collector: Served, settings: Settings) -> None:
    """A phone that thinks it is 2001; what it says of the arrival itself is not believed."""
    call = (
        b'{"type":"page","userId":"u","timestamp":"2001-01-01T00:00:00Z","sentAt":"2001-01-01T00:00:10Z",'
        b'"receivedAt":"1999-01-01T00:00:00Z"}'
    )
    assert (await collector.post("/v1/page", call))[:2] == OK
    [found] = await collected(settings)
    stamped = parse_time(orjson.loads(found.value)["receivedAt"])
    assert stamped is not None
    assert found.interaction.time == stamped - 10_000
    assert found.value.count(b"receivedAt") == 1


async def test_without_an_id_one_with_a_time_gets_the_same_at_each_attempt_and_one_without_a_new_one(
    collector: Served, settings: Settings
) -> None:
    at = b'"timestamp":"2026-11-22T10:00:00Z"'
    for sent in (b"1", b"2"):
        calls = b'{"type":"page","userId":"timed",%s},{"type":"page","userId":"timeless"}' % at
        batch = b'{"batch":[%s],"sentAt":"2026-11-2%sT11:00:00Z"}' % (calls, sent)
        assert (await collector.post("/v1/batch", batch))[:2] == OK
        single = b'{"userId":"single",%s,"sentAt":"2026-11-2%sT11:00:00Z"}' % (at, sent)
        assert (await collector.post("/v1/page", single))[:2] == OK
    for _ in range(2):
        for native in (b'{"type":"a","customer_id":"n-timed","time":1795341600000}', b'{"type":"a","customer_id":"n"}'):
            assert (await collector.post("/v1/interactions", native))[:2] == OK
    ids = Counter(dict.fromkeys([]))
    by_subject: dict[str, set[str | None]] = {}
    for each in await collected(settings):
        by_subject.setdefault(each.interaction.subject, set()).add(each.interaction.id)
        ids[each.interaction.subject] += 1
    assert {subject: len(found) for subject, found in by_subject.items()} == {
        "timed": 1,
        "timeless": 2,
        "single": 1,
        "n-timed": 1,
        "n": 2,
    }
    assert set(ids.values()) == {2}
    assert None not in set().union(*by_subject.values())


BAD = [
    (b'{"type":"page"}', "no_subject"),
    (b'{"type":"page","userId":"null"}', "blocked_subject"),
    (b'{"type":"page","userId":"u","properties":{"a":"\\ud800"}}', "not_json"),
    (b'{"type":"page","userId":"u","properties":{"a":' + b"[" * 3_000 + b"]" * 3_000 + b"}}", "too_deep"),
    (b'{"type":"track","userId":"u","event":""}', "no_event_name"),
    (b"5", "not_an_object"),
    (b'{"type":"page","userId":"u","timestamp":"1970-01-01T00:00:00Z"}', "bad_time"),
    (b'{"type":"page","userId":"u","properties":"' + bytes(2_000_000).replace(b"\0", b"x") + b'"}', "too_large"),
]
GOOD = [
    b'{"type":"page","userId":"not-a-number","properties":{"a":NaN,"b":[Infinity]}}',
    b'{"type":"page","userId":"huge","properties":{"a":1e999,"b":%s}}' % (b"9" * 5_000),
    b'{"type":"page","userId":"x","userId":"twice"}',
    b'{"type":"page","userId":1180591620717411303424}',
]


async def test_bad_items_are_dead_letters_with_their_reason_and_the_good_ones_are_taken(
    collector: Served, settings: Settings
) -> None:
    items = [part for pair in zip([bad for bad, _ in BAD], [*GOOD, *GOOD], strict=True) for part in pair]
    body = b'{"batch":[' + b",".join(items) + b"]}"
    assert (await collector.post("/v1/batch", body))[:2] == OK
    found = await collected(settings)
    assert {each.interaction.subject for each in found} == {"not-a-number", "huge", "twice", "1180591620717411303424"}
    assert len(found) == 2 * len(GOOD)
    letters = await dead_letters(settings)
    assert sorted(each.reason for each in letters) == sorted(reason for _, reason in BAD)
    assert all(each.detail for each in letters)
    assert [each.reason for each in letters if each.truncated] == ["too_large"]
    by_reason = {each.reason: each for each in letters}
    assert by_reason["not_an_object"].value == b"5"
    assert b'"\\ud800"' in (by_reason["not_json"].value or b"")


async def test_a_body_of_bad_items_alone_is_taken_too(collector: Served, settings: Settings) -> None:
    for path in ("/v1/batch", "/v1/interactions"):
        assert (await collector.post(path, b'[5,"a"]'))[:2] == OK
    assert (await collector.post("/v1/batch", b'{"batch":[]}'))[:2] == OK
    assert [each.reason for each in await dead_letters(settings)] == ["not_an_object"] * 4


async def test_native_interactions_come_as_an_object_as_a_list_or_as_lines(
    collector: Served, settings: Settings
) -> None:
    line = b'{"type":"visit","customer_id":"%d","id":"%d"}'
    bodies = [
        line % (1, 1),
        b"[" + line % (2, 2) + b" , " + line % (3, 3) + b"]",
        line % (4, 4) + b"\r\n\n" + line % (5, 5) + b'\n{"type":\n',
    ]
    for body in bodies:
        assert (await collector.post("/v1/interactions", body, Content_Type="text/csv"))[:2] == OK
    found = await collected(settings)
    assert [each.interaction.id for each in found] == ["1", "2", "3", "4", "5"]
    assert found[0].value == line % (1, 1)
    assert [each.reason for each in await dead_letters(settings)] == ["not_json"]


async def test_the_native_path_takes_whatever_format_workers_read(collector: Served, settings: Settings) -> None:
    body = b"\n".join(
        [
            b'{"type":"track","event":"Bought","userId":"s"}',
            b'{"specversion":"1.0","id":"e","source":"/a","type":"seen","subject":"c"}',
            b'{"schema":null,"payload":{"type":"visit","customer_id":"k"}}',
        ]
    )
    assert (await collector.post("/v1/interactions", body))[:2] == OK
    found = {each.interaction.subject: each for each in await collected(settings)}
    assert {subject: each.interaction.name for subject, each in found.items()} == {
        "s": "Bought",
        "c": "seen",
        "k": "visit",
    }
    assert "receivedAt" in orjson.loads(found["s"].value)


async def test_cloud_events_come_binary_structured_or_in_a_batch(collector: Served, settings: Settings) -> None:
    binary = {
        "ce_specversion": "1.0",
        "ce_id": "b-1",
        "ce_source": "/shop",
        "ce_type": "order%20paid",
        "ce_subject": "J%C3%BCrgen",
        "ce_time": '"2026-11-22T10:00:00Z"',
        "Content_Type": "application/json",
    }
    assert (await collector.post("/v1/events", b'{"total":19.9}', **binary))[:2] == OK
    event = b'{"specversion":"1.0","id":"%d","source":"/shop","type":"seen","subject":"s","data":{"n":%d}}'
    structured = "application/cloudevents+json; charset=utf-8"
    assert (await collector.post("/v1/events/", event % (1, 1), Content_Type=structured))[:2] == OK
    batch = b"[" + event % (2, 2) + b"," + event % (3, 3) + b',{"specversion":"1.0","type":"seen"}]'
    assert (await collector.post("/v1/events", batch, Content_Type="application/cloudevents-batch+json"))[:2] == OK
    found = await collected(settings)
    first = found[0].interaction
    assert (first.id, first.name, first.subject, first.time) == ("b-1", "order paid", "Jürgen", 1_795_341_600_000)
    assert first.properties == {"total": 19.9}
    assert [(each.interaction.id, each.interaction.properties) for each in found[1:]] == [
        (str(n), {"n": n}) for n in (1, 2, 3)
    ]
    assert [each.reason for each in await dead_letters(settings)] == ["no_subject"]


async def test_a_cloud_event_without_an_id_gets_one(collector: Served, settings: Settings) -> None:
    named = {"ce_specversion": "1.0", "ce_type": "seen", "ce_subject": "b", "ce_time": "2026-11-22T10:00:00Z"}
    for _ in range(2):
        assert (await collector.post("/v1/events", b"{}", **named))[:2] == OK
        assert (await collector.post("/v1/events", b'{"specversion":"1.0","type":"seen","subject":"s"}'))[:2] == OK
    ids = [each.interaction.id for each in await collected(settings)]
    assert None not in ids
    assert (len(set(ids[:2])), len(set(ids[2:]))) == (1, 2)


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("gzip", gzip.compress), ("GZIP", gzip.compress), ("deflate", zlib.compress), ("zstd", zstd.compress)],
)
async def test_bodies_come_packed(collector: Served, settings: Settings, encoding: str, pack) -> None:
    body = orjson.dumps({"batch": [{"type": "page", "userId": f"u-{n}"} for n in range(2_000)]})
    assert (await collector.post("/v1/batch", pack(body), Content_Encoding=encoding))[:2] == OK
    assert len(await collected(settings)) == 2_000


async def test_two_hundred_requests_at_once_are_each_answered_when_all_of_it_is_there(
    collector: Served, settings: Settings
) -> None:
    async def send(number: int) -> tuple[int, dict[str, object]]:
        calls = [{"type": "page", "userId": f"u-{number}", "messageId": f"{number}-{n}"} for n in range(number % 7 + 1)]
        body = orjson.dumps({"batch": calls})
        while (answer := (await collector.post("/v1/batch", body))[:2])[0] == 429:  # the disk of Kafka stands still
            refused.append(number)
            await asyncio.sleep(1)
        return answer

    refused: list[int] = []
    assert await asyncio.gather(*map(send, range(200))) == [OK] * 200
    found = await collected(settings)
    assert {each.interaction.id for each in found} == {f"{k}-{n}" for k in range(200) for n in range(k % 7 + 1)}
    assert len(found) == sum(k % 7 + 1 for k in range(200)) or refused


async def test_the_calls_of_a_customer_in_one_request_keep_their_order(collector: Served, settings: Settings) -> None:
    """Over several batches of Kafka's, while others send."""
    filling = "x" * 2_000
    calls = [{"type": "page", "userId": "one", "messageId": str(n), "properties": {"a": filling}} for n in range(2_000)]
    others = [collector.post("/v1/page", b'{"userId":"other-%d"}' % n) for n in range(50)]
    assert (await asyncio.gather(collector.post("/v1/batch", orjson.dumps({"batch": calls})), *others))[0][:2] == OK
    topic = await read_all(settings.bootstrap, settings.topics.interactions)
    found = [orjson.loads(record.value or b"") for records in topic.values() for record in records]
    assert [int(each["messageId"]) for each in found if each["userId"] == "one"] == list(range(2_000))


async def test_ids_partitions_and_blocked_ones_are_as_the_settings_have_them(settings: Settings) -> None:
    other = replace(settings, ids="folded", partitioner="crc32", blocked=frozenset({"nobody"}))
    async with served(other) as collector:
        calls = [{"type": "page", "userId": each} for each in (" Ada@Mail.test ", "Nobody", "null")]
        body = orjson.dumps({"batch": calls})
        assert (await collector.post("/v1/batch", body))[:2] == OK
    assert [each.interaction.subject for each in await collected(other)] == ["ada@mail.test", "null"]
    assert [each.reason for each in await dead_letters(other)] == ["blocked_subject"]


async def test_an_item_that_its_topic_does_not_take_is_a_dead_letter(settings: Settings) -> None:
    await create_topics(
        settings.bootstrap, settings.topics.interactions, partitions=4, settings={"max.message.bytes": "20000"}
    )
    async with served(settings) as collector:
        large = {"type": "page", "userId": "large", "properties": {"a": "x" * 20_000}}
        small = [{"type": "page", "userId": "small", "properties": {"a": "x" * 19_000}} for _ in range(5)]
        assert (await collector.post("/v1/batch", orjson.dumps({"batch": [large, *small]})))[:2] == OK
    assert [each.interaction.subject for each in await collected(settings)] == ["small"] * 5
    [letter] = await dead_letters(settings)
    assert (letter.reason, letter.key) == ("too_large", b"large")
    assert "takes messages up to 20000" in letter.detail


@pytest.mark.parametrize(
    ("trusted", "forwarded", "expected"),
    [
        ((), "203.0.113.7", "127.0.0.1"),
        (("127.0.0.0/8",), "203.0.113.7", "203.0.113.7"),
        (("127.0.0.1", "10.0.0.0/8"), "6.6.6.6, 203.0.113.7, 10.1.2.3", "203.0.113.7"),
        (("127.0.0.1",), "203.0.113.7, nonsense", "127.0.0.1"),
        (("127.0.0.1",), "203.0.113.7:4711", "203.0.113.7"),
        (("127.0.0.1",), "[2001:db8::1]:4711", "2001:db8::1"),
        (("127.0.0.1",), "::ffff:203.0.113.7", "203.0.113.7"),
        (("127.0.0.1",), "", "127.0.0.1"),
    ],
)
async def test_the_address_is_the_one_that_the_nearest_trusted_proxy_names(
    settings: Settings, write_keys, trusted: tuple[str, ...], forwarded: str, expected: str
) -> None:
    with_ip = replace(settings, collect_ip=True, trusted_proxies=trusted, write_keys=str(write_keys))
    async with served(with_ip) as collector:
        about = {"Authorization": basic(SHOP), "X_Forwarded_For": forwarded}
        own = b'{"userId":"own","context":{"ip":"198.51.100.1","app":{}}}'
        for path, body in (
            ("/v1/page", b'{"userId":"page"}'),
            ("/v1/page", own),
            ("/v1/interactions", b'{"type":"a","customer_id":"native"}'),
        ):
            assert (await collector.post(path, body, **about))[:2] == OK
    found = {each.interaction.subject: each.interaction.context.get("ip") for each in await collected(with_ip)}
    assert found == {"page": expected, "own": "198.51.100.1", "native": expected}


async def test_no_address_is_kept_where_the_settings_do_not_say_so(collector: Served, settings: Settings) -> None:
    assert (await collector.post("/v1/page", b'{"userId":"u"}'))[:2] == OK
    [found] = await collected(settings)
    assert "context" not in orjson.loads(found.value)


async def test_a_whole_browser_session_can_be_sent_in_chunks(collector: Served, settings: Settings) -> None:
    async def parts():
        yield b'{"batch":['
        for number in range(50):
            yield b'%s{"type":"page","userId":"u","messageId":"%d"}' % (b"," if number else b"", number)
        yield b"]}"

    async with aiohttp.ClientSession() as session, session.post(collector.url + "/v1/b", data=parts()) as response:
        assert (response.status, await response.json()) == OK
    assert len(await collected(settings)) == 50
