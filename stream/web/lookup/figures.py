"""`GET /v1/lifecycles/{id}/figures`: the sums of each day, week or month, over all partitions, against those before.

The worker that is asked first hears of all others which days and segments there are, where that is not in the question,
then what their partitions come to. A figure of some partitions is none: while one moves the answer is to ask again.
"""

import time
from typing import Final, NamedTuple, cast
from urllib.parse import urlencode

import aiohttp
from aiohttp import web

from stream.codec.figures import day_text
from stream.core.figures import FigureSet
from stream.core.lifecycle import Lifecycle
from stream.core.time_zone import Unit
from stream.engine.committed_state import MovingError
from stream.engine.state_reader import StateReader
from stream.settings import Settings
from stream.web.answers import json_answer
from stream.web.figures.answer import Told, figures_data
from stream.web.figures.csv_rows import csv_pieces
from stream.web.figures.periods import DEFAULT_DAYS, MOST_DAYS, UNITS, Periods, day_of, periods
from stream.web.figures.segments import Chosen, choose
from stream.web.figures.sums import (
    Adding,
    Part,
    decode_part,
    fingerprint_of,
    rank_segments,
    ranking_figure,
)
from stream.web.lookup.forwarding import Forwarder, was_forwarded
from stream.web.lookup.lifecycles import lifecycle_of
from stream.web.lookup.questions import RefusedError, choice, moving_answer, require_known, whole_number

PARAMETERS: Final = ("from", "to", "days", "by", "per", "format")
_BETWEEN_WORKERS: Final = ("part", "only")
_PARTS: Final = ("sums", "segments", "days")
"""What a worker asks of others: sums, which segments there are, or which days have figures."""
_CSV: Final = "text/csv"
_WITHIN: Final = aiohttp.ClientTimeout(total=60.0, connect=1.0)
"""For another worker to add up 800 days with a thousand segments."""
_HOW_TO: Final = (
    "add figures: to its file, as in figures: {visits: {each: visit}}; docs/figures.md has what they can be"
)


class Question(NamedTuple):
    """What is asked for."""

    lifecycle: Lifecycle
    figures: FigureSet
    by: str | None


class FigureLookup:
    """Adds up figures, over all workers."""

    def __init__(self, reader: StateReader, forwarder: Forwarder, settings: Settings) -> None:
        self._reader, self._forwarder, self._clock = reader, forwarder, settings.clock

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """The figures; of our partitions alone, and as others need them, where another worker asks."""
        forwarded = was_forwarded(request)
        require_known(request, (*PARAMETERS, *_BETWEEN_WORKERS) if forwarded else PARAMETERS)
        question = _question(self._reader, request)
        try:
            if forwarded:
                return await self._to_a_worker(request, question)
            return await self._to_a_reader(request, question)
        except MovingError:
            return moving_answer()

    async def _to_a_worker(self, request: web.Request, question: Question) -> web.Response:
        kind = choice(request, "part", _PARTS)
        if kind == "days":
            part = await self._own_days(question)
        else:
            asked = _asked(request, 0)
            if kind == "segments":
                part = await self._own_segments(question, asked)
            else:
                only = request.query.get("only")
                part = await self._own_sums(question, asked, None if only is None else frozenset(only.split(".")))
        return web.Response(body=part.encode(), content_type="application/json")

    async def _to_a_reader(self, request: web.Request, question: Question) -> web.StreamResponse:
        wanted = "csv" if _CSV in request.headers.get("Accept", "") else "json"
        kind = choice(request, "format", (wanted, "csv", "json"))
        wall = question.figures.zone.window(time.time_ns() // 1_000_000, "day")
        today = wall
        if self._clock == "stream":
            days = await self._gathered(request, question, await self._own_days(question), {"part": "days"})
            today = wall if days.latest is None else days.latest
        asked = _asked(request, today)
        shared = {"from": day_text(asked.first), "to": day_text(asked.last), "per": asked.per}
        if question.by is not None:
            shared["by"] = question.by
        chosen, only = Chosen((), 0), None
        if question.by is not None:
            own = await self._own_segments(question, asked)
            ranks = (await self._gathered(request, question, own, {**shared, "part": "segments"})).ranks
            chosen = choose(ranks, len(asked.each) * len(question.figures.figures))
            if len(chosen.shown) < chosen.all:
                only = [fingerprint_of(each) for each in chosen.shown]
                shared["only"] = ".".join(only)
        part = await self._gathered(
            request,
            question,
            await self._own_sums(question, asked, None if only is None else frozenset(only)),
            {**shared, "part": "sums"},
        )
        told = Told(question.lifecycle, question.figures, asked, question.by, today, part, chosen)
        return await _as_csv(request, told) if kind == "csv" else json_answer(await figures_data(told))

    async def _gathered(self, request: web.Request, question: Question, own: Part, query: dict[str, str]) -> Part:
        """What all workers know. Raises MovingError where that is not of all partitions."""
        reader = self._reader
        target = f"/v1/lifecycles/{question.lifecycle.id}/figures?{urlencode(query)}"
        for answer in await self._forwarder.ask_each(request, reader.owners - {reader.url}, _WITHIN, target):
            if answer is not None and answer.status == 200:
                theirs = decode_part(answer.body)
                if not set(own.partitions).isdisjoint(theirs.partitions):
                    raise MovingError
                own.add(theirs)
        if len(own.partitions) != await reader.partitions():
            raise MovingError
        return own

    async def _own_days(self, question: Question) -> Part:
        """Which days our partitions have."""
        part = Part()
        for partition in self._reader.owned:
            part.reaches(partition, *await self._reader.figure_span(partition, question.lifecycle.id))
        return part

    async def _own_segments(self, question: Question, asked: Periods) -> Part:
        """Which segments they have."""
        part = await self._own_days(question)
        figure, by = ranking_figure(question.figures), question.by or ""
        for partition in part.partitions:
            days = self._reader.figures(partition, question.lifecycle.id, asked.before.first, asked.last)
            await rank_segments(part, days, asked.first, figure, by)
        return part

    async def _own_sums(self, question: Question, asked: Periods, only: frozenset[str] | None) -> Part:
        """What they come to."""
        part = await self._own_days(question)
        name = question.lifecycle.id
        adding = Adding(asked, [each.name for each in question.figures.figures], question.by, only)
        for partition in part.partitions:
            customers = await self._reader.customers_after(partition, name, asked.first - 1)
            days = self._reader.figures(partition, name, asked.before.first, asked.last)
            await adding.partition(part, days, customers)
        return part


async def _as_csv(request: web.Request, told: Told) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Cache-Control": "no-store"})
    response.content_type, response.charset = _CSV, "utf-8"
    asked = told.asked
    name = f"{told.lifecycle.id}-figures-{day_text(asked.first)}-{day_text(asked.last)}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    await response.prepare(request)
    for piece in csv_pieces(told):
        await response.write(piece)
    await response.write_eof()
    return response


def _question(reader: StateReader, request: web.Request) -> Question:
    """Raises RefusedError."""
    lifecycle = lifecycle_of(reader, request)
    figures = lifecycle.figures
    if figures is None:
        raise RefusedError(404, "no_figures", f"the lifecycle {lifecycle.id} has no figures: {_HOW_TO}")
    by = request.query.get("by")
    facts = [each.name for each in figures.by]
    if by is not None and by not in facts:
        known = f"one of {', '.join(facts)}" if facts else "none: name facts under by: among the figures of the file"
        raise RefusedError(400, "bad_query", f"by={by!r}: {known}")
    return Question(lifecycle, figures, by)


def _asked(request: web.Request, today: int) -> Periods:
    """The periods that are asked for. Raises RefusedError."""
    last = _day(request, "to", today)
    if "days" in request.query and "from" in request.query:
        raise RefusedError(400, "bad_query", "days and from do not go together: both say where it begins; keep one")
    first = _day(request, "from", last - whole_number(request, "days", DEFAULT_DAYS, MOST_DAYS) + 1)
    if first > last:
        said = f"from={day_text(first)} comes after to={day_text(last)}: from is the first day, to the last"
        raise RefusedError(400, "bad_query", said)
    if last - first >= MOST_DAYS:
        said = f"from={day_text(first)} to {day_text(last)} are {last - first + 1} days: at most {MOST_DAYS}"
        raise RefusedError(400, "bad_query", said)
    return periods(first, last, cast("Unit", choice(request, "per", UNITS)))


def _day(request: web.Request, name: str, default: int) -> int:
    text = request.query.get(name)
    if text is None:
        return default
    day = day_of(text)
    if day is None:
        raise RefusedError(400, "bad_query", f"{name}={text!r}: a day such as 2026-03-31")
    return day
