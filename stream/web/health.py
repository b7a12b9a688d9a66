"""`/livez`, `/readyz` and `/metrics`.

Live: the event loop answers. Ready: a member of the consumer group, and every owned partition is recovered and
runs. Both answer with a JSON body that says why.
"""

import errno
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from stream.engine.supervisor import EngineStatus
from stream.errors import SettingsError

_log = logging.getLogger(__name__)
_STRANGERS = (HttpProcessingError, web.RequestPayloadError, ConnectionError)
"""What goes wrong on the other side."""


def _is_ours(record: logging.LogRecord) -> bool:
    """Whether an error is ours: not a stranger's broken request, answered with 400, nor one who left unanswered."""
    return not (record.exc_info and isinstance(record.exc_info[1], _STRANGERS))


_log.addFilter(_is_ours)


def health_routes(status: Callable[[], EngineStatus], registry: CollectorRegistry) -> web.Application:
    """The application that serves health and metrics."""

    async def livez(_request: web.Request) -> web.Response:
        return web.json_response({"status": "live"})

    async def readyz(_request: web.Request) -> web.Response:
        now = status()
        body = {
            "status": "ready" if now.ready else "not ready",
            "phase": now.phase,
            "delivery": now.delivery,
            "partitions": [{**asdict(each), "state": each.state.value, "lag": each.lag} for each in now.partitions],
        }
        return web.json_response(body, status=200 if now.ready else 503)

    async def metrics(request: web.Request) -> web.Response:
        try:
            encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        except (TypeError, ValueError):  # a version that is no version
            encode, content_type = choose_encoder("")
        return web.Response(body=encode(registry), headers={"Content-Type": content_type})

    app = web.Application()
    app.router.add_get("/livez", livez)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", metrics)
    return app


@asynccontextmanager
async def serve(app: web.Application, host: str, port: int) -> AsyncIterator[int]:
    """Serve `app` while the context lasts; yields the port, which the system chose where `port` is 0.

    Raises SettingsError where the address cannot be bound.
    """
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0, logger=_log)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as error:
            wrong_address = isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL
            setting = "bind" if wrong_address else "port"
            raise SettingsError(
                f"cannot serve on {host}:{port}: {error.strerror}; "
                f"choose another with --web-{setting} or LIFECYCLE_WEB_{setting.upper()}"
            ) from None
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
