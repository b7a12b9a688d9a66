"""The routes of the lookup, added to a worker's application."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

from aiohttp import web
from prometheus_client import CollectorRegistry

from stream.engine.state_reader import StateReader
from stream.settings import Settings
from stream.web.answers import error_answer
from stream.web.lookup.customers import PATHS, CustomerLookup
from stream.web.lookup.figures import FigureLookup
from stream.web.lookup.forwarding import Forwarder
from stream.web.lookup.lifecycles import LifecycleLookup
from stream.web.lookup.metrics import Kind, LookupMetrics
from stream.web.lookup.moves import MovesLookup
from stream.web.lookup.nearness import NearnessLookup
from stream.web.lookup.questions import RefusedError
from stream.web.lookup.score_history import ScoreLookup
from stream.web.lookup.stage_lists import StageLists

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def add_lookup(app: web.Application, reader: StateReader, settings: Settings, registry: CollectorRegistry) -> None:
    """Serve what `reader` knows, and what other workers know, over `app`; metrics go to `registry`."""
    forwarder = Forwarder(settings.web_certfile)

    moves = MovesLookup(reader, settings)

    async def connections(_app: web.Application) -> AsyncIterator[None]:
        yield
        await moves.close()
        await forwarder.close()

    app.cleanup_ctx.append(connections)
    metrics = LookupMetrics(registry)
    customers = CustomerLookup(reader, forwarder, settings)
    lifecycles = LifecycleLookup(reader, forwarder)
    figures = FigureLookup(reader, forwarder, settings)
    lists = StageLists(reader, forwarder)
    nearness = NearnessLookup(reader, forwarder)
    scores = ScoreLookup(reader, customers)

    def add(path: str, kind: Kind, answer: Answer) -> None:
        async def handle(request: web.Request) -> web.StreamResponse:
            began = time.monotonic()
            try:
                response = await answer(request)
            except RefusedError as refused:
                response = error_answer(refused.status, refused.code, str(refused))
            metrics.answered(kind, response.status, time.monotonic() - began)
            return response

        app.router.add_get(path, handle)

    for path, subject in PATHS.items():
        add(path, "customer", partial(customers.answer, kind=subject))
        add(f"{path}/changes", "changes", partial(customers.changes, kind=subject))
        add(f"{path}/scores", "scores", partial(scores.answer, kind=subject))
    add("/v1/lifecycles", "lifecycles", lifecycles.all)
    add("/v1/lifecycles/{lifecycle}", "lifecycles", lifecycles.one)
    add("/v1/lifecycles/{lifecycle}/stages", "stages", lifecycles.stages)
    add("/v1/lifecycles/{lifecycle}/stages/{stage}/customers", "stage_customers", lists.answer)
    add("/v1/lifecycles/{lifecycle}/stages/{stage}/nearness", "nearness", nearness.answer)
    add("/v1/lifecycles/{lifecycle}/moves", "moves", moves.answer)
    add("/v1/lifecycles/{lifecycle}/figures", "figures", figures.answer)
