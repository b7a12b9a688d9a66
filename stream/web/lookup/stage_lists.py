"""`GET /v1/lifecycles/{id}/stages/{stage}/customers`: who is in a stage, a page at a time, or all of them as CSV."""

import csv
import io
from collections.abc import AsyncIterator
from heapq import merge
from itertools import islice
from typing import Final

import msgspec
import orjson
from aiohttp import web

from stream.core.lifecycle import Lifecycle
from stream.core.snapshot import facts_of, scores_of
from stream.engine.committed_state import MovingError
from stream.engine.state_reader import Member, StateReader
from stream.machine.sorted_runs import Entry
from stream.offline.columns import StandingColumns, in_csv
from stream.offline.standing import Standing, encode_standing
from stream.web.answers import json_answer
from stream.web.lookup.forwarding import STREAMED, Forwarder, was_forwarded
from stream.web.lookup.lifecycles import lifecycle_of
from stream.web.lookup.questions import RefusedError, choice, moving_answer, require_known
from stream.web.lookup.stage_order import PARAMETERS, Page, page_of

_CSV: Final = "text/csv"
_AT_ONCE: Final = 200
"""Customers in one piece of CSV."""


class Part(msgspec.Struct):
    """A page as one worker knows it, for the worker that was asked."""

    customers: list[tuple[float | int, str, msgspec.Raw]]
    """What each is ordered by, and its JSON."""
    partitions: list[int]
    at: int


class StageLists:
    """Lists the customers of a stage, over all workers."""

    def __init__(self, reader: StateReader, forwarder: Forwarder) -> None:
        self._reader, self._forwarder = reader, forwarder

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """A page as JSON, or everybody as CSV where that is asked for."""
        require_known(request, PARAMETERS)
        lifecycle = lifecycle_of(self._reader, request)
        page = page_of(request, lifecycle)
        wanted = "csv" if _CSV in request.headers.get("Accept", "") else "json"
        if choice(request, "format", (wanted, "csv", "json")) == "csv":
            return await self._all_as_csv(request, page)
        part = await self._own(page)
        if was_forwarded(request):
            return web.Response(body=msgspec.json.encode(part), content_type="application/json")
        return await self._page(request, page, part)

    async def _page(self, request: web.Request, page: Page, own: Part) -> web.Response:
        bodies = await self._forwarder.ask_all(request, self._reader.owners - {self._reader.url})
        parts = [own, *(msgspec.json.decode(body, type=Part) for body in bodies if body is not None)]
        entries = merge(
            *(
                [((number, key.encode()), bytes(customer)) for number, key, customer in part.customers]
                for part in parts
            ),
            key=_order,
            reverse=page.descending,
        )
        found = list(islice(entries, page.limit))
        partitions = sorted({partition for part in parts for partition in part.partitions})
        try:
            complete = len(partitions) == await self._reader.partitions()
        except MovingError:
            complete = False
        return json_answer(
            {
                "lifecycle": page.lifecycle.id,
                "stage": page.stage,
                "order": "entered" if page.score is None else f"score:{page.score}",
                "ordered_at": min((part.at for part in parts if part.at), default=None),
                "customers": [orjson.Fragment(customer) for _entry, customer in found],
                "next": page.next_cursor(found[-1][0]) if len(found) == page.limit else None,
                "complete": complete,
                "partitions": partitions,
            }
        )

    async def _own(self, page: Page) -> Part:
        """The page of our partitions."""
        entries: list[tuple[Entry, Member]] = []
        partitions: list[int] = []
        at: list[int] = []
        for partition in self._reader.owned:
            try:
                ranked = await page.read(self._reader, partition)
            except MovingError:
                continue
            partitions.append(partition)
            entries += [(member.at, member) for member in ranked.members]
            if ranked.members:
                at.append(ranked.at)
        entries.sort(key=_order, reverse=page.descending)
        customers = [
            (number, key.decode(), msgspec.Raw(encode_standing(_standing(member, page.lifecycle))))
            for (number, key), member in entries[: page.limit]
        ]
        return Part(customers, partitions, min(at, default=0))

    async def _all_as_csv(self, request: web.Request, page: Page) -> web.StreamResponse:
        """Everybody in the stage, in no order over partitions; an answer that breaks off is not complete."""
        if page.score is not None or page.after is not None:
            raise RefusedError(400, "bad_query", "CSV has all customers of the stage: without order and cursor")
        reader = self._reader
        try:
            count = await reader.partitions()
        except MovingError:
            return moving_answer()
        own, others = set(reader.owned), reader.owners - {reader.url}
        forwarded = was_forwarded(request)
        known = own if forwarded else own | {each for each in range(count) if reader.owner(each) in others}
        if not forwarded and len(known) < count:
            return moving_answer(min(set(range(count)) - known))
        response = web.StreamResponse(headers={"Cache-Control": "no-store"})
        response.content_type, response.charset = _CSV, "utf-8"
        name = f"{page.lifecycle.id}-{page.stage}.csv"
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        await response.prepare(request)
        columns = StandingColumns([page.lifecycle])
        if not forwarded:
            await response.write(_line([column.name for column in columns.columns]))
        for partition in sorted(own):
            async for members in self._all(page, partition):
                rows = [columns.row(_standing(member, page.lifecycle)) for member in members]
                await response.write(b"".join(_line(map(in_csv, columns.columns, row)) for row in rows))
        for url in () if forwarded else sorted(others):
            async with self._forwarder.open(request, url, STREAMED) as theirs:
                if theirs.status != 200:
                    raise MovingError
                async for chunk in theirs.content.iter_any():
                    await response.write(chunk)
        await response.write_eof()
        return response

    async def _all(self, page: Page, partition: int) -> AsyncIterator[list[Member]]:
        after: Entry | None = None
        while True:
            ranked = await page._replace(after=after, limit=_AT_ONCE).read(self._reader, partition)
            if ranked.members:
                yield ranked.members
            if len(ranked.members) < _AT_ONCE:
                return
            after = ranked.members[-1].at


def _order(entry: tuple[Entry, object]) -> Entry:
    return entry[0]


def _standing(member: Member, lifecycle: Lifecycle) -> Standing:
    life = member.customer.lives[lifecycle.id]
    at = max(member.clock, life.clock)
    scores, facts = scores_of(lifecycle, life, at), facts_of(lifecycle, life, at)
    return Standing(member.customer, lifecycle, life, at, scores, facts)


def _line(cells: "list[str] | map[str]") -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode()
