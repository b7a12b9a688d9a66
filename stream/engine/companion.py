"""What may work beside the partitions of a role: it acts on what is committed, and gives inputs back."""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Protocol

from stream.machine.batch import Machine


class Inbox:
    """Inputs of one partition that come by another way than its source topic, until its next batch."""

    def __init__(self) -> None:
        self._news: deque[object] = deque()
        self._due = asyncio.Event()
        """The next batch is to begin for them, whether or not there is anything else."""
        self._timer: asyncio.TimerHandle | None = None

    def put(self, news: object, *, within: float = 0.0) -> None:
        """An input for the next batch, which begins for it alone after `within` seconds, or when it would begin anyway.

        It is lost where the partition's state is dropped before that is written.
        """
        self._news.append(news)
        if within <= 0:
            self._due.set()
        elif not self._due.is_set():
            loop = asyncio.get_running_loop()
            if self._timer is None or self._timer.when() > loop.time() + within:
                self._stop_timer()
                self._timer = loop.call_later(within, self._due.set)

    def take(self) -> Sequence[object]:
        """All there is, in the order in which it came."""
        news = tuple(self._news)
        self.clear()
        return news

    def clear(self) -> None:
        """Forget all there is."""
        self._news.clear()
        self._due.clear()
        self._stop_timer()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    @property
    def is_due(self) -> bool:
        """Whether a batch is to begin now for what there is."""
        return self._due.is_set()

    async def wait(self) -> None:
        """Returns once a batch is to begin for what there is."""
        await self._due.wait()

    def __bool__(self) -> bool:
        return bool(self._news)


class Companion(Protocol):
    """Works beside the partitions that this process owns; each method returns at once but `release`."""

    def committed(self, number: int, machine: Machine, inbox: Inbox) -> None:
        """What the machine of this partition holds is committed, and the partition is surely ours."""

    async def release(self, number: int) -> None:
        """The partition may soon be another's: begin nothing for it, and end what is under way within a second."""

    def dropped(self, number: int) -> None:
        """The state of the partition is forgotten here; if it stays ours, it is read again and `committed`."""
