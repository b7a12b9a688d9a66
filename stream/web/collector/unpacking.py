"""Unpack bodies as they come, never to more than a bound: a small one may unpack to gigabytes.

aiohttp's own unpacking is off: it takes a truncated body for a whole one. Here a body that is truncated, damaged or
followed by something else is refused. One of gzip or zstd may have several parts, as their standards have it.
"""

import sys
import zlib
from collections.abc import Callable
from typing import Final, Protocol

from stream.web.collector.answers import Refused

if sys.version_info >= (3, 14):
    from compression.zstd import DecompressionParameter, ZstdDecompressor, ZstdError
else:
    from backports.zstd import DecompressionParameter, ZstdDecompressor, ZstdError

_STEP: Final = 256 << 10
"""Bytes that are unpacked at once at most."""
_ZSTD_WINDOW_LOG: Final = 23
"""A sender may demand 8 MiB of memory for unpacking, as the standard of HTTP says (RFC 9659), and no more."""
_GZIP, _ZLIB, _RAW = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS


class Unpacker(Protocol):
    """Unpacks the parts of one body, in order."""

    def feed(self, data: bytes) -> list[bytes]:
        """What this part unpacks to. Raises Refused: 400 where it is damaged, 413 where it is too large."""

    def end(self) -> None:
        """The body is over. Raises Refused, 400, where something is missing."""


def unpacker_for(encoding: str, limit: int) -> Unpacker | None:
    """What unpacks a body of this Content-Encoding to at most `limit` bytes; None: it is not packed.

    Raises Refused, 415, where that encoding is not known, or where there are several.
    """
    match encoding.strip().lower():
        case "" | "identity":
            return None
        case "gzip" | "x-gzip":
            return _Parts(lambda: _Zlib(_GZIP), limit, many=True)
        case "deflate":
            return _Parts(_Deflate, limit, many=False)
        case "zstd":
            return _Parts(_Zstd, limit, many=True)
        case _:
            raise Refused(
                415, "unknown_encoding", "Content-Encoding must be one of gzip, deflate, zstd, identity, or absent"
            )


def too_large(limit: int) -> Refused:
    """The answer to a body of more than `limit` bytes."""
    return Refused(
        413,
        "too_large",
        f"a request has at most {limit} bytes, unpacked (setting collector_max_body); send fewer at once",
    )


class _Part(Protocol):
    """One stream of packed bytes."""

    @property
    def eof(self) -> bool:
        """Its end was found."""

    @property
    def unused_data(self) -> bytes:
        """What stands behind it."""

    @property
    def starving(self) -> bool:
        """Nothing more comes out until something goes in."""

    def unpack(self, data: bytes) -> bytes:
        """At most `_STEP` bytes; the rest comes for `b""`. Raises zlib.error or ZstdError."""


class _Parts:
    """A body of one part, or `many` one behind the other."""

    def __init__(self, begin: Callable[[], _Part], limit: int, *, many: bool) -> None:
        self._begin, self._limit, self._many = begin, limit, many
        self._part: _Part | None = None
        self._had_one = False
        self._left = limit

    def feed(self, data: bytes) -> list[bytes]:
        out: list[bytes] = []
        while data:
            if self._part is None:
                if self._had_one and not self._many:
                    raise _damaged("something stands behind its end")
                self._part, self._had_one = self._begin(), True
            part = self._part
            try:
                self._take(part, data, out)
            except (zlib.error, ZstdError, ValueError, MemoryError) as error:
                raise _damaged(str(error) or type(error).__name__) from None
            data = b""
            if part.eof:
                data, self._part = part.unused_data, None
        return out

    def _take(self, part: _Part, data: bytes, out: list[bytes]) -> None:
        while True:
            unpacked = part.unpack(data)
            data = b""
            self._left -= len(unpacked)
            if self._left < 0:
                raise too_large(self._limit)
            if unpacked:
                out.append(unpacked)
            if part.eof or part.starving:
                return

    def end(self) -> None:
        if self._part is not None or not self._had_one:
            raise _damaged("its end is missing")


def _damaged(why: str) -> Refused:
    return Refused(400, "damaged_body", f"the body cannot be unpacked as its Content-Encoding says: {why}")


class _Zlib:
    """gzip, zlib or raw deflate, by `bits`."""

    def __init__(self, bits: int) -> None:
        self._stream = zlib.decompressobj(bits)
        self._full = False

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data

    @property
    def starving(self) -> bool:
        return not self._stream.unconsumed_tail and not self._full

    def unpack(self, data: bytes) -> bytes:
        out = self._stream.decompress(self._stream.unconsumed_tail + data, _STEP)
        self._full = len(out) == _STEP  # then more may be inside, though all is read
        return out


class _Deflate:
    """zlib's format, as the standard has it, or deflate without it, as some senders send it: by its first two bytes."""

    def __init__(self) -> None:
        self._head = b""
        self._stream: _Zlib | None = None

    @property
    def eof(self) -> bool:
        return self._stream is not None and self._stream.eof

    @property
    def unused_data(self) -> bytes:
        return b"" if self._stream is None else self._stream.unused_data

    @property
    def starving(self) -> bool:
        return self._stream is None or self._stream.starving

    def unpack(self, data: bytes) -> bytes:
        if self._stream is None:
            self._head += data
            if len(self._head) < 2:
                return b""
            is_zlib = self._head[0] & 0x0F == 8 and int.from_bytes(self._head[:2], "big") % 31 == 0
            self._stream, data = _Zlib(_ZLIB if is_zlib else _RAW), self._head
        return self._stream.unpack(data)


class _Zstd:
    def __init__(self) -> None:
        self._stream = ZstdDecompressor(options={DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG})

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data

    @property
    def starving(self) -> bool:
        return self._stream.needs_input

    def unpack(self, data: bytes) -> bytes:
        return self._stream.decompress(data, _STEP)
