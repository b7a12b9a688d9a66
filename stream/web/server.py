"""An HTTP server that lasts as long as its context."""

import errno
import logging
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

from stream.errors import SettingsError
from stream.settings import Settings

_log = logging.getLogger(__name__)
_CLIENT_ERRORS = (HttpProcessingError, web.RequestPayloadError, ConnectionError)
"""What goes wrong on the other side."""


def _is_ours(record: logging.LogRecord) -> bool:
    """Whether an error is ours: not a stranger's broken request, answered with 400, nor one who left unanswered."""
    return not (record.exc_info and isinstance(record.exc_info[1], _CLIENT_ERRORS))


_log.addFilter(_is_ours)


@asynccontextmanager
async def serve(
    app: web.Application,
    host: str,
    port: int,
    *,
    tls: ssl.SSLContext | None = None,
    settings: str = "web",
    unpack: bool = True,
    finish_within: float = 1.0,
) -> AsyncIterator[int]:
    """Serve `app` while the context lasts; yields the port, which the system chose where `port` is 0.

    Without `unpack` handlers get bodies as they were sent, compressed or not. At the end nothing new is taken, and
    requests that are under way have `finish_within` seconds.
    Raises SettingsError where the address cannot be bound; it names the settings that begin with `settings`.
    """
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=finish_within, logger=_log, auto_decompress=unpack)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port, ssl_context=tls)
        try:
            await site.start()
        except OSError as error:
            wrong_address = isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL
            setting = "bind" if wrong_address else "port"
            raise SettingsError(
                f"cannot serve on {host}:{port}: {error.strerror}; "
                f"choose another with --{settings}-{setting} or LIFECYCLE_{settings.upper()}_{setting.upper()}"
            ) from None
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def own_url(settings: Settings, port: int) -> str:
    """Where others reach what a worker serves on `port`: by the host's name where that is every address it has."""
    bind = settings.web_bind
    everywhere = bind in ("", "0.0.0.0", "::")  # noqa: S104 compared, not bound
    host = socket.getfqdn() if everywhere else bind
    scheme = "https" if settings.web_certfile else "http"
    return str(URL(settings.web_url or f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"))
