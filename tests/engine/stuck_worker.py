"""A worker that gets stuck on purpose, so that it can be shown that it notices.

    python tests/engine/stuck_worker.py KIND worker

KIND is one of STUCK.
"""

import asyncio
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from faust.assignor.partition_assignor import PartitionAssignor

from stream.cli import main
from stream.engine import partition_context, worker
from stream.engine.delivery import Transactional
from stream.engine.faust_app import EngineApp
from stream.engine.partition import Partition
from stream.engine.role import Role
from stream.engine.supervisor import Supervisor
from stream.kafka.partition_reader import PartitionReader


async def _for_ever(*_: object, **__: object) -> Any:
    await asyncio.Event().wait()


def loop() -> None:
    """Our own code never comes back from a batch, and nothing else gets its turn."""

    async def apply(*_: object) -> Any:
        time.sleep(3_600)  # noqa: ASYNC251 that is the point

    Partition._apply = apply  # type: ignore[method-assign]


def fetch() -> None:
    """The consumer never hands anything over."""
    PartitionReader.fetch = _for_ever  # type: ignore[method-assign]


def producer() -> None:
    """A transaction never ends."""
    Transactional.write = _for_ever  # type: ignore[method-assign]


def recovery() -> None:
    """The changelog is never read to its end."""
    partition_context.read_changelog = _for_ever


def group() -> None:
    """The group's assignment never arrives."""
    Supervisor.assign = lambda *_: None  # type: ignore[method-assign]


def none() -> None:
    """Nothing gets stuck."""


def blind() -> None:
    """Whoever leads the group does not know the topics when it assigns partitions for the first time.

    As a broker that has just started may answer.
    """
    really = PartitionAssignor.assign
    seldom = iter([True])

    def assign(self: PartitionAssignor, cluster: Any, members: Any) -> Any:
        if next(seldom, False):
            cluster._partitions.clear()
        return really(self, cluster, members)

    PartitionAssignor.assign = assign


def late() -> None:
    """The broker is away when Faust starts, though it was there right before."""
    really = worker.make_app
    seldom = iter([True])

    def make_app(role: Role, *others: Any) -> Any:
        away = replace(role, settings=replace(role.settings, bootstrap="127.0.0.1:1"))
        return really(away if next(seldom, False) else role, *others)

    worker.make_app = make_app


def lost() -> None:
    """As `late`, and Faust does not let go of what it began."""
    late()
    EngineApp.stop = _for_ever


STUCK: dict[str, Callable[[], None]] = {each.__name__: each for each in (loop, fetch, producer, recovery, group)}

if __name__ == "__main__":
    {**STUCK, "blind": blind, "late": late, "lost": lost, "none": none}[sys.argv.pop(1)]()
    main()
