"""`GET /v1/lifecycles`, one of them, and how many customers are in each of its stages now, over all workers."""

from collections import Counter
from typing import Any

import msgspec
from aiohttp import web

from stream.core.lifecycle import Lifecycle
from stream.engine.committed_state import MovingError
from stream.engine.state_reader import StateReader
from stream.web.answers import json_answer
from stream.web.lookup.forwarding import Forwarder, was_forwarded
from stream.web.lookup.questions import RefusedError, require_known


class StageCount(msgspec.Struct):
    """Customers of one stage."""

    stage: str
    title: str
    customers: int


class StageCounts(msgspec.Struct):
    """Customers of each stage, on some partitions or on all."""

    lifecycle: str
    version: int
    stages: list[StageCount]
    """In the order of the file; then those that an edit removed and that customers have not left yet."""
    complete: bool
    """Every partition was counted."""
    partitions: list[int]
    """Those that were."""


class LifecycleLookup:
    """What this worker's lifecycles are, and who is in them."""

    def __init__(self, reader: StateReader, forwarder: Forwarder) -> None:
        self._reader, self._forwarder = reader, forwarder

    async def all(self, request: web.Request) -> web.Response:
        """All lifecycles, in short."""
        require_known(request, ())
        return json_answer({"lifecycles": [_short(each) for each in self._reader.model.lifecycles]})

    async def one(self, request: web.Request) -> web.Response:
        """One lifecycle: its stages, and the ways between them."""
        require_known(request, ())
        lifecycle = lifecycle_of(self._reader, request)
        return json_answer(
            {
                **_short(lifecycle),
                "time_zone": lifecycle.time_zone or "UTC",
                "stages": [
                    {
                        "stage": each.name,
                        "title": each.title,
                        "channels": list(each.channels),
                        "actions": list(each.actions),
                    }
                    for each in lifecycle.stages.values()
                ],
                "transitions": [
                    {
                        "from": [stage for stage in lifecycle.stages if stage in each.sources],
                        "to": each.target,
                        "when": each.condition.text,
                        "limits": each.limits or None,
                    }
                    for each in lifecycle.transitions
                ],
                "scores": [
                    {"score": each.name, "half_life": each.half_life, "min": each.min, "max": each.max}
                    for each in lifecycle.scores
                ],
                "facts": [each.name for each in lifecycle.facts],
            }
        )

    async def stages(self, request: web.Request) -> web.Response:
        """How many customers are in each stage; of all workers, but where another worker asks."""
        require_known(request, ())
        lifecycle, reader = lifecycle_of(self._reader, request), self._reader
        reader.prepare()
        counted, partitions = await self._own(lifecycle)
        if not was_forwarded(request):
            for body in await self._forwarder.ask_all(request, reader.owners - {reader.url}):
                if body is not None:
                    theirs = msgspec.json.decode(body, type=StageCounts)
                    counted.update({each.stage: each.customers for each in theirs.stages})
                    partitions |= set(theirs.partitions)
        try:
            complete = len(partitions) == await reader.partitions()
        except MovingError:
            complete = False
        titles = {each.name: each.title for each in lifecycle.stages.values()}
        titles |= {stage: stage for stage in sorted(counted) if stage not in titles and counted[stage]}
        stages = [StageCount(stage, title, counted[stage]) for stage, title in titles.items()]
        answer = StageCounts(lifecycle.id, lifecycle.version, stages, complete, sorted(partitions))
        return json_answer(msgspec.to_builtins(answer))

    async def _own(self, lifecycle: Lifecycle) -> tuple[Counter[str], set[int]]:
        """Customers by stage on our partitions, and which these are."""
        counted, partitions = Counter[str](), set[int]()
        for partition in self._reader.owned:
            try:
                stages = await self._reader.stages(partition)
            except MovingError:
                continue
            partitions.add(partition)
            counted.update({stage: count for (name, stage), count in stages.items() if name == lifecycle.id})
        return counted, partitions


def lifecycle_of(reader: StateReader, request: web.Request) -> Lifecycle:
    """The lifecycle that the path names. Raises RefusedError."""
    name = request.match_info["lifecycle"]
    for lifecycle in reader.model.lifecycles:
        if lifecycle.id == name:
            return lifecycle
    known = ", ".join(each.id for each in reader.model.lifecycles)
    raise RefusedError(404, "unknown_lifecycle", f"no lifecycle {name!r} runs here; there are {known}")


def _short(lifecycle: Lifecycle) -> dict[str, Any]:
    return {
        "lifecycle": lifecycle.id,
        "title": lifecycle.title,
        "version": lifecycle.version,
        "digest": lifecycle.digest.hex(),
    }
