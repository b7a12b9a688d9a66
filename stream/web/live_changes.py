"""`GET /v1/stage-changes`: stage changes as they come, as server-sent events.

Every event has an id from which any worker goes on without gap or repeat (`live_positions`). All readers of a worker
share one consumer (`live_hub`), which exists while there are readers. A reader that is slower than changes come is cut
off, and may come back with the id of its last event.
"""

import asyncio
from typing import Final, Protocol

from aiohttp import web

from stream.settings import Settings
from stream.web.answers import error_answer
from stream.web.live_events import RETRY
from stream.web.live_hub import LiveHub
from stream.web.live_query import QueryError, read_query
from stream.web.live_readers import LiveReader
from stream.web.live_stream import HEARTBEAT_SECONDS, LiveStream

PATH: Final = "/v1/stage-changes"
_HEADERS: Final = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-cache",
    "X-Accel-Buffering": "no",  # nginx would keep events back
}
_SETTLES_SECONDS: Final = 2.0
"""The first reader waits so long for Kafka's yes or no; who gets neither listens, and waits on."""
_FAREWELL_SECONDS: Final = 0.3
"""What connections that do not read get to be told that the worker stops."""


class LiveObserver(Protocol):
    """Counts readers; see `stream.metrics.Metrics`."""

    def live_reader(self, change: int) -> None:
        """One more, 1, or one less, -1."""

    def live_reader_cut_off(self) -> None:
        """One was too slow."""


def add_live_routes(
    app: web.Application, settings: Settings, observer: LiveObserver, *, heartbeat: float = HEARTBEAT_SECONDS
) -> None:
    """Let `app` serve live stage changes of the topic that `settings` name; `heartbeat` is in seconds.

    Streams end when the app shuts down, and the consumer with it.
    """
    hub = LiveHub(settings)
    streams: dict[LiveStream, tuple[asyncio.Task[None], LiveReader]] = {}

    async def live(request: web.Request) -> web.StreamResponse:
        try:
            query = read_query(request)
        except QueryError as error:
            return error_answer(400, "bad_query", str(error))
        task = asyncio.current_task()
        assert task is not None

        def cut_off() -> None:
            if request.transport is not None:
                request.transport.abort()

        with hub.used():
            await hub.settled(_SETTLES_SECONDS)
            if hub.refused is not None:
                return error_answer(503, "kafka_refuses", hub.refused)
            reader = LiveReader(query.wanted, cut_off)
            stream = LiveStream(hub, query, reader, heartbeat)
            streams[stream] = task, reader
            observer.live_reader(1)
            try:
                return await _write(request, stream)
            finally:
                observer.live_reader(-1)
                if reader.is_cut_off:
                    observer.live_reader_cut_off()
                del streams[stream]

    async def end(_app: web.Application) -> None:
        for stream in list(streams):
            stream.end()
        if streams:
            await asyncio.wait([task for task, _ in streams.values()], timeout=_FAREWELL_SECONDS)
        for _, reader in list(streams.values()):
            reader.cut_off()
        await hub.close()

    app.router.add_get(PATH, live, allow_head=False)
    app.on_shutdown.append(end)


async def _write(request: web.Request, stream: LiveStream) -> web.StreamResponse:
    response = web.StreamResponse(headers=_HEADERS)
    await response.prepare(request)
    chunks = stream.chunks()
    try:
        await response.write(RETRY)
        async for chunk in chunks:
            if request.transport is None or request.transport.is_closing():
                break
            if chunk:
                await response.write(chunk)
        await response.write_eof()
    except ConnectionError:  # the reader left, or was cut off
        pass
    finally:
        await chunks.aclose()
    return response
