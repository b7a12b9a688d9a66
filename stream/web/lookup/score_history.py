"""`GET /v1/customers/{id}/scores` and of visitors: scores over time, as they were and as they will be by time alone."""

from collections.abc import Iterable
from functools import partial
from typing import Any, Final

import orjson
from aiohttp import web

from stream.core import scoring
from stream.core.customer import Customer, Life
from stream.core.durations import DAY
from stream.core.explanation.by_time import first_move
from stream.core.explanation.explanation import MoveByTime
from stream.core.interaction import Kind
from stream.core.lifecycle import Lifecycle
from stream.core.model import Model, forgotten_at
from stream.core.scoring import Score
from stream.engine.state_reader import CustomerState, StateReader
from stream.web.answers import json_answer
from stream.web.lookup.customers import CustomerLookup
from stream.web.lookup.questions import require_known, whole_number

POINTS: Final = 60
MOST_POINTS: Final = 200
_ON: Final = 30 * DAY
"""So far ahead scores are told of a customer whom time alone never moves."""

Curve = list[tuple[int, float]]
"""Times, epoch milliseconds, and the score then."""


class ScoreLookup:
    """Answers where the customer is."""

    def __init__(self, reader: StateReader, customers: CustomerLookup) -> None:
        self._model, self._customers = reader.model, customers

    async def answer(self, request: web.Request, kind: Kind) -> web.Response:
        """The scores of the customer whose id the path has."""
        require_known(request, ("points",))
        points = whole_number(request, "points", POINTS, MOST_POINTS)
        return await self._customers.at_home(request, kind, partial(self._scores, points))

    async def _scores(self, points: int, state: CustomerState, customer: Customer) -> web.Response:
        history = await self._customers.history(state, customer, points)
        changes = [orjson.loads(change) for change in reversed(history.changes)]
        lifecycles = [
            scores_data(self._model, customer, each, state.clock or 0, changes, points)
            for each in self._model.lifecycles
            if each.id in customer.lives
        ]
        return json_answer({"lifecycles": lifecycles, "complete": history.complete})


def scores_data(
    model: Model, customer: Customer, lifecycle: Lifecycle, now: int, changes: Iterable[dict[str, Any]], points: int
) -> dict[str, Any]:
    """The scores of one lifecycle; `changes` are the customer's, oldest first, of whichever lifecycles."""
    life = customer.lives[lifecycle.id]
    at = max(now, life.clock)
    move = first_move(model, customer, lifecycle, life)
    until = _until(model, customer, move, at)
    begin = min(customer.latest, life.clock)
    ours = [each for each in changes if each["lifecycle"] == lifecycle.id]
    return {
        "lifecycle": lifecycle.id,
        "at": at,
        "until": until,
        "next": None if move is None else {"at": move.at, "to": move.target, "title": move.title},
        "scores": [
            {
                "score": score.name,
                "half_life": score.half_life,
                "min": score.min,
                "max": score.max,
                "past": past(score.name, ours),
                "ahead": ahead(score, life, begin, at, until, points),
            }
            for score in lifecycle.scores
        ],
    }


def past(score: str, changes: Iterable[dict[str, Any]]) -> Curve:
    """A score as stage changes have it, oldest first; of several at one time it is the same in all."""
    found = {each["at"]: each["scores"][score] for each in changes if score in each["scores"]}
    return list(found.items())


def ahead(score: Score, life: Life, begin: int, at: int, until: int, points: int) -> Curve:
    """A score as it is by time alone from the last interaction on, up to `until`, at about so many times.

    A score that does not vary has the beginning, the present and the end. One whose points expire has the times at
    which it changes, too, each with the millisecond before, of which the first ones are told.
    """
    times = {begin, at, until}
    if score.half_life is not None and points > 1:
        times.update(begin + (until - begin) * number // (points - 1) for number in range(points))
    for time in sorted({step for step, _change in scoring.steps(score, life, begin) if step <= until})[: points // 2]:
        times.update((time - 1, time))
    return [(time, scoring.read(score, life, time)) for time in sorted(times)]


def _until(model: Model, customer: Customer, move: MoveByTime | None, at: int) -> int:
    """Up to when scores are told: the next move by time, else when the customer is forgotten, or some weeks on."""
    if move is not None:
        return max(move.at, at)
    forgotten = None if customer.quarantined else forgotten_at(model, customer.active, customer.identified)
    return max(at, min(at + _ON, at + _ON if forgotten is None else forgotten))
