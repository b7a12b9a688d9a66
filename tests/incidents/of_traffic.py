"""Incidents of what is sent: too much, too little, rubbish, on the wrong partition."""

import time
from collections.abc import AsyncIterator
from itertools import count

import aiohttp

from stream.codec.records import Outgoing
from tests.incidents.incident import again_and_again, incident
from tests.incidents.site import PARTITIONS, Site
from tests.incidents.traffic import Traffic, home, interaction, record, visit, write

_FLOOD = 19_000
"""Customers; each has three stage changes, its birth being one."""

_BACKLOG, _AT_ONCE = 40_000, 300
"""Interactions that come first, and again and again."""


@incident(
    "flood",
    "far more customers come than usual, while an endpoint is paused",
    *("StageChangesMany", "WebhooksWaiting", "WebhookPaused"),
    within=240,
)
async def flood(site: Site, _: Traffic) -> AsyncIterator[None]:
    site.endpoints["archive"] = {}
    site.write_endpoints()
    await site.command("webhooks", "pause", "archive")
    bought = (record(interaction(f"f-{number}", "Order Completed", total=5)) for number in range(_FLOOD))
    await write(site, bought)
    yield
    del site.endpoints["archive"]
    site.write_endpoints()


@incident(
    "no-traffic",
    "nothing is sent any more",
    *("NoTraffic", "SourceSilent", "StageChangesFew"),
    within=150,
)
async def no_traffic(_: Site, traffic: Traffic) -> AsyncIterator[None]:
    traffic.pause()
    yield
    traffic.resume()


@incident(
    "overload",
    "more comes than workers may read, by a quota of Kafka",
    *("LagGrows", "Behind", "ChangesLate", "DeadlinesLate"),
    within=300,
)
async def overload(site: Site, _: Traffic) -> AsyncIterator[None]:
    numbers = count()

    async def send() -> None:
        await write(site, [record(interaction(f"o-{next(numbers)}")) for _ in range(_AT_ONCE)])

    await site.limit_reading(15_000)
    await write(site, [record(interaction(f"o-{next(numbers)}")) for _ in range(_BACKLOG)])
    async with again_and_again(send, 0.2):
        yield
    await site.limit_reading(None)


@incident("rubbish", "most of what is written cannot be read", "DeadLetterShare", "DeadLetters", within=120)
async def rubbish(site: Site, _: Traffic) -> AsyncIterator[None]:
    async def send() -> None:
        await write(site, [Outgoing(str(number).encode(), b"{") for number in range(200)])

    async with again_and_again(send, 0.5):
        yield


@incident("misplaced", "a sender finds partitions in another way", "Misplaced")
async def misplaced(site: Site, _: Traffic) -> AsyncIterator[None]:
    customer = "c-misplaced"
    await write(site, [record(interaction(customer))], (home(customer) + 1) % PARTITIONS)
    yield


@incident(
    "bad-requests",
    "a sender has a wrong key, another one sends items that cannot be read",
    *("CollectorRejects", "CollectorDeadLetters"),
    within=120,
)
async def bad_requests(_: Site, traffic: Traffic) -> AsyncIterator[None]:
    async with aiohttp.ClientSession() as session:

        async def send() -> None:
            await traffic.post(session, visit("c-nobody"), key="unknown-0123456789")
            await traffic.post(session, [{"type": "page", "time": int(time.time() * 1_000)} for _ in range(4)])

        async with again_and_again(send, 0.3):
            yield
