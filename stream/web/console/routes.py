"""The routes of the console, added to a worker's application."""

from collections.abc import AsyncIterator, Awaitable, Callable

from aiohttp import web

from stream.engine.state_reader import StateReader
from stream.engine.status import EngineStatus
from stream.kafka.worker_versions import GroupVersions
from stream.settings import Settings
from stream.web.answers import error_answer
from stream.web.authentication import ask_for, take_cookies
from stream.web.collector.sender_address import SenderAddress
from stream.web.console import dead_letters, operations
from stream.web.console.about import About
from stream.web.console.dead_letters import DeadLetters
from stream.web.console.login import LOGIN, LOGOUT, Login
from stream.web.console.operations import Operations
from stream.web.console.pages import add_pages
from stream.web.console.state import PATH, ConsoleState
from stream.web.lookup.forwarding import Forwarder
from stream.web.lookup.questions import RefusedError
from stream.web.tokens import Tokens

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def add_console(
    app: web.Application,
    reader: StateReader,
    settings: Settings,
    tokens: Tokens,
    status: Callable[[], EngineStatus],
    group: GroupVersions,
    about: About,
) -> None:
    """Serve the console over `app`: its pages, who asks, login and logout, and what operators see."""
    take_cookies(app, tokens)
    add_pages(app)
    login = Login(tokens, SenderAddress(settings.trusted_proxies))
    app.router.add_get(PATH, ask_for(None, app, ConsoleState(tokens, settings.clock, about).answer))
    app.router.add_post(LOGIN, ask_for(None, app, login.login))
    app.router.add_post(LOGOUT, ask_for(None, app, login.logout))
    forwarder = Forwarder(settings.web_certfile)

    async def connections(_app: web.Application) -> AsyncIterator[None]:
        yield
        await forwarder.close()

    app.cleanup_ctx.append(connections)
    workers = Operations(reader, forwarder, status, group, settings, about)
    app.router.add_get(operations.PATH, ask_for("operate", app, _or_refused(workers.answer)))
    app.router.add_get(dead_letters.PATH, ask_for("operate", app, _or_refused(DeadLetters(settings, tokens).answer)))


def _or_refused(answer: Answer) -> Answer:
    """The same, where a question that is none is answered with what would be right."""

    async def whole(request: web.Request) -> web.StreamResponse:
        try:
            return await answer(request)
        except RefusedError as refused:
            return error_answer(refused.status, refused.code, str(refused))

    return whole
