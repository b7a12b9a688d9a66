"""Whose request it is: by a write key, wherever its SDK puts it, or by a token with the role `collect`.

A key is looked for in the user of Basic, in Bearer, in the header `X-Write-Key`, in the query and in the body, in this
order; the first that is known counts. Without a file of write keys everything from this machine is taken, and nothing
from elsewhere.
"""

import base64
import binascii
import contextlib
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

import orjson
from aiohttp import hdrs, web
from multidict import istr

from stream.web.authentication import is_from_this_machine, is_of_this_machine, token_of
from stream.web.collector.answers import Refused
from stream.web.collector.splitting import Members
from stream.web.collector.write_keys import Source, WriteKeys
from stream.web.tokens import Tokens

_THIS_MACHINE: Final = Source("")
HEADER: Final = istr("X-Write-Key")
QUERY: Final = "writeKey"
IN_BODY: Final = "writeKey"


class Access:
    """Knows the keys and tokens."""

    def __init__(self, keys: WriteKeys, tokens: Tokens) -> None:
        self._keys, self._tokens = keys, tokens

    def by_head(self, request: web.Request, *, or_body: bool) -> Source | None:
        """Who sends, where a key or token outside the body says so; None where its body may still say it.

        Raises Refused: 403 for a web page that its key does not allow, 401 where there is no key that is known, and it
        cannot be in the body either.
        """
        if self._keys.required:
            for key in _keys_of(request):
                source = self._keys.find(key)
                if source is not None:
                    return _for_origin(request, source)
        if self._tokens.required:
            token = token_of(request, self._tokens)
            if token is not None and "collect" in token.roles:
                return _for_origin(request, Source(token.name))
        if not self._keys.required and is_from_this_machine(request):
            if not _is_local(request.headers.get(hdrs.ORIGIN)):
                raise _wrong_origin("only pages of this machine may send until write_keys allows others")
            return _THIS_MACHINE
        if or_body and self._keys.required:
            return None
        raise self.unknown()

    def by_body(self, request: web.Request, *holders: Members) -> Source:
        """Who sends, by a key in the body. Raises Refused: 401 where there is none that is known."""
        for members in holders:
            raw = members.get(IN_BODY)
            key = None if raw is None else _text(raw)
            source = None if key is None else self._keys.find(key)
            if source is not None:
                return _for_origin(request, source)
        raise self.unknown()

    def unknown(self) -> Refused:
        """The answer to whoever sends no key that is known."""
        if self._keys.required:
            return Refused(
                401, "unknown_key", "send a write key of the file write_keys: as the user of Basic, or as X-Write-Key"
            )
        return Refused(
            401, "no_keys", "only this machine is answered, and no proxy on it, until write_keys names a file of keys"
        )

    def of_key(self, request: web.Request, key: str) -> Source:
        """Who asks for what goes with a key. Raises Refused, 401, where it is nobody's."""
        source = self._keys.find(key)
        return self.required(request) if source is None else _for_origin(request, source)

    def required(self, request: web.Request) -> Source:
        """Who sends, where nothing but the head can say so. Raises as `by_head`."""
        source = self.by_head(request, or_body=False)
        assert source is not None
        return source

    def allows_origin(self, origin: str) -> bool:
        """Whether web pages of this origin may send with any key."""
        return self._keys.allow(origin) if self._keys.required else _is_local(origin)


def _keys_of(request: web.Request) -> Iterator[str]:
    headers = request.headers
    authorization = headers.get(hdrs.AUTHORIZATION)
    if authorization is not None:
        scheme, _, given = authorization.partition(" ")
        scheme, given = scheme.lower(), given.strip()
        if scheme == "basic":
            with contextlib.suppress(binascii.Error, ValueError):
                yield base64.b64decode(given, validate=True).decode("utf-8", "replace").partition(":")[0]
        elif scheme == "bearer":
            yield given
    key = headers.get(HEADER)
    if key is not None:
        yield key.strip()
    if request.query_string:
        yield request.query.get(QUERY, "")


def _text(raw: bytes) -> str | None:
    try:
        found: object = orjson.loads(bytes(raw))
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, str) else None


def _for_origin(request: web.Request, source: Source) -> Source:
    """The same source, where its key allows the web page that sends; whoever is none names no origin."""
    origin = request.headers.get(hdrs.ORIGIN)
    if origin is not None and not source.allows(origin):
        raise _wrong_origin(
            f"pages of {origin[:100]!r} may not send as {source.name!r}: its key in write_keys has `origins`"
        )
    return source


def _wrong_origin(message: str) -> Refused:
    return Refused(403, "origin_not_allowed", message)


def _is_local(origin: str | None) -> bool:
    """Whether a page is one of a server on this machine, or it is no page that sends."""
    if origin is None:
        return True
    try:
        return is_of_this_machine(urlsplit(origin).hostname or "")
    except ValueError:
        return False
