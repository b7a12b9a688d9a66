"""`GET /v1/lifecycles/{id}/stages/{stage}/nearness`: how near the customers of a stage are to each way out of it.

A sample of them is looked at, as many of each partition, each by the worker that owns it.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

import msgspec
from aiohttp import web

from stream.core.durations import DAY
from stream.core.explain import ways_out
from stream.core.explanation.explanation import WayOut
from stream.core.explanation.nearness import nearness_of
from stream.core.lifecycle import Lifecycle
from stream.engine.committed_state import MovingError
from stream.engine.state_reader import Member, StateReader
from stream.web.answers import json_answer
from stream.web.lookup.forwarding import Forwarder, was_forwarded
from stream.web.lookup.lifecycles import lifecycle_of
from stream.web.lookup.questions import moving_answer, require_known
from stream.web.lookup.stage_order import stage_of

LOOKED_AT: Final = 1_000
"""Customers, over all partitions: a share is then right to some per cent."""
ABOVE: Final = (0.9, 0.75, 0.5, 0.25, 0.0)
"""Where buckets of nearness begin; a customer is in the first that it reaches."""
SOON: Final = 7 * DAY
_REASONS: Final = 10
"""Of what most wait for, so many are said."""


class Way(msgspec.Struct):
    """How many are how near to one way out."""

    to: str
    title: str
    transition: str
    near: list[int]
    """By bucket of `ABOVE`."""
    by_time: int = 0
    by_time_soon: int = 0
    needs_interaction: int = 0
    waits_for: dict[str, int] = {}

    def see(self, way: WayOut, now: int) -> None:
        """One more customer, whose way out this is at `now`."""
        nearness = nearness_of(way)
        self.near[next(place for place, least in enumerate(ABOVE) if nearness.share >= least)] += 1
        if way.by_time is not None:
            self.by_time += 1
            self.by_time_soon += way.by_time - now <= SOON
        self.needs_interaction += way.holds is None
        for text in nearness.waits_for:
            self.waits_for[text] = self.waits_for.get(text, 0) + 1

    def add(self, other: "Way") -> None:
        """Those that another worker looked at."""
        self.near = [one + more for one, more in zip(self.near, other.near, strict=True)]
        self.by_time += other.by_time
        self.by_time_soon += other.by_time_soon
        self.needs_interaction += other.needs_interaction
        self.waits_for = dict(Counter(self.waits_for) + Counter(other.waits_for))


class Part(msgspec.Struct):
    """The customers of a stage as one worker knows them, for the worker that was asked."""

    ways: list[Way]
    customers: int = 0
    looked_at: int = 0
    partitions: list[int] = []

    def see(self, lifecycle: Lifecycle, member: Member) -> None:
        """Look at one customer."""
        life = member.customer.lives[lifecycle.id]
        now = max(member.clock, life.clock)
        self.looked_at += 1
        for way, found in zip(self.ways, ways_out(lifecycle, life, now), strict=True):
            way.see(found, now)

    def add(self, other: "Part") -> None:
        """What another knows. Ways that its lifecycle has and ours has not, while an edit goes out, are added."""
        self.customers += other.customers
        self.looked_at += other.looked_at
        self.partitions = sorted({*self.partitions, *other.partitions})
        ours = _by_name(self.ways)
        for name, way in _by_name(other.ways).items():
            if name in ours:
                ours[name].add(way)
            else:
                self.ways.append(way)


def nothing_of(lifecycle: Lifecycle, stage: str) -> Part:
    """Nobody was looked at yet."""
    return Part(
        [
            Way(each.target, lifecycle.stages[each.target].title, each.condition.text, [0] * len(ABOVE))
            for each in lifecycle.transitions_from.get(stage, ())
        ]
    )


def nearness_data(lifecycle: str, stage: str, part: Part, *, complete: bool) -> dict[str, Any]:
    """The answer."""
    return {
        "lifecycle": lifecycle,
        "stage": stage,
        "customers": part.customers,
        "looked_at": part.looked_at,
        "complete": complete,
        "transitions": [
            {
                "to": way.to,
                "title": way.title,
                "transition": way.transition,
                "near": [{"above": least, "customers": count} for least, count in zip(ABOVE, way.near, strict=True)],
                "by_time": way.by_time,
                "by_time_within_7d": way.by_time_soon,
                "needs_interaction": way.needs_interaction,
                "waits_for": [
                    {"text": text, "customers": count} for text, count in Counter(way.waits_for).most_common(_REASONS)
                ],
            }
            for way in part.ways
        ],
    }


class NearnessLookup:
    """Looks at customers of a stage, over all workers."""

    def __init__(self, reader: StateReader, forwarder: Forwarder) -> None:
        self._reader, self._forwarder = reader, forwarder

    async def answer(self, request: web.Request) -> web.Response:
        """How near they are; of our partitions alone where another worker asks."""
        require_known(request, ())
        lifecycle = lifecycle_of(self._reader, request)
        stage = stage_of(request, lifecycle)
        try:
            count = await self._reader.partitions()
        except MovingError:
            return moving_answer()
        part = await self._own(lifecycle, stage, -(-LOOKED_AT // count))
        if was_forwarded(request):
            return web.Response(body=msgspec.json.encode(part), content_type="application/json")
        for body in await self._forwarder.ask_all(request, self._reader.owners - {self._reader.url}):
            if body is not None:
                part.add(msgspec.json.decode(body, type=Part))
        return json_answer(nearness_data(lifecycle.id, stage, part, complete=len(part.partitions) == count))

    async def _own(self, lifecycle: Lifecycle, stage: str, of_each: int) -> Part:
        """What our partitions know."""
        whole = nothing_of(lifecycle, stage)
        for partition in self._reader.owned:
            try:
                whole.add(await self._of(partition, lifecycle, stage, of_each))
            except MovingError:
                continue
        return whole

    async def _of(self, partition: int, lifecycle: Lifecycle, stage: str, most: int) -> Part:
        part = nothing_of(lifecycle, stage)
        part.partitions.append(partition)
        part.customers = (await self._reader.stages(partition)).get((lifecycle.id, stage), 0)
        async for members in self._reader.sample(partition, lifecycle.id, stage, most):
            for member in members:
                part.see(lifecycle, member)
        return part


def _by_name(ways: Iterable[Way]) -> dict[tuple[str, str, int], Way]:
    """Two ways out may be to one stage by one condition; the second never counts, and stays apart."""
    found: dict[tuple[str, str, int], Way] = {}
    for way in ways:
        number = sum(1 for name in found if name[:2] == (way.to, way.transition))
        found[way.to, way.transition, number] = way
    return found
