"""What is not taken: each status, with a body that programs can read, and when to come back; and who may send."""

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from stream.codec.gathered import topic_of
from stream.setting_types import read_mappings
from stream.settings import Settings
from stream.web.collector import reading
from tests.kit.certificates import Authority
from tests.kit.collected import collected, dead_letters
from tests.kit.collectors import Served, served
from tests.web.collector.conftest import BLOG, SHOP, SLOW, basic

PAGE = b'{"type":"page","userId":"u"}'
EVENT = b'{"specversion":"1.0","type":"seen","subject":"event"}'
OK = (200, {"success": True})
TOKENS = """
[[token]]
token = "collecting-0123456789"
name = "crm"
roles = ["collect"]

[[token]]
token = "operating-0123456789"
name = "ops"
roles = ["operate"]
"""


@pytest.fixture
def guarded(settings: Settings, write_keys: Path, tmp_path: Path) -> Settings:
    tokens = tmp_path / "tokens.toml"
    tokens.write_text(TOKENS, encoding="utf-8")
    return replace(settings, write_keys=str(write_keys), web_tokens=str(tokens), collector_max_body=1 << 20)


@pytest.fixture
async def collector(guarded: Settings) -> AsyncIterator[Served]:
    """One with keys and tokens."""
    async with served(guarded) as found:
        yield found


def is_refusal(answer: tuple[int, dict[str, object], dict[str, str]], status: int, code: str) -> bool:
    found, body, headers = answer
    assert headers["Content-Type"].startswith("application/json")
    assert isinstance(body["message"], str)
    assert body["success"] is False
    assert (found, body["code"]) == (status, code)
    return True


async def test_a_key_is_found_wherever_an_sdk_puts_it_and_says_the_source(collector: Served, guarded: Settings) -> None:
    with_key = b'{"type":"page","userId":"%s","writeKey":"' + SHOP.encode() + b'"}'
    batch = b'{"batch":[{"type":"page","userId":"batch"}],"writeKey":"' + SHOP.encode() + b'"}'
    sent = [
        (await collector.post("/v1/page", b'{"userId":"basic"}', Authorization=basic(SHOP))),
        (await collector.post("/v1/page", b'{"userId":"bearer"}', Authorization=f"bearer {SHOP}")),
        (await collector.post("/v1/page", b'{"userId":"header","writeKey":"no:***"}', X_Write_Key=SHOP)),
        (await collector.post(f"/beacon/v1/batch?writeKey={SHOP}", b'{"batch":[{"type":"page","userId":"query"}]}')),
        (await collector.post("/v1/page", with_key % b"body")),
        (await collector.post("/v1/import/", batch)),
        (await collector.post("/v1/batch", batch.replace(b'batch"}', b'b2"}'), Authorization="Bearer oauth-of-others")),
        (await collector.post("/v1/interactions", b'{"type":"a","customer_id":"native"}', Authorization=basic(BLOG))),
        (await collector.post("/v1/events", EVENT, Authorization="Bearer collecting-0123456789")),
    ]
    assert [each[:2] for each in sent] == [OK] * len(sent)
    sources = {each.interaction.subject: each.headers["lifecycle_source"] for each in await collected(guarded)}
    assert sources == {
        **dict.fromkeys(("basic", "bearer", "header", "query", "body", "batch", "b2"), b"shop"),
        "native": b"blog",
        "event": b"crm",
    }
    assert all(SHOP.encode() not in each.value for each in await collected(guarded))


async def test_who_sends_no_key_that_is_known_is_refused(collector: Served, guarded: Settings) -> None:
    for path in ("/v1/batch", "/v1/track", "/v1/interactions", "/v1/events"):
        assert is_refusal(await collector.post(path, PAGE), 401, "unknown_key")
        assert is_refusal(await collector.post(path, PAGE, Authorization=basic(SHOP + "x")), 401, "unknown_key")
        assert is_refusal(await collector.post(path, PAGE, Authorization="Basic %%%"), 401, "unknown_key")
    operating = {"Authorization": "Bearer operating-0123456789"}
    assert is_refusal(await collector.post("/v1/interactions", PAGE, **operating), 401, "unknown_key")
    in_body = b'{"type":"a","customer_id":"u","writeKey":"' + SHOP.encode() + b'"}'
    assert is_refusal(await collector.post("/v1/interactions", in_body), 401, "unknown_key")
    assert await collected(guarded) == []


async def test_without_a_file_whoever_is_behind_a_proxy_or_a_foreign_page_is_refused(settings: Settings) -> None:
    async with served(settings) as collector:
        assert (await collector.post("/v1/page", b'{"userId":"a"}', Authorization=basic("any")))[:2] == OK
        assert (await collector.post("/v1/page", b'{"userId":"b"}', Origin="http://localhost:3000"))[:2] == OK
        assert is_refusal(await collector.post("/v1/page", PAGE, X_Forwarded_For="203.0.113.7"), 401, "no_keys")
        assert is_refusal(await collector.post("/v1/page", PAGE, Host="collector.example"), 401, "no_keys")
        assert is_refusal(
            await collector.post("/v1/page", PAGE, Origin="https://evil.example"), 403, "origin_not_allowed"
        )
    assert [each.headers for each in await collected(settings)] == [{}, {}]


async def test_a_web_page_may_send_with_a_key_that_allows_it_and_read_the_answer(collector: Served) -> None:
    for origin in ("https://shop.example", "https://www.shop.example", "https://SHOP.example"):
        status, _body, headers = await collector.post("/v1/t", PAGE, Authorization=basic(SHOP), Origin=origin)
        assert status == 200
        assert headers["Access-Control-Allow-Origin"] == origin
        assert headers["Access-Control-Expose-Headers"] == "Retry-After"
        assert headers["Vary"] == "Origin"
    for origin in ("https://evil.example", "http://shop.example", "https://shop.example.evil.example", "null"):
        answer = await collector.post("/v1/t", PAGE, Authorization=basic(SHOP), Origin=origin)
        assert is_refusal(answer, 403, "origin_not_allowed")
        assert (await collector.post("/v1/t", PAGE, Authorization=basic(BLOG), Origin=origin))[0] == 200
        assert is_refusal(
            await collector.post("/v1/t", PAGE, Authorization=basic(SLOW), Origin=origin), 403, "origin_not_allowed"
        )


async def test_a_preflight_of_every_path_is_allowed_where_a_key_allows_the_origin(
    settings: Settings, tmp_path: Path
) -> None:
    keys = tmp_path / "keys.toml"
    keys.write_text(f'[[key]]\nkey = "{SHOP}"\nsource = "shop"\norigins = ["https://shop.example"]\n')
    asking = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,x-new",
        "Access-Control-Request-Private-Network": "true",
    }
    async with served(replace(settings, write_keys=str(keys))) as collector:
        for path in ("/v1/t", "/v1/batch/", "/beacon/v1/batch", "/api/s/page", "/v1/interactions", "/anything"):
            url = collector.url + path
            async with collector.session.options(url, headers={**asking, "Origin": "https://shop.example"}) as answer:
                assert answer.status == 204
                headers = answer.headers
            assert headers["Access-Control-Allow-Origin"] == "https://shop.example"
            allowed = headers["Access-Control-Allow-Headers"].split(", ")
            assert {"authorization", "content-type", "anonymousid", "sentat", "x-write-key", "x-new"} <= set(allowed)
            assert "POST" in headers["Access-Control-Allow-Methods"]
            assert int(headers["Access-Control-Max-Age"]) > 600
            assert headers["Access-Control-Allow-Private-Network"] == "true"
            async with collector.session.options(url, headers={**asking, "Origin": "https://evil.example"}) as answer:
                assert answer.status == 204
                assert "Access-Control-Allow-Origin" not in answer.headers


async def test_a_source_that_sends_more_than_its_rate_is_told_when_to_come_back(
    collector: Served, guarded: Settings
) -> None:
    """10 a second, so 50 at once; the request that goes beyond is taken whole, and the next waits for it."""
    hundred = orjson.dumps({"batch": [{"type": "page", "userId": "u"}] * 100})
    assert (await collector.post("/v1/batch", hundred, Authorization=basic(SLOW)))[:2] == OK
    answer = await collector.post("/v1/batch", hundred, Authorization=basic(SLOW))
    assert is_refusal(answer, 429, "rate_exceeded")
    assert 1 <= int(answer[2]["Retry-After"]) <= 6
    assert (await collector.post("/v1/batch", hundred, Authorization=basic(BLOG)))[:2] == OK
    assert len(await collected(guarded)) == 200


async def test_keys_are_read_again_when_their_file_changes(collector: Served, write_keys: Path) -> None:
    new = "fresh-0123456789abcdef"
    assert is_refusal(await collector.post("/v1/page", PAGE, Authorization=basic(new)), 401, "unknown_key")
    fresh = f'[[key]]\nkey = "{new}"\nsource = "fresh"\n'
    await asyncio.to_thread(write_keys.write_text, fresh)
    async with asyncio.timeout(30):
        while (await collector.post("/v1/page", PAGE, Authorization=basic(new)))[0] != 200:
            await asyncio.sleep(0.05)
    assert is_refusal(await collector.post("/v1/page", PAGE, Authorization=basic(SHOP)), 401, "unknown_key")


async def test_a_body_that_cannot_be_read_at_all_is_refused_and_leaves_no_dead_letter(
    collector: Served, guarded: Settings
) -> None:
    for body in (b"", b"null", b'{"batch":[{"type":"page"', b"\xff\xfe{\0", b"data=e30="):
        for path in ("/v1/batch", "/v1/track", "/v1/interactions", "/v1/events"):
            assert is_refusal(await collector.post(path, body, Authorization=basic(SHOP)), 400, "unreadable")
    assert await dead_letters(guarded) == []


async def test_a_truncated_body_is_refused_though_its_beginning_could_be_read(collector: Served) -> None:
    """Aiohttp by itself takes it for whole."""
    packed = gzip.compress(b"\n".join([b'{"type":"a","customer_id":"u"}'] * 500))
    for length in (10, len(packed) // 2, len(packed) - 9, len(packed) - 1):
        answer = await collector.post(
            "/v1/interactions", packed[:length], Authorization=basic(SHOP), Content_Encoding="gzip"
        )
        assert is_refusal(answer, 400, "damaged_body")


async def test_a_body_that_is_too_large_is_refused_packed_or_not(collector: Served) -> None:
    """1 MiB here."""
    large = b'{"userId":"u","properties":{"a":"' + b"x" * (1 << 20) + b'"}}'
    assert is_refusal(await collector.post("/v1/page", large, Authorization=basic(SHOP)), 413, "too_large")
    bomb = gzip.compress(bytes(50 << 20))
    assert len(bomb) < 100_000
    answer = await collector.post("/v1/page", bomb, Authorization=basic(SHOP), Content_Encoding="gzip")
    assert is_refusal(answer, 413, "too_large")

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(64):
            yield bytes(64 << 10)

    headers = {"Authorization": basic(SHOP)}
    async with collector.session.post(collector.url + "/v1/page", data=endless(), headers=headers) as answer:
        assert answer.status == 413
    assert collector.collector.pending() == 0


async def test_a_batch_that_would_grow_without_bounds_is_refused(collector: Served) -> None:
    """Its context is put into each of its calls: 500 kB, ten thousand times."""
    body = b'{"context":{"a":"' + b"x" * 500_000 + b'"},"batch":[' + b"{}," * 9_999 + b"{}]}"
    assert is_refusal(await collector.post("/v1/batch", body, Authorization=basic(SHOP)), 413, "too_large")
    assert collector.collector.pending() == 0


async def test_an_encoding_that_nobody_knows_is_refused(collector: Served) -> None:
    answer = await collector.post("/v1/page", PAGE, Authorization=basic(SHOP), Content_Encoding="br")
    assert is_refusal(answer, 415, "unknown_encoding")


async def test_paths_and_methods_that_there_are_not_are_said_in_json_and_nothing_is_redirected(
    collector: Served,
) -> None:
    assert is_refusal(await collector.post("/v1/nothing", PAGE), 404, "not_found")
    assert is_refusal(await collector.post("/v1//track", PAGE), 404, "not_found")
    async with collector.session.get(collector.url + "/v1/track") as response:
        answer = response.status, await response.json(), {k.title(): v for k, v in response.headers.items()}
    assert is_refusal(answer, 405, "method_not_allowed")
    assert answer[2]["Allow"] == "POST"


async def test_a_request_whose_length_is_a_lie_is_no_interaction(collector: Served, guarded: Settings) -> None:
    head = f"POST /v1/page HTTP/1.1\r\nHost: a\r\nX-Write-Key: {SHOP}\r\nContent-Length: 100\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", collector.port)
    writer.write(head.encode() + PAGE)
    writer.write_eof()
    await reader.read()
    writer.close()
    assert await collected(guarded) == []
    assert collector.collector.pending() == 0


async def test_browser_sdks_are_told_to_send_here(collector: Served) -> None:
    url = collector.url + f"/v1/projects/{SHOP}/settings"
    async with collector.session.get(url, headers={"Origin": "https://shop.example"}) as response:
        assert response.status == 200
        assert response.headers["Access-Control-Allow-Origin"] == "https://shop.example"
        ours = (await response.json())["integrations"]["Segment.io"]
    assert (ours["apiKey"], ours["apiHost"], ours["protocol"]) == (SHOP, f"127.0.0.1:{collector.port}/v1", "http")
    async with collector.session.get(collector.url + "/v1/projects/unknown/settings") as response:
        assert (response.status, (await response.json())["code"]) == (401, "unknown_key")
    about = {"Authorization": basic(SHOP), "Origin": "https://shop.example"}
    async with collector.session.get(collector.url + "/sourceConfig/?p=npm&v=3", headers=about) as response:
        assert response.status == 200
        source = (await response.json())["source"]
    assert (source["enabled"], source["destinations"]) == (True, [])


async def test_metrics_count_requests_interactions_dead_letters_bytes_and_ask_for_a_token(collector: Served) -> None:
    body = b'{"batch":[{"type":"page","userId":"u"},{"type":"page"},{"type":"page","userId":"v"}]}'
    assert (await collector.post("/v1/batch", body, Authorization=basic(SHOP)))[:2] == OK
    await collector.post("/v1/batch", body)
    await collector.post("/v1/projects", body)
    url = collector.url + "/metrics"
    async with collector.session.get(url) as response:
        assert response.status == 401
    async with collector.session.get(url, headers={"Authorization": "Bearer operating-0123456789"}) as response:
        assert response.status == 200
        found = (await response.text()).splitlines()
    for line in (
        'lifecycle_collector_requests_total{path="segment",status="200"} 1.0',
        'lifecycle_collector_requests_total{path="segment",status="401"} 1.0',
        'lifecycle_collector_requests_total{path="other",status="404"} 1.0',
        'lifecycle_collector_interactions_total{format="segment",source="shop"} 2.0',
        'lifecycle_collector_dead_letters_total{reason="no_subject",source="shop"} 1.0',
        'lifecycle_collector_refused_requests_total{code="unknown_key"} 1.0',
        f"lifecycle_collector_body_bytes_total {2 * len(body)}.0",
        "lifecycle_collector_acknowledge_seconds_count 1.0",
        "lifecycle_collector_pending_bytes 0.0",
        "lifecycle_kafka_up 1.0",
    ):
        assert line in found


async def test_a_body_that_takes_too_long_is_given_up(collector: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds room that others need."""
    monkeypatch.setattr(reading, "_SECONDS", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", collector.port)
    head = f"POST /v1/page HTTP/1.1\r\nHost: a\r\nX-Write-Key: {SHOP}\r\nContent-Length: 100\r\n\r\n"
    writer.write(head.encode() + PAGE)
    assert b" 408 " in await reader.readuntil(b"\r\n\r\n")
    assert collector.collector.pending() == 0
    writer.close()


async def test_each_topic_of_several_can_be_sent_to_by_its_keys(settings: Settings, tmp_path: Path) -> None:
    """A replay of what is refused is read by the mapping of that topic."""
    keys = tmp_path / "keys.toml"
    crm = f'[[key]]\nkey = "{SHOP}"\nsource = "crm"\ntopic = "crm"\n[[key]]\nkey = "{BLOG}"\nsource = "web"\n'
    await asyncio.to_thread(keys.write_text, crm)
    mapping = read_mappings("crm: customer_id=contact, type=kind")
    several = replace(settings, interactions="web,crm", write_keys=str(keys), map=mapping)
    async with served(several) as collector:
        body = b'[{"contact":7,"kind":"called"},{"kind":"called"}]'
        assert (await collector.post("/v1/interactions", body, Authorization=basic(SHOP)))[:2] == OK
        assert (await collector.post("/v1/page", PAGE, Authorization=basic(BLOG)))[:2] == OK
    crm_topic, web_topic = several.topics.sent_to[1], several.topics.sent_to[0]
    assert [(each.interaction.subject, each.interaction.name) for each in await collected(several, crm_topic)] == [
        ("7", "called")
    ]
    assert [each.interaction.name for each in await collected(several, web_topic)] == ["page"]
    [letter] = await dead_letters(several)
    assert letter.source.topic == several.topics.interactions
    assert topic_of(letter.headers) == crm_topic


async def test_over_https_it_takes_the_same(settings: Settings, tmp_path: Path) -> None:
    authority = Authority("collectors", tmp_path)
    certificate = authority.issue("collector", tmp_path / "collector.pem", ("localhost",))
    secure = replace(settings, web_certfile=str(certificate))
    async with served(secure, ready=False) as collector:
        trusting = ssl.create_default_context(cafile=str(authority.file))
        url = f"https://localhost:{collector.port}"
        async with asyncio.timeout(60):
            while True:
                async with collector.session.post(url + "/v1/page", data=PAGE, ssl=trusting) as response:
                    if response.status == 200:
                        break
                await asyncio.sleep(0.05)
    assert len(await collected(settings)) == 1
