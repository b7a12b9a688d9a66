"""Requests of official SDKs, as `make sdks` recorded them: what the collector answers, and what Kafka has then."""

import base64
import json
import os
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from stream.settings import Settings
from tests.kit.collectors import Served, served
from tests.kit.kafka import SharedKafka
from tests.kit.topics import read_all
from tests.sdks.calls import Call, is_unreadable, story
from tests.sdks.checking import Checked, Placed, of_source, unreadable
from tests.sdks.keys import Key
from tests.sdks.product import PARTITIONS
from tests.sdks.recording import FOLDER, ORIGIN, recorded
from tests.sdks.sdks import SDKS, Sdk
from tests.sdks.wire import Exchange

WITH_THE_COLLECTOR = pytest.mark.asyncio(loop_scope="module")
EACH_SDK = pytest.mark.parametrize("sdk", SDKS, ids=lambda sdk: sdk.slug)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def collector(kafka: SharedKafka, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """One for all of them; each SDK has a key, and so a source, of its own."""
    keys = tmp_path_factory.mktemp("keys") / "keys.toml"
    keys.write_text("\n".join(Key(sdk, "story", (ORIGIN,)).table() for sdk in SDKS), encoding="utf-8")
    settings = Settings(
        bootstrap=kafka.bootstrap,
        topic_prefix=f"test-recorded-{os.environ.get('PYTEST_XDIST_WORKER', 'gw')}-",
        partitions=PARTITIONS,
        collector_port=0,
        write_keys=str(keys),
    )
    async with served(settings) as found:
        yield found


def calls_of(sdk: Sdk) -> list[Call]:
    return [call for burst in story(sdk) for call in burst]


async def sent(collector: Served, request: Exchange) -> tuple[int, bytes, dict[str, str]]:
    """What the collector answers, headers with small letters."""
    async with collector.session.request(
        request.method,
        collector.url + request.path,
        data=request.body or None,
        headers=request.headers,
        skip_auto_headers=("Content-Type", "User-Agent"),
        allow_redirects=False,
    ) as response:
        headers = {name.lower(): value for name, value in response.headers.items()}
        return response.status, await response.read(), headers


def _basic(key: str) -> str:
    return base64.b64encode(f"{key}:".encode()).decode()


async def of_sdk(sdk: Sdk, settings: Settings, topic: str) -> list[Placed]:
    return of_source(await read_all(settings.bootstrap, topic), Key(sdk, "story").source)


@EACH_SDK
@WITH_THE_COLLECTOR
async def test_each_call_of_an_sdk_is_on_the_topic_as_it_was_made(sdk: Sdk, collector: Served) -> None:
    """Also where all is sent again: then each is there twice, with one id."""
    recording, calls, settings = recorded(sdk), calls_of(sdk), collector.collector.settings
    posts = [each for each in recording.requests if each.method == "POST"]
    for times in (1, 2):
        for request in posts:
            status, body, _ = await sent(collector, request)
            assert (status, json.loads(body)) == (200, {"success": True})
        found = await of_sdk(sdk, settings, settings.topics.interactions)
        letters = await of_sdk(sdk, settings, settings.topics.dead_letters)
        checked = Checked(sdk, calls, recording.sent, posts, found)
        bad = sum(is_unreadable(call, sdk) for call in calls)
        good = len(calls) - bad
        assert (len(found), len(checked.ids), len(letters)) == (times * good, good, times * bad)
        assert [*checked.differences(), *unreadable(sdk, calls, letters)] == []


@pytest.mark.parametrize("sdk", [sdk for sdk in SDKS if sdk.is_of_a_browser], ids=lambda sdk: sdk.slug)
@WITH_THE_COLLECTOR
async def test_a_browser_may_send_from_the_page_that_its_key_allows(sdk: Sdk, collector: Served) -> None:
    requests = recorded(sdk).requests
    preflights = [each for each in requests if each.method == "OPTIONS"]
    assert {each.path for each in requests if each.method == "POST"} <= {each.path for each in preflights}
    for request in requests:
        status, _, headers = await sent(collector, request)
        assert status == (204 if request.method == "OPTIONS" else 200)
        assert headers["access-control-allow-origin"] == ORIGIN
    for request in preflights:
        asked = dict(request.headers)["Access-Control-Request-Headers"]
        _, _, headers = await sent(collector, request)
        assert set(asked.split(",")) <= set(headers["access-control-allow-headers"].split(", "))


@EACH_SDK
@WITH_THE_COLLECTOR
async def test_a_key_that_nobody_has_is_refused_wherever_the_sdk_puts_it(sdk: Sdk, collector: Served) -> None:
    """The recorded request with another key, in its head and in its body."""
    request = next(each for each in recorded(sdk).requests if each.method == "POST")
    known, other = Key(sdk, "story").text, "a-key-that-nobody-has"
    spelled = {known: other, _basic(known): _basic(other)}
    headers, body = [], request.unpacked.replace(known.encode(), other.encode())
    for name, value in request.headers:
        if name != "Content-Encoding":
            kind, _, given = value.rpartition(" ")
            headers.append((name, f"{kind} {spelled.get(given, given)}".strip()))
    assert (headers, body) != (request.headers, request.body)
    status, answer, _ = await sent(collector, request._replace(headers=headers, body=body))
    assert (status, json.loads(answer)["code"]) == (401, "unknown_key")


def test_each_sdk_is_recorded_at_the_release_that_is_run() -> None:
    """After a new release: make sdks ARGS=--record."""
    assert {sdk.slug: recorded(sdk).version for sdk in SDKS} == {sdk.slug: sdk.version for sdk in SDKS}
    assert {file.stem for file in FOLDER.glob("*.json")} == {sdk.slug for sdk in SDKS}
