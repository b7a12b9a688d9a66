"""`GET /v1/operations`: every worker, its partitions, and how far it is, as each says of itself.

Which workers there are, the group says: the owners of partitions as of the last assignment, and, where the broker
reports them, the members of the group, those without partitions too. One that does not answer is shown with what it
owns. A question that was forwarded is answered for this worker alone.
"""

from collections.abc import Callable, Iterable
from typing import Final

import aiohttp
import msgspec
from aiohttp import web

from stream.engine.committed_state import MovingError
from stream.engine.state_reader import StateReader
from stream.engine.status import EngineStatus, PartitionStatus
from stream.kafka.worker_versions import GroupVersions
from stream.settings import Settings
from stream.web.answers import json_answer
from stream.web.console.about import About, settings_shown
from stream.web.lookup.forwarding import Answer, Forwarder, was_forwarded
from stream.web.lookup.questions import require_known

PATH: Final = "/v1/operations"
_TIMEOUT: Final = aiohttp.ClientTimeout(total=2.0, connect=1.0)
"""For another worker: one that is stopped holds up nobody who wants to know how the others are."""


class Contact(msgspec.Struct):
    """Whether Kafka answers a worker."""

    up: bool
    since: int


class PartitionShown(msgspec.Struct):
    """A partition, as its owner has it; all but its number is None where that one does not answer."""

    partition: int
    state: str | None = None
    recovered: float | None = None
    position: int | None = None
    lag: int | None = None
    blocked_by: str | None = None


class LifecycleShown(msgspec.Struct):
    """Which edit of a lifecycle a worker has."""

    lifecycle: str
    version: int
    digest: str


class Setting(msgspec.Struct):
    """A setting of a worker, as a person writes it."""

    name: str
    value: str
    default: bool


class WorkerShown(msgspec.Struct):
    """A worker. Where it does not answer, its address and what it owns is all that is known."""

    url: str
    answers: bool
    says: str | None = None
    """Why nothing is known of it; None where it answers."""
    version: str | None = None
    python: str | None = None
    compiled: bool | None = None
    started: int | None = None
    phase: str | None = None
    ready: bool | None = None
    delivery: str | None = None
    kafka: Contact | None = None
    partitions: list[PartitionShown] = []
    lifecycles: list[LifecycleShown] = []
    settings: list[Setting] = []


class OperationsShown(msgspec.Struct):
    """All workers, or one of them where another worker asks."""

    workers: list[WorkerShown]
    partitions: int | None
    """Of the interactions topic; None while nobody knows."""
    owned: int
    """Those whose owner answers."""
    lag: int | None
    """Interactions that are not processed yet; None where that is not known of every partition."""
    consistent: bool
    """All workers that are known have the same release, lifecycles and settings that decide."""


class Operations:
    """Shows the workers of the group."""

    def __init__(
        self,
        reader: StateReader,
        forwarder: Forwarder,
        status: Callable[[], EngineStatus],
        group: GroupVersions,
        settings: Settings,
        about: About,
    ) -> None:
        self._reader, self._forwarder, self._status = reader, forwarder, status
        self._group, self._settings, self._about = group, settings, about

    async def answer(self, request: web.Request) -> web.Response:
        """All workers; but where another one asks, this one."""
        require_known(request, ())
        workers = [self._own()]
        if not was_forwarded(request):
            others = sorted((self._reader.owners | self._group.urls) - {self._reader.url})
            answers = await self._forwarder.ask_each(request, others, _TIMEOUT)
            workers += [self._other(url, answer) for url, answer in zip(others, answers, strict=True)]
        workers.sort(key=lambda worker: worker.url)
        return json_answer(msgspec.to_builtins(await self._together(workers)))

    async def _together(self, workers: list[WorkerShown]) -> OperationsShown:
        try:
            partitions = await self._reader.partitions()
        except MovingError:
            partitions = None
        owned = {each.partition: each.lag for worker in workers if worker.answers for each in worker.partitions}
        lags = [lag for lag in owned.values() if lag is not None]
        return OperationsShown(
            workers,
            partitions,
            len(owned),
            sum(lags) if len(lags) == partitions else None,
            _alike(worker for worker in workers if worker.answers) and not self._group.others,
        )

    def _own(self) -> WorkerShown:
        now, about = self._status(), self._about
        return WorkerShown(
            url=self._reader.url,
            answers=True,
            version=about.version,
            python=about.python,
            compiled=about.compiled,
            started=about.started,
            phase=now.phase.value,
            ready=now.ready,
            delivery=now.delivery,
            kafka=Contact(now.kafka.up, now.kafka.since),
            partitions=[_shown(each) for each in now.partitions],
            lifecycles=[
                LifecycleShown(name, each.version, each.digest) for name, each in self._group.ours.lifecycles.items()
            ],
            settings=[Setting(*each) for each in settings_shown(self._settings)],
        )

    def _other(self, url: str, answer: Answer | None) -> WorkerShown:
        """Another worker by its answer, which may be of another release."""
        if answer is not None and answer.status == 200:
            try:
                [found] = msgspec.json.decode(answer.body, type=OperationsShown).workers
            except (msgspec.MsgspecError, ValueError):
                return self._silent(url, "it answered what is no answer to this")
            found.url = url
            return found
        return self._silent(url, "it does not answer" if answer is None else f"it answered {answer.status}")

    def _silent(self, url: str, says: str) -> WorkerShown:
        owned = [PartitionShown(number) for number, owner in sorted(self._reader.by_owner.items()) if owner == url]
        return WorkerShown(url, answers=False, says=says, partitions=owned)


def _alike(workers: Iterable[WorkerShown]) -> bool:
    return len({(each.version, *((one.lifecycle, one.digest) for one in each.lifecycles)) for each in workers}) <= 1


def _shown(partition: PartitionStatus) -> PartitionShown:
    return PartitionShown(
        partition.partition,
        partition.state.value,
        partition.recovered,
        partition.position,
        partition.lag,
        partition.blocked_by,
    )
