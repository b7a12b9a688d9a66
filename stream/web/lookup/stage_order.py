"""In which order customers of a stage are listed, and where in it a page begins."""

from typing import Final, NamedTuple

from aiohttp import web

from stream.core.lifecycle import Lifecycle
from stream.engine.state_reader import Ranked, StateReader
from stream.machine.sorted_runs import Entry
from stream.web.lookup.questions import RefusedError, choice, decode_cursor, encode_cursor, whole_number

LIMIT: Final = 50
MOST: Final = 500
PARAMETERS: Final = ("order", "direction", "limit", "cursor", "format")
_SCORE: Final = "score:"


class Page(NamedTuple):
    """Which customers of a stage are asked for."""

    lifecycle: Lifecycle
    stage: str
    score: str | None
    """Customers are in the order of this score; None: of the time at which they entered the stage."""
    descending: bool
    """The latest, or the largest, first."""
    after: Entry | None
    """Where in the order the page begins; None: at its beginning."""
    limit: int

    async def read(self, reader: StateReader, partition: int) -> Ranked:
        """The page of one partition. Raises MovingError."""
        if self.score is not None:
            return await reader.ranked(
                partition, self.lifecycle, self.stage, self.score, self.after, self.limit, largest=self.descending
            )
        members = await reader.members(
            partition, self.lifecycle.id, self.stage, self.after, self.limit, latest_first=self.descending
        )
        return Ranked(members, max((each.clock for each in members), default=0))

    def next_cursor(self, last: Entry) -> str:
        """The cursor of the page after the one that ends with `last`."""
        return encode_cursor([self._order, self.descending, last[0], last[1].decode()])

    @property
    def _order(self) -> str:
        return "entered" if self.score is None else _SCORE + self.score


def stage_of(request: web.Request, lifecycle: Lifecycle) -> str:
    """The stage that the path names. Raises RefusedError."""
    stage = request.match_info["stage"]
    if stage not in lifecycle.stages:
        known = ", ".join(lifecycle.stages)
        raise RefusedError(404, "unknown_stage", f"{lifecycle.id} has no stage {stage!r}; there are {known}")
    return stage


def page_of(request: web.Request, lifecycle: Lifecycle) -> Page:
    """The page that a request asks for. Raises RefusedError."""
    stage = stage_of(request, lifecycle)
    order = request.query.get("order", "entered")
    score = order.removeprefix(_SCORE) if order.startswith(_SCORE) else None
    scores = [each.name for each in lifecycle.scores]
    if score not in scores if score is not None else order != "entered":
        known = ", ".join(["entered", *(_SCORE + each for each in scores)])
        raise RefusedError(400, "bad_query", f"order={order!r}: one of {known}")
    descending = choice(request, "direction", ("desc", "asc")) == "desc"
    page = Page(lifecycle, stage, score, descending, None, whole_number(request, "limit", LIMIT, MOST))
    cursor = request.query.get("cursor")
    return page if cursor is None else page._replace(after=_entry(decode_cursor(cursor), order, descending))


def _entry(value: object, order: str, descending: bool) -> Entry:
    match value:
        case [str(of), bool(down), int() | float() as number, str(key)] if (of, down) == (order, descending):
            return float(number), key.encode()
        case _:
            raise RefusedError(400, "bad_cursor", "the cursor is of another order or direction than is asked for")
