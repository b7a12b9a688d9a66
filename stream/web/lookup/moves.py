"""`GET /v1/lifecycles/{id}/moves`: who moved from which stage to which in the last minute, hour or days."""

import time
from typing import Any, Final

from aiohttp import web

from stream.core.lifecycle import Lifecycle
from stream.engine.state_reader import StateReader
from stream.settings import Settings
from stream.web.answers import error_answer, json_answer
from stream.web.lookup.lifecycles import lifecycle_of
from stream.web.lookup.questions import choice, require_known
from stream.web.moves.counting import WITHIN, Moved, Stages
from stream.web.moves.follower import Known, MoveFollower, RefusedReadingError
from stream.web.moves.lengths import at_shares

_PATIENCE: Final = 5.0
"""Seconds for the latest changes to be read at the first question."""


class MovesLookup:
    """Counts moves for as long as somebody asks; each worker by itself, over all partitions."""

    def __init__(self, reader: StateReader, settings: Settings) -> None:
        self._reader, self._clock = reader, settings.clock
        self._follower = MoveFollower(settings, [each.id for each in reader.model.lifecycles])

    async def close(self) -> None:
        """End the counting."""
        await self._follower.close()

    async def answer(self, request: web.Request) -> web.Response:
        """The moves of the lifecycle that the path names."""
        require_known(request, ("within",))
        lifecycle = lifecycle_of(self._reader, request)
        within = choice(request, "within", tuple(WITHIN))
        try:
            known = await self._follower.known(_PATIENCE)
        except RefusedReadingError as refused:
            return error_answer(503, "kafka_refuses", str(refused))
        except TimeoutError:
            return error_answer(503, "kafka_away", "the topic of stage changes cannot be read now; ask again")
        now = time.time_ns() // 1_000_000
        latest = known.counts.latest
        return json_answer(
            moves_data(lifecycle, within, known, now if self._clock == "wall" or latest is None else latest)
        )


def moves_data(lifecycle: Lifecycle, within: str, known: Known, until: int) -> dict[str, Any]:
    """The answer, of the time that ends with `until`, epoch milliseconds."""
    since, moves = known.counts.within(within, lifecycle.id, until)
    complete = (known.since is None or known.since <= since) and not known.counts.left_out
    stages = [*lifecycle.stages, *sorted({each for move in moves for each in move if each} - lifecycle.stages.keys())]
    place = {stage: number for number, stage in enumerate(stages, 1)}

    def order(move: Stages) -> tuple[int, int]:
        """Lives that begin first, those that end last."""
        return place.get(move[0] or "", 0), place.get(move[1] or "", len(stages) + 1)

    return {
        "lifecycle": lifecycle.id,
        "within": within,
        "since": since,
        "until": until,
        "complete": complete,
        "counted_since": since if known.since is None else min(max(since, known.since), until),
        "moves": [
            {"from": move[0], "to": move[1], "customers": moves[move].count, "stayed": _stayed(moves[move])}
            for move in sorted(moves, key=order)
        ],
        "stages": [_stage(stage, moves) for stage in stages],
    }


def _stage(stage: str, moves: dict[Stages, Moved]) -> dict[str, Any]:
    left = Moved()
    for (source, _target), moved in moves.items():
        if source == stage:
            left.add(moved)
    entered = sum(moved.count for (_source, target), moved in moves.items() if target == stage)
    return {"stage": stage, "entered": entered, "left": left.count, "stayed": _stayed(left)}


def _stayed(moved: Moved) -> dict[str, int] | None:
    found = at_shares(moved.stayed, (0.5, 0.9))
    return None if found is None else {"median": found[0], "p90": found[1]}
