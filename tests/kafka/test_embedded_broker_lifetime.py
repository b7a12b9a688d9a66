"""The embedded broker comes up, goes down and never outlives the process that started it."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from stream.errors import BrokerError
from stream.kafka.embedded.broker import EmbeddedBroker
from tests.kit.topics import create_topics

pytestmark = pytest.mark.slow


async def connect(bootstrap: str) -> asyncio.StreamWriter:
    host, port = bootstrap.split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    return writer


async def test_it_runs_as_an_asynchronous_context_manager_and_leaves_no_file_behind() -> None:
    async with EmbeddedBroker() as broker:
        await create_topics(broker.bootstrap, "t", partitions=1)
        assert broker.log.exists()

    assert not broker.log.parent.exists()
    with pytest.raises(ConnectionRefusedError):
        await connect(broker.bootstrap)


async def test_it_stops_while_a_client_is_connected() -> None:
    broker = EmbeddedBroker()
    await asyncio.to_thread(broker.start)
    await create_topics(broker.bootstrap, "t", partitions=1)
    writer = await connect(broker.bootstrap)

    async with asyncio.timeout(10):
        await asyncio.to_thread(broker.stop)
        await asyncio.to_thread(broker.stop)

    writer.close()


PARENT = """
import time
from stream.kafka.embedded.broker import EmbeddedBroker

with EmbeddedBroker() as broker:
    print(broker.bootstrap, flush=True)
    time.sleep(60)
"""


async def test_a_killed_parent_takes_its_broker_with_it(tmp_path: Path) -> None:
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, stdout=PIPE, env={**os.environ, "TMPDIR": str(tmp_path)}
    )
    assert parent.stdout is not None
    bootstrap = (await parent.stdout.readline()).decode().strip()
    (await connect(bootstrap)).close()

    parent.kill()
    await parent.wait()

    with pytest.raises(ConnectionRefusedError):
        async with asyncio.timeout(10):
            while True:
                (await connect(bootstrap)).close()
                await asyncio.sleep(0.05)


def test_a_platform_without_a_broker_is_named_and_so_is_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")

    with pytest.raises(BrokerError, match="win32; set `bootstrap` to the address of an Apache Kafka"):
        EmbeddedBroker().start()


def test_a_binary_that_cannot_run_is_an_error_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALF_TANSU_BIN", "/nowhere/broker")

    with pytest.raises(BrokerError, match="/nowhere/broker"):
        EmbeddedBroker().start()
