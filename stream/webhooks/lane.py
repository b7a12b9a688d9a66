"""What goes to one endpoint from one process: deliveries that were taken, in turn from each partition."""

import asyncio
import time
from collections import deque
from collections.abc import Iterator
from typing import Final, NamedTuple

from stream.webhooks.deliveries.news import Taken
from stream.webhooks.sending.rate import RateLimit

Place = tuple[int, str, str]
"""Partition, endpoint and subject: one delivery at most is under way there."""

_LONGEST_HUSH: Final = 60.0
"""Seconds: where a partition went to another process meanwhile, its state will tell nobody here."""


class Job(NamedTuple):
    """A delivery that was taken, and the partition that it waits on."""

    partition: int
    taken: Taken

    @property
    def place(self) -> Place:
        """Where it is under way."""
        return self.partition, self.taken.endpoint, self.taken.subject


class Lane:
    """The deliveries of one endpoint that were taken and not sent yet."""

    def __init__(self) -> None:
        self.sending = 0
        """Attempts under way."""
        self.limit: RateLimit | None = None
        self.timer: asyncio.TimerHandle | None = None
        """Ends a wait for the limit."""
        self.last_delivered: int | None = None
        """When an attempt began that the endpoint answered and took, epoch milliseconds."""
        self._jobs: dict[int, deque[Job]] = {}
        """By partition, the one whose turn is next first."""
        self._rate: float | None = None
        self._hushed: dict[Place, float] = {}

    def set_rate(self, rate: float | None) -> None:
        """Requests a second from now on; None: no bound."""
        if rate != self._rate:
            self._rate, self.limit = rate, None if rate is None else RateLimit(rate)
            self.stop_timer()

    def stop_timer(self) -> None:
        """Wait no more for the limit."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def length(self, partition: int) -> int:
        """Of the partition's deliveries."""
        return len(self._jobs.get(partition, ()))

    def add(self, job: Job) -> None:
        """Behind the others of its partition."""
        self._jobs.setdefault(job.partition, deque()).append(job)

    def __bool__(self) -> bool:
        return bool(self._jobs)

    def pop(self) -> Job:
        """The next one, of another partition than the last where there is one: a backlog holds up its own alone."""
        partition = next(iter(self._jobs))
        jobs = self._jobs.pop(partition)
        job = jobs.popleft()
        if jobs:
            self._jobs[partition] = jobs
        return job

    def take_out(self, partition: int) -> Iterator[Job]:
        """All of a partition, the last one first: each that is given back goes before the others."""
        return reversed(self._jobs.pop(partition, deque()))

    def take_out_all(self) -> Iterator[Job]:
        """All there are, as `take_out`."""
        jobs, self._jobs = self._jobs, {}
        return (job for each in jobs.values() for job in reversed(each))

    def hush(self, place: Place) -> None:
        """The endpoint asked not to be sent more; the state that hears of it will say for how long."""
        self._hushed[place] = time.monotonic() + _LONGEST_HUSH

    def is_heard(self, place: Place) -> None:
        """The state knows what became of the attempt there."""
        self._hushed.pop(place, None)

    @property
    def is_hushed(self) -> bool:
        """Nothing may be sent before the states of partitions know what the endpoint answered."""
        if self._hushed:
            now = time.monotonic()
            self._hushed = {place: until for place, until in self._hushed.items() if until > now}
        return bool(self._hushed)
