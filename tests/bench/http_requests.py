"""Requests as they go over the wire: batches of an official SDK, single interactions, and questions."""

import base64
import itertools
import json
import random
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from tests.bench.workload import Record

BATCH = 100
"""Items in a batch, the most that segment-analytics-python puts into one."""
WRITE_KEY = "5d8f0c0a4f2e4c7b9a61d3e5f7a9b1c3"
CUSTOMERS = 100_000
_SDK_VERSION = "2.4.0"
_EVENTS = ("Product Viewed", "Product Added", "Order Completed", "Product List Viewed")


def batches(count: int) -> Iterator[bytes]:
    """So many POSTs of `/v1/batch` as segment-analytics-python 2.4.0 sends them, each of 100 calls of track."""
    chance = random.Random(1)
    headers = {
        "User-Agent": f"analytics-python/{_SDK_VERSION}",
        "Accept-Encoding": "gzip, deflate",
        "Accept": "*/*",
        "Connection": "keep-alive",
        "Content-Type": "application/json",
        "Authorization": "Basic " + base64.b64encode(f"{WRITE_KEY}:".encode()).decode(),
    }
    for _ in range(count):
        now = datetime.now(UTC)
        body = {
            "batch": [_track(chance, now - timedelta(milliseconds=BATCH - number)) for number in range(BATCH)],
            "sentAt": now.isoformat(),
            "writeKey": WRITE_KEY,
        }
        yield _post("/v1/batch", headers, json.dumps(body).encode())


def singles(records: Iterator[Record], count: int) -> Iterator[bytes]:
    """POSTs of `/v1/interactions`, each with one of the records, as a service would send them that has no SDK."""
    headers = {"Content-Type": "application/json", "Connection": "keep-alive", "X-Write-Key": WRITE_KEY}
    for record in itertools.islice(records, count):
        yield _post("/v1/interactions", headers, record.value)


def question(path: str) -> bytes:
    """A GET, as whoever asks a worker sends it."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\n\r\n".encode()


def _track(chance: random.Random, time: datetime) -> dict[str, object]:
    """A call as the SDK completes it: what was not given is there, and null."""
    properties = {
        "product_id": f"p-{chance.randrange(5_000)}",
        "sku": f"G-{chance.randrange(900)}",
        "category": "Games",
        "name": "Monopoly: 3rd Edition",
        "price": round(chance.uniform(5, 200), 2),
        "quantity": chance.randrange(1, 4),
        "currency": "EUR",
        "url": f"https://shop.example/products/{chance.randrange(5_000)}",
    }
    return {
        "integrations": {},
        "anonymousId": None,
        "properties": properties,
        "timestamp": time.isoformat(timespec="milliseconds"),
        "context": {"library": {"name": "analytics-python", "version": _SDK_VERSION}},
        "userId": f"c-{chance.randrange(CUSTOMERS):07d}",
        "type": "track",
        "event": chance.choice(_EVENTS),
        "messageId": str(uuid.UUID(int=chance.getrandbits(128), version=4)),
    }


def _post(path: str, headers: dict[str, str], body: bytes) -> bytes:
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        *(f"{name}: {value}" for name, value in headers.items()),
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
