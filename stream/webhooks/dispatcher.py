"""Hands what is committed as waiting to the sender, and brings what became of it back as inputs.

    committed ----> take what is ready ----> lane of the endpoint ----> attempt ----> inbox of the partition
                                              (rate, concurrency)

Each endpoint has a lane of its own, so that one that hangs holds up nobody. A result stays in memory until it is
committed: where a partition has to start over meanwhile, its state gets the result again, and nothing is sent twice
for it. What an endpoint asks for, to be left alone for a while or for good, counts for all partitions of the process.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from stream.codec.stage_change_reader import read_whole_change
from stream.engine.companion import Inbox
from stream.events import Event, report
from stream.machine.batch import Machine
from stream.webhooks.attempt_tracing import AttemptTracing
from stream.webhooks.deliveries.machine import DeliveryMachine
from stream.webhooks.deliveries.news import Attempted, Configured, GivenBack
from stream.webhooks.endpoint import Endpoint, UnfitChangeError
from stream.webhooks.endpoint_log import EndpointLog
from stream.webhooks.exchange import Outcome, Verdict
from stream.webhooks.lane import Job, Lane, Place
from stream.webhooks.sending.sender import AttemptResult, Sender

log = logging.getLogger(__name__)

_AHEAD: Final = 16
"""So many times its concurrency are taken from a partition at once: it goes on while the results are being written."""
_ENOUGH: Final = 4
"""So many times its concurrency are enough: no result has to be written soon so that the lane goes on."""
_TOGETHER: Final = 0.05
_TOGETHER_BEHIND_A_QUEUE: Final = 0.1
"""Seconds that a result may wait to be written, so that many are written in one transaction. Not the first one after a
quiet moment, and not one that others wait for."""
_QUIET: Final = 0.2
"""Seconds without a result: a quiet moment."""
_RELEASE: Final = 1.0
"""Seconds that attempts under way get to end where a partition may soon be another's."""

Endpoints = Callable[[], Mapping[str, Endpoint]]
"""Those that the file names now, by name."""


class Dispatcher:
    """The companion of the partitions of this process; see `stream.engine.companion.Companion`."""

    def __init__(
        self,
        endpoints: Endpoints,
        sender: Sender,
        is_sure: Callable[[], bool],
        tracing: AttemptTracing | None = None,
    ) -> None:
        """`is_sure` tells whether nobody else can have the partitions of this process by now."""
        self._endpoints, self._sender, self._is_sure, self._tracing = endpoints, sender, is_sure, tracing
        self._lanes: dict[str, Lane] = {}
        self.open: dict[int, tuple[DeliveryMachine, Inbox]] = {}
        """By partition that is ours, what waits, and where inputs go."""
        self._running: dict[Place, asyncio.Task[None]] = {}
        self._behind: dict[Place, Job] = {}
        """Taken where an attempt is under way, which a state that was dropped since had taken."""
        self._results: dict[int, dict[Place, Attempted]] = {}
        """By partition, those that are not committed yet."""
        self._last_result: dict[int, float] = {}
        """By partition, when there was one, by time.monotonic()."""
        self._releasing: set[int] = set()
        self._endpoint_log = EndpointLog()

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
            if not machine.awaits(result.taken):
                del results[place]
                self._lanes[place[1]].is_heard(place)
        endpoints = self._endpoints()
        if endpoints is not machine.endpoints:
            inbox.put(Configured(endpoints))
        if number not in self._releasing:
            for endpoint in endpoints.values():
                self._fill(number, machine, endpoint)

    def _fill(self, number: int, machine: DeliveryMachine, endpoint: Endpoint) -> None:
        waiting = machine.waiting.get(endpoint.name)
        if waiting is None or not waiting.count or not endpoint.enabled:
            return
        lane = self._lane(endpoint)
        if not waiting.state.is_open or self._is_left_alone(endpoint.name, lane):
            self._give_back(lane.take_out(number))
            return
        room = _AHEAD * endpoint.concurrency - lane.length(number)
        for taken in machine.take(endpoint.name, room, _now()) if room > 0 else ():
            job = Job(number, taken)
            if job.place in self._running:
                self._behind[job.place] = job
            else:
                lane.add(job)
        self._pump(endpoint, lane)

    def _is_left_alone(self, name: str, lane: Lane) -> bool:
        """Whether any of our partitions knows that the endpoint wants nothing now."""
        if lane.is_hushed:
            return True
        now, known = _now(), [machine.waiting.get(name) for machine, _ in self.open.values()]
        return any(each and (each.state.disabled_at is not None or each.state.not_before > now) for each in known)

    def _lane(self, endpoint: Endpoint) -> Lane:
        lane = self._lanes.get(endpoint.name)
        if lane is None:
            lane = self._lanes[endpoint.name] = Lane()
        lane.set_rate(endpoint.rate)
        return lane

    def _pump(self, endpoint: Endpoint, lane: Lane) -> None:
        """Begin as many attempts as may be under way; none while another process may have the partitions."""
        if lane.timer is not None or not endpoint.enabled:
            return
        while lane and lane.sending < endpoint.concurrency and self._is_sure():
            wait = 0.0 if lane.limit is None else lane.limit.take(time.monotonic())
            if wait > 0:
                lane.timer = asyncio.get_running_loop().call_later(wait, self._limit_ended, endpoint.name, lane)
                return
            job = lane.pop()
            lane.sending += 1
            self._running[job.place] = asyncio.create_task(self._attempt(endpoint, lane, job))

    def _limit_ended(self, name: str, lane: Lane) -> None:
        lane.timer = None
        self._pump_on(name, lane)

    def _pump_on(self, name: str, lane: Lane) -> None:
        endpoint = self._endpoints().get(name)
        if endpoint is not None:
            self._pump(endpoint, lane)

    async def _attempt(self, endpoint: Endpoint, lane: Lane, job: Job) -> None:
        result: AttemptResult | None = None
        try:
            if not lane.is_hushed and self._is_sure():  # else it was stopped since it took the job
                result = await self._send(endpoint, lane, job)
        finally:
            lane.sending -= 1
            del self._running[job.place]
            if result is None:
                self._give_back([job])
            else:
                self._ended(endpoint, lane, job, result)
            self._go_behind(lane, job)
        self._pump_on(endpoint.name, lane)

    def _go_behind(self, lane: Lane, job: Job) -> None:
        """The attempt ended: what was taken meanwhile where it was under way takes its turn, unless it is the same."""
        behind = self._behind.pop(job.place, None)
        if behind is not None and behind != job:
            if job.partition in self._releasing:
                self._give_back([behind])
            else:
                lane.add(behind)

    async def _send(self, endpoint: Endpoint, lane: Lane, job: Job) -> AttemptResult:
        taken = job.taken
        change = read_whole_change(taken.value, job.partition, -1)
        if change is None:
            return _unsent(Verdict.REFUSED, "what waits is no stage change that this version can read")
        try:
            requests = endpoint.template.requests(change, taken.event_id, endpoint.values)
            if lane.limit is not None:
                lane.limit.owe(len(requests) - 1)
            tracing = self._tracing
            trace = None if tracing is None else tracing.attempt(endpoint.name, taken.context, taken.attempts)
            return await self._sender.attempt(endpoint, requests, taken.event_id, _now, trace)
        except UnfitChangeError as error:
            return _unsent(Verdict.REFUSED, str(error)[:200])
        except Exception as error:  # noqa: BLE001 else it would be tried again at once, and for ever
            report(
                log.error,
                Event.ATTEMPT_BROKEN,
                "our code failed on a delivery to {endpoint}: it is tried again as if the endpoint had failed",
                endpoint=endpoint.name,
                exc_info=error,
            )
            return _unsent(Verdict.AGAIN, f"our code failed: {type(error).__name__}")

    def _ended(self, endpoint: Endpoint, lane: Lane, job: Job, result: AttemptResult) -> None:
        outcome, status = result.outcome, result.status
        if outcome.verdict is Verdict.DELIVERED and status is not None:
            lane.last_delivered = max(lane.last_delivered or 0, result.at)
        self._endpoint_log.heard(endpoint.name, result)
        attempted = Attempted(job.taken, outcome, status, result.at, result.seconds, lane.last_delivered)
        self._results.setdefault(job.partition, {})[job.place] = attempted
        if job.partition in self.open:
            within = self._may_wait(endpoint, lane, attempted, job.partition)
            self.open[job.partition][1].put(attempted, within=within)
        if outcome.verdict is Verdict.GONE or outcome.wait:
            lane.hush(job.place)
            self._give_back(lane.take_out_all())

    def _may_wait(self, endpoint: Endpoint, lane: Lane, result: Attempted, number: int) -> float:
        """For how many seconds a result may wait for others, so that one transaction writes them all."""
        now, taken = time.monotonic(), result.taken
        is_first = now - self._last_result.get(number, -_QUIET) >= _QUIET
        self._last_result[number] = now
        waiting = self.open[number][0].waiting.get(taken.endpoint)
        if is_first or waiting is None or result.outcome.verdict is not Verdict.DELIVERED:
            return 0.0
        if lane.length(number) >= _ENOUGH * endpoint.concurrency:
            return _TOGETHER_BEHIND_A_QUEUE
        return 0.0 if waiting.is_ready or waiting.length(taken.subject) > 1 else _TOGETHER

    def _give_back(self, jobs: Iterable[Job]) -> None:
        for job in jobs:
            if job.partition in self.open:
                self.open[job.partition][1].put(GivenBack(job.taken))

    async def release(self, number: int) -> None:
        """See `Companion`: what is queued is given back, and attempts under way get a second to end."""
        self._releasing.add(number)
        try:
            for lane in self._lanes.values():
                self._give_back(lane.take_out(number))
            tasks = [task for place, task in self._running.items() if place[0] == number]
            if tasks:
                await asyncio.wait(tasks, timeout=_RELEASE)
            for task in tasks:
                task.cancel()
            if tasks:
                await asyncio.wait(tasks)
        finally:
            self._releasing.discard(number)

    def dropped(self, number: int) -> None:
        """See `Companion`: attempts under way go on, and what they end with is told when the state was read again."""
        for lane in self._lanes.values():
            lane.take_out(number)
        for place in [each for each in self._behind if each[0] == number]:
            del self._behind[place]
        self.open.pop(number, None)

    async def close(self) -> None:
        """End all attempts; what became of them is not known then."""
        for lane in self._lanes.values():
            lane.stop_timer()
            lane.take_out_all()
        self._behind.clear()
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)


def _unsent(verdict: Verdict, reason: str) -> AttemptResult:
    """There was no request."""
    return AttemptResult(Outcome(verdict, reason), None, _now(), 0.0, "")


def _now() -> int:
    return time.time_ns() // 1_000_000
