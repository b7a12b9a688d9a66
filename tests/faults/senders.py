"""Senders that behave as SDKs do: batches and single calls, of Segment's and native, each item with its own id.

A sender repeats a request, with the same ids, until it is answered 200: after a timeout, a connection that breaks or
is refused, 429 and 503. Where one collector does not answer it takes the other one. Some are impatient, and give up.
"""

import asyncio
import gzip
import json
import random
import time
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp

from tests.faults.book import Book, Entry, Manner
from tests.faults.items import BadItem, Item, Items, Posted

KEYS = {"shop": "write-key-of-shop-0001", "app": "write-key-of-app-00001", "crm": "write-key-of-crm-00001"}
"""Write keys by their source."""
RATE = 4
"""Interactions a second that the source `crm` may send to each collector: its sender is told to wait all the time."""
_AGAIN = (0.05, 0.5)
"""Seconds until the next attempt, where the answer says nothing of that."""
_PATIENCE = 90.0
"""Seconds for the last answers, once no fault comes any more."""

Urls = Callable[[], Sequence[str]]
"""Where collectors are reached at present."""


@dataclass(frozen=True)
class Profile:
    """What one sender is like."""

    manner: Manner
    path: str
    key_in: str
    """`basic`, `bearer`, `header`, `body` or `query`."""
    size: int
    """Items of a request, at most."""
    pause: float
    """Seconds between two requests, on average."""
    timeout: float
    """Seconds for an answer."""
    attempts: int | None = None
    """After so many it gives up; None: never."""
    packed: bool = False
    """Bodies are gzip."""


def _library(name: str) -> dict[str, Any]:
    return {"library": {"name": name, "version": "1.0"}, "page": {"path": "/x"}}


_HOUR = 3_600_000
PROFILES = (
    Profile(
        Manner("batch", "shop", skew=-90_000, context=_library("analytics-python")),
        "/v1/batch",
        "basic",
        20,
        0.7,
        10,
        packed=True,
    ),
    Profile(
        Manner("batch", "shop", keeps_sent=True, context=_library("analytics-java")), "/v1/import/", "body", 12, 0.9, 5
    ),
    Profile(Manner("call", "app", skew=_HOUR, context=_library("analytics-next")), "/v1/CALL", "header", 1, 0.15, 3),
    Profile(Manner("call", "app", context=_library("beacon")), "/v1/CALL/", "query", 1, 0.3, 1.5, attempts=1),
    Profile(
        Manner("batch", "app", skew=-30 * 24 * _HOUR, context=_library("analytics-android")),
        "/v1/b",
        "bearer",
        8,
        0.8,
        2,
        attempts=2,
    ),
    Profile(Manner("native", "shop"), "/v1/interactions", "bearer", 10, 0.8, 10),
    Profile(Manner("native", "app"), "/v1/interactions", "header", 1, 0.25, 2),
    Profile(Manner("native", "crm"), "/v1/interactions/", "basic", 25, 0.9, 4),
)


class Sender:
    """One of them."""

    def __init__(self, profile: Profile, items: Items, book: Book, urls: Urls, seed: int) -> None:
        self._profile, self._items, self._book, self._urls = profile, items, book, urls
        self._chance = random.Random(seed)
        self._turn = self._chance.randrange(2)
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=profile.timeout))

    async def run(self, over: asyncio.Event) -> None:
        """Post, until it is over and all is answered or given up."""
        profile = self._profile
        async with self._session:
            while not over.is_set():
                count = self._chance.randint(1, profile.size)
                posted = [self._items.draw(profile.manner.format) for _ in range(count)]
                await self._until_answered(posted, over)
                await asyncio.sleep(profile.pause * self._chance.uniform(0.5, 1.5))

    async def _until_answered(self, posted: Sequence[Posted], over: asyncio.Event) -> None:
        profile, book = self._profile, self._book
        entries = book.write(posted, profile.manner)
        first, attempts, deadline = _now() + profile.manner.skew, 0, None
        while profile.attempts is None or attempts < profile.attempts:
            attempts += 1
            sent = first if profile.manner.keeps_sent else _now() + profile.manner.skew
            for entry in entries:
                entry.sent.append(sent)
            wait = await self._attempt(entries, posted, sent)
            if wait is None:
                return
            if over.is_set():
                deadline = deadline or time.monotonic() + _PATIENCE
                if time.monotonic() > deadline:
                    book.wrong.append(f"{posted[0].id} and others were not answered {_PATIENCE:.0f} s after all faults")
                    return
            await asyncio.sleep(wait)

    async def _attempt(self, entries: Sequence[Entry], posted: Sequence[Posted], sent: int) -> float | None:
        """Send the request once; seconds until it is to be sent again, None: it is not."""
        urls = self._urls()
        soon = self._chance.uniform(*_AGAIN)
        if not urls:
            self._book.answers["no collector"] += 1
            return soon
        path, headers, body = request_of(self._profile, posted, sent)
        try:
            async with self._session.post(
                urls[self._turn % len(urls)] + path, data=body, headers=headers, allow_redirects=False
            ) as response:
                answer = await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self._turn += 1
            self._book.answers["timeout" if isinstance(error, TimeoutError) else "no answer"] += 1
            return soon
        if response.status == 200:
            self._book.answers["200"] += 1
            for entry in entries:
                entry.answered = True
            return None
        code = json.loads(answer)["code"]
        self._book.answers[f"{response.status} {code}"] += 1
        if response.status not in (429, 503):
            self._book.wrong.append(f"{posted[0].id} and others were answered {response.status}: {answer!r}")
            return None
        if response.status == 503:
            self._turn += 1
        return float(response.headers["Retry-After"])


def request_of(profile: Profile, posted: Sequence[Posted], sent: int) -> tuple[str, dict[str, str], bytes]:
    """Path, headers and body of a request that says it is sent at `sent`, epoch milliseconds."""
    manner, key = profile.manner, KEYS[profile.manner.source]
    path, headers = profile.path, {"Content-Type": "text/plain"}
    single = posted[0]
    if manner.format == "native":
        texts = [each.text if isinstance(each, BadItem) else json.dumps(native(each)) for each in posted]
        body = "\n".join(texts) if len(texts) % 2 else f"[{','.join(texts)}]"
    elif manner.format == "batch":
        texts = [each.text if isinstance(each, BadItem) else json.dumps(call(each, manner)) for each in posted]
        # The library's name stands once, beside the calls.
        beside = {"sentAt": _iso(sent), "context": {"library": manner.context["library"]}}
        if profile.key_in == "body":
            beside["writeKey"] = key
        body = json.dumps(beside)[:-1] + f', "batch": [{", ".join(texts)}]}}'
    else:
        path = path.replace("CALL", single.call if isinstance(single, Item) else "track")
        whole = {"context": manner.context, "sentAt": _iso(sent)}
        body = single.text if isinstance(single, BadItem) else json.dumps({**call(single, manner), **whole})
    match profile.key_in:
        case "basic":
            headers["Authorization"] = "Basic " + b64encode(f"{key}:".encode()).decode()
        case "bearer":
            headers["Authorization"] = f"Bearer {key}"
        case "header":
            headers["X-Write-Key"] = key
        case "query":
            path += f"?writeKey={key}"
    packed = body.encode()
    if profile.packed:
        packed, headers["Content-Encoding"] = gzip.compress(packed, 1), "gzip"
    return path, headers, packed


def native(item: Item) -> dict[str, Any]:
    """An item as a native interaction."""
    return {
        "id": item.id,
        "type": item.name,
        "customer_id": item.customer,
        "time": item.time if item.place % 2 else _iso(item.time),
        "properties": item.properties,
    }


def call(item: Item, manner: Manner) -> dict[str, Any]:
    """An item as a call of Segment's, in a batch of one whose clock is off."""
    return {
        "type": item.call,
        **({"event": item.name} if item.call == "track" else {}),
        "messageId": item.id,
        "userId": item.customer,
        "anonymousId": f"of-{item.customer}",
        "timestamp": _iso(item.time + manner.skew),
        "traits" if item.call == "identify" else "properties": item.properties,
        "context": {"page": manner.context["page"]},
    }


def senders(items: Items, book: Book, urls: Urls, seed: int) -> list[Sender]:
    """One of each profile."""
    return [Sender(each, items, book, urls, seed + number) for number, each in enumerate(PROFILES)]


def write_keys() -> str:
    """The file of write keys, with which collectors know them."""
    return "\n".join(
        f'[[key]]\nkey = "{key}"\nsource = "{source}"' + (f"\nrate = {RATE}" if source == "crm" else "")
        for source, key in KEYS.items()
    )


def _now() -> int:
    return int(time.time() * 1_000)


def _iso(milliseconds: int) -> str:
    moment = datetime.fromtimestamp(milliseconds // 1_000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1_000:03}Z"
