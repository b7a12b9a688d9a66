"""Collectors on the Apache Kafka of all tests, with topics of their own."""

import base64
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from stream.settings import Settings
from tests.kit.collectors import Served, served
from tests.kit.kafka import SharedKafka

SHOP, BLOG, SLOW = "shop-0123456789abcdef", "blog-0123456789abcdef", "slow-0123456789abcdef"
"""Write keys: of a source with a web page, of one whose pages are anywhere, and of one that may send 10 a second."""
KEYS = f"""
[[key]]
key = "{SHOP}"
source = "shop"
origins = ["https://shop.example", "https://WWW.shop.example/"]

[[key]]
key = "{BLOG}"
source = "blog"
origins = ["*"]

[[key]]
key = "{SLOW}"
source = "slow"
rate = 10
"""


def basic(key: str) -> str:
    """The Authorization header of who sends a key as the user of Basic."""
    return "Basic " + base64.b64encode(f"{key}:".encode()).decode()


@pytest.fixture
def settings(kafka: SharedKafka, topic_prefix: str) -> Settings:
    return Settings(bootstrap=kafka.bootstrap, topic_prefix=topic_prefix, partitions=4)


@pytest.fixture
async def collector(settings: Settings) -> AsyncIterator[Served]:
    """One without a file of keys: it takes what comes from this machine."""
    async with served(settings) as found:
        yield found


@pytest.fixture
def write_keys(tmp_path: Path) -> Path:
    file = tmp_path / "write-keys.toml"
    file.write_text(KEYS, encoding="utf-8")
    return file
