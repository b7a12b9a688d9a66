"""Hands what is committed as waiting to the sender, and brings what became of it back as inputs.

    committed ----> take what is ready ----> lane of the endpoint ----> attempt ----> inbox of the partition
                                              (rate, concurrency)

Each endpoint has a lane of its own, so that one that hangs holds up nobody. A result stays in memory until it is
committed: where a partition has to start over meanwhile, its state gets the result again, and nothing is sent twice
for it.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from stream.codec.stage_change_reader import read_whole_change
from stream.engine.companion import Inbox
from stream.machine.batch import Machine
from stream.webhooks.deliveries.machine import DeliveryMachine
from stream.webhooks.deliveries.news import Attempted, Configured, GivenBack
from stream.webhooks.endpoint import Endpoint, UnfitChangeError
from stream.webhooks.exchange import Outcome, Verdict
from stream.webhooks.rate import RateLimit
from stream.webhooks.sender import AttemptResult, Sender

_AHEAD: Final = 8
"""So many times its concurrency are taken for a lane at once: it goes on while the results are being written."""
_RELEASE: Final = 1.0
"""Seconds that attempts under way get to end where a partition may soon be another's."""
_LOOK_EVERY: Final = 1.0
"""Seconds: so old the endpoints may be."""

Endpoints = Callable[[], Mapping[str, Endpoint]]
"""Those that the file names now, by name."""


class _Job(NamedTuple):
    """A delivery that was taken."""

    partition: int
    endpoint: str
    subject: str
    event_id: str
    value: bytes

    @property
    def place(self) -> tuple[int, str, str]:
        """One delivery at most is under way there."""
        return self.partition, self.endpoint, self.subject


@dataclass(slots=True)
class _Lane:
    """What goes to one endpoint."""

    jobs: deque[_Job] = field(default_factory=deque)
    sending: int = 0
    limit: RateLimit | None = None
    rate: float | None = None
    timer: asyncio.TimerHandle | None = None
    is_shut: bool = False
    """It answered that it wants no more requests; until it is resumed."""
    shut_in: set[int] = field(default_factory=set)
    """Partitions whose state knows that."""


class Dispatcher:
    """The companion of the partitions of this process; see `stream.engine.companion.Companion`."""

    def __init__(self, endpoints: Endpoints, sender: Sender) -> None:
        self._endpoints, self._sender = endpoints, sender
        self._lanes: dict[str, _Lane] = {}
        self.open: dict[int, tuple[DeliveryMachine, Inbox]] = {}
        """By partition that is ours, what waits, and where inputs go."""
        self._running: dict[tuple[int, str, str], asyncio.Task[None]] = {}
        self._results: dict[int, dict[tuple[int, str, str], Attempted]] = {}
        """By partition, those that are not committed yet."""

    def sending(self) -> dict[str, int]:
        """By endpoint, attempts under way."""
        return {name: lane.sending for name, lane in self._lanes.items()}

    def committed(self, number: int, machine: Machine, inbox: Inbox) -> None:
        """Take what is ready."""
        assert isinstance(machine, DeliveryMachine)
        before = self.open.get(number)
        self.open[number] = machine, inbox
        results = self._results.setdefault(number, {})
        if results and (before is None or before[0] is not machine):  # the state that heard of these attempts is gone
            for each in results.values():
                inbox.put(each)
            return
        for place, result in list(results.items()):
            if not machine.awaits(result):
                del results[place]
        endpoints = self._endpoints()
        if endpoints is not machine.endpoints:
            inbox.put(Configured(endpoints))
        for name, endpoint in endpoints.items():
            self._fill(number, machine, endpoint, name)

    def _fill(self, number: int, machine: DeliveryMachine, endpoint: Endpoint, name: str) -> None:
        waiting = machine.waiting.get(name)
        if waiting is None or not waiting.count:
            return
        lane = self._lane(endpoint)
        if lane.is_shut:
            if not waiting.state.is_open:
                lane.shut_in.add(number)
            elif number in lane.shut_in:
                lane.is_shut = False
                lane.shut_in.clear()
            if lane.is_shut:
                return
        room = _AHEAD * endpoint.concurrency - len(lane.jobs)
        for subject, delivery in machine.take(name, room, _now()) if room > 0 else ():
            job = _Job(number, name, subject, delivery.event_id, delivery.value)
            if job.place not in self._running:  # else it was under way when the state was read again
                lane.jobs.append(job)
        self._pump(endpoint, lane)

    def _lane(self, endpoint: Endpoint) -> _Lane:
        lane = self._lanes.get(endpoint.name)
        if lane is None:
            lane = self._lanes[endpoint.name] = _Lane()
        if lane.rate != endpoint.rate:
            lane.rate, lane.limit = endpoint.rate, None if endpoint.rate is None else RateLimit(endpoint.rate)
        return lane

    def _pump(self, endpoint: Endpoint, lane: _Lane) -> None:
        """Begin as many attempts as may be under way."""
        if lane.timer is not None:
            return
        while lane.jobs and lane.sending < endpoint.concurrency:
            wait = 0.0 if lane.limit is None else lane.limit.take(time.monotonic())
            if wait > 0:
                lane.timer = asyncio.get_running_loop().call_later(wait, self._pump_again, endpoint.name)
                return
            job = lane.jobs.popleft()
            lane.sending += 1
            self._running[job.place] = asyncio.create_task(self._attempt(endpoint, lane, job))

    def _pump_again(self, name: str) -> None:
        lane, endpoint = self._lanes[name], self._endpoints().get(name)
        lane.timer = None
        if endpoint is not None:
            self._pump(endpoint, lane)

    async def _attempt(self, endpoint: Endpoint, lane: _Lane, job: _Job) -> None:
        result: AttemptResult | None = None
        try:
            result = await self._send(endpoint, job)
        finally:
            lane.sending -= 1
            self._running.pop(job.place, None)
            if result is not None:
                self._ended(lane, job, result)
            elif job.partition in self.open:
                self.open[job.partition][1].put(GivenBack(job.endpoint, job.subject, job.event_id))
        current = self._endpoints().get(job.endpoint)
        if current is not None:
            self._pump(current, lane)

    async def _send(self, endpoint: Endpoint, job: _Job) -> AttemptResult:
        change = read_whole_change(job.value, job.partition, -1)
        if change is None:
            refused = Outcome(Verdict.REFUSED, "what waits is no stage change that this version can read")
            return AttemptResult(refused, None, _now(), 0.0, "")
        try:
            requests = endpoint.template.requests(change, job.event_id, endpoint.values)
        except UnfitChangeError as error:
            return AttemptResult(Outcome(Verdict.REFUSED, str(error)[:200]), None, _now(), 0.0, "")
        return await self._sender.attempt(endpoint, requests, job.event_id, _now)

    def _ended(self, lane: _Lane, job: _Job, result: AttemptResult) -> None:
        attempted = Attempted(
            job.endpoint, job.subject, job.event_id, result.outcome, result.status, result.at, result.seconds
        )
        self._results.setdefault(job.partition, {})[job.place] = attempted
        if job.partition in self.open:
            self.open[job.partition][1].put(attempted)
        if result.outcome.verdict is Verdict.GONE and not lane.is_shut:
            lane.is_shut = True
            for each in lane.jobs:
                self._give_back(each)
            lane.jobs.clear()

    def _give_back(self, job: _Job) -> None:
        if job.partition in self.open:
            self.open[job.partition][1].put(GivenBack(job.endpoint, job.subject, job.event_id))

    async def release(self, number: int) -> None:
        """See `Companion`: what is queued is given back, and attempts under way get a second to end."""
        self._take_out(number, give_back=True)
        tasks = [task for place, task in self._running.items() if place[0] == number]
        if tasks:
            await asyncio.wait(tasks, timeout=_RELEASE)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def dropped(self, number: int) -> None:
        """See `Companion`: attempts under way go on, and what they end with is told when the state was read again."""
        self._take_out(number, give_back=False)
        self.open.pop(number, None)

    def _take_out(self, number: int, *, give_back: bool) -> None:
        for lane in self._lanes.values():
            for each in [job for job in lane.jobs if job.partition == number]:
                lane.jobs.remove(each)
                if give_back:
                    self._give_back(each)

    async def close(self) -> None:
        """End all attempts; what became of them is not known then."""
        for task in list(self._running.values()):
            task.cancel()
        if self._running:
            await asyncio.wait(list(self._running.values()))


def _now() -> int:
    return time.time_ns() // 1_000_000
