"""What a request for live stage changes asks for."""

from collections.abc import Iterable
from typing import Literal, NamedTuple

from aiohttp import web

from stream.codec.change_filter import ChangeFilter
from stream.errors import LifecycleError
from stream.web.live_positions import PositionIdError, Positions, read_id

Since = Literal["now", "beginning"]

KNOWN = ("lifecycle", "to", "from", "customer", "final", "since", "last_event_id")
_SINCE: dict[str, Since] = {"now": "now", "beginning": "beginning"}
_SWITCH = {"": True, "true": True, "1": True, "false": False, "0": False}


class QueryError(LifecycleError):
    """A request that cannot be answered; the message says what would be right."""


class LiveQuery(NamedTuple):
    """Which changes are wanted, and from where on."""

    wanted: ChangeFilter
    since: Since
    resume: Positions | None
    """Where the reader stood when it lost its connection; then `since` does not count."""


def read_query(request: web.BaseRequest) -> LiveQuery:
    """The parameters of a request, and its header `Last-Event-ID`, which stands over the parameter.

    Raises QueryError.
    """
    query = request.query
    if unknown := sorted(set(query) - set(KNOWN)):
        raise QueryError(f"unknown parameter {unknown[0]!r}; known are {', '.join(KNOWN)}")
    final = _last(request, "final", "false").lower()
    if final not in _SWITCH:
        raise QueryError("final is true or false")
    since = _last(request, "since", "now")
    if since not in _SINCE:
        raise QueryError("since is now or beginning; to go on after an event send its id as Last-Event-ID")
    customers = query.getall("customer", [])
    wanted = ChangeFilter(
        _parts(request, "lifecycle"),
        _parts(request, "to"),
        _parts(request, "from"),
        frozenset(customers) | _split(customers),  # an id may have commas
        _SWITCH[final],
    )
    given = request.headers.get("Last-Event-ID", "").strip() or _last(request, "last_event_id", "").strip()
    try:
        return LiveQuery(wanted, _SINCE[since], read_id(given) if given else None)
    except PositionIdError as error:
        raise QueryError(f"Last-Event-ID: {error}") from None


def _last(request: web.BaseRequest, name: str, default: str) -> str:
    """A parameter that counts once."""
    return request.query.getall(name, [default])[-1]


def _parts(request: web.BaseRequest, name: str) -> frozenset[str]:
    return _split(request.query.getall(name, []))


def _split(values: Iterable[str]) -> frozenset[str]:
    return frozenset(part.strip() for value in values for part in value.split(","))
