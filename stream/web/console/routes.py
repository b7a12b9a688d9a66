"""The routes of the console, added to a worker's application."""

from aiohttp import web

from stream.settings import Settings
from stream.web.authentication import ask_for, take_cookies
from stream.web.collector.sender_address import SenderAddress
from stream.web.console.login import LOGIN, LOGOUT, Login
from stream.web.console.pages import add_pages
from stream.web.console.state import PATH, ConsoleState, Worker
from stream.web.tokens import Tokens


def add_console(app: web.Application, settings: Settings, tokens: Tokens, worker: Worker) -> None:
    """Serve the console over `app`: its pages, who asks, login and logout."""
    take_cookies(app, tokens)
    add_pages(app)
    login = Login(tokens, SenderAddress(settings.trusted_proxies))
    app.router.add_get(PATH, ask_for(None, app, ConsoleState(tokens, worker).answer))
    app.router.add_post(LOGIN, ask_for(None, app, login.login))
    app.router.add_post(LOGOUT, ask_for(None, app, login.logout))
