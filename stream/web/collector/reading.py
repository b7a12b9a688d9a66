"""Read the body of a request: unpacked, within bounds of size, time and of what may wait in memory."""

import asyncio
from typing import Final

from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError

from stream.web.collector.answers import Refused
from stream.web.collector.room import Hold
from stream.web.collector.unpacking import too_large, unpacker_for

_SECONDS: Final = 30.0
"""A sender that takes longer holds room that others need."""
_PACKED_MORE: Final = 64 << 10
"""What packing may add to a body that cannot be made smaller."""


async def read_body(request: web.Request, limit: int, hold: Hold) -> bytes:
    """The body, unpacked, of at most `limit` bytes, which `hold` holds then.

    Raises Refused: 400 where it is damaged, 408 where it takes too long, 413 where it is too large, 415 where nobody
    knows how it is packed, 429 where there is no room.
    """
    length = request.content_length
    encoding = request.headers.get(hdrs.CONTENT_ENCODING)
    unpacker = None if encoding is None else unpacker_for(encoding, limit)
    most = limit if unpacker is None else limit + _PACKED_MORE
    if length is not None and length > most:
        raise too_large(limit)
    content = request.content
    if length is not None and unpacker is None and content.is_eof():  # all of it came with the head
        body = content.read_nowait()
        hold.add(len(body))
        return body
    parts: list[bytes] = []
    read = 0
    try:
        async with asyncio.timeout(_SECONDS):
            async for chunk in content.iter_any():
                read += len(chunk)
                if read > most:
                    raise too_large(limit)
                for part in [chunk] if unpacker is None else unpacker.feed(chunk):
                    hold.add(len(part))
                    parts.append(part)
    except TimeoutError:
        raise Refused(408, "too_slow", f"the body did not come within {_SECONDS:.0f} s") from None
    except (HttpProcessingError, web.RequestPayloadError, ConnectionError):
        raise Refused(400, "damaged_body", "the body is not what its Content-Length or chunks say") from None
    if unpacker is not None:
        unpacker.end()
    return parts[0] if len(parts) == 1 else b"".join(parts)
