"""The routes of the lookup, added to a worker's application."""

from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

from aiohttp import web

from stream.core.interaction import Kind
from stream.engine.state_reader import StateReader
from stream.settings import Settings
from stream.web.lookup.answers import RefusedError, error_answer
from stream.web.lookup.customers import PATHS, CustomerLookup
from stream.web.lookup.forwarding import Forwarder
from stream.web.lookup.lifecycles import LifecycleLookup
from stream.web.lookup.stage_lists import StageLists

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def add_lookup(app: web.Application, reader: StateReader, settings: Settings) -> None:
    """Serve what `reader` knows, and what other workers know, over `app`."""
    forwarder = Forwarder(settings.web_certfile)

    async def connections(_app: web.Application) -> AsyncIterator[None]:
        yield
        await forwarder.close()

    app.cleanup_ctx.append(connections)
    customers = CustomerLookup(reader, forwarder, settings)
    lifecycles = LifecycleLookup(reader, forwarder)
    lists = StageLists(reader, forwarder)
    for path, kind in PATHS.items():
        _add(app, path, partial(_of_kind, customers.answer, kind))
        _add(app, f"{path}/changes", partial(_of_kind, customers.changes, kind))
    _add(app, "/v1/lifecycles", lifecycles.all)
    _add(app, "/v1/lifecycles/{lifecycle}", lifecycles.one)
    _add(app, "/v1/lifecycles/{lifecycle}/stages", lifecycles.stages)
    _add(app, "/v1/lifecycles/{lifecycle}/stages/{stage}/customers", lists.answer)


async def _of_kind(
    answer: Callable[[web.Request, Kind], Awaitable[web.StreamResponse]], kind: Kind, request: web.Request
) -> web.StreamResponse:
    return await answer(request, kind)


def _add(app: web.Application, path: str, answer: Answer) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return await answer(request)
        except RefusedError as refused:
            return error_answer(refused.status, refused.code, str(refused))

    app.router.add_get(path, handle)
