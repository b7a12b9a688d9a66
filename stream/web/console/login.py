"""`POST /v1/console/login` and `/logout`: a token into a cookie that no script reads, and out of it.

The cookie is the token itself, so that it is worth nothing once the token is taken back. It is sent by pages of this
host alone (SameSite), counts for questions alone, and ends with the browser.
"""

import asyncio
import math
import time
from typing import Final
from urllib.parse import quote, urlsplit

import msgspec
from aiohttp import hdrs, web

from stream.web.answers import error_answer
from stream.web.authentication import COOKIE
from stream.web.collector.sender_address import SenderAddress
from stream.web.console.tries import Tries
from stream.web.tokens import Tokens

LOGIN: Final = "/v1/console/login"
LOGOUT: Final = "/v1/console/logout"
_LARGEST: Final = 4_096
"""Bytes of a login."""
_PATIENCE: Final = 10.0
"""Seconds for them to arrive."""


class _Login(msgspec.Struct):
    """What is sent to log in."""

    token: str


class Login:
    """Lets browsers in."""

    def __init__(self, tokens: Tokens, senders: SenderAddress) -> None:
        self._tokens, self._senders = tokens, senders
        self._tries = Tries()

    async def login(self, request: web.Request) -> web.Response:
        """Answers 204 with the cookie, or says what is wrong with the request or the token."""
        refusal = _refusal_of_page(request) or _refusal_of_body(request)
        if refusal is not None:
            return refusal
        if not self._tokens.required:
            return error_answer(
                409, "no_tokens", "there is nothing to log in with until web_token or web_tokens is set"
            )
        try:
            async with asyncio.timeout(_PATIENCE):
                given = msgspec.json.decode(await request.read(), type=_Login).token
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return error_answer(400, "bad_login", 'send {"token": "…"} as JSON')
        except TimeoutError:
            return error_answer(408, "too_slow", f"the token did not arrive within {_PATIENCE:g} s")
        return self._judged(request, given)

    def _judged(self, request: web.Request, given: str) -> web.Response:
        """The answer to a token. Nothing is waited for in it, so that many at once are counted one by one."""
        address, now = self._senders.of(request), time.monotonic()
        wait = self._tries.wait(address, now)
        if wait > 0:
            return error_answer(
                429,
                "too_many_tries",
                "too many wrong tokens came from this address; try again in a while",
                {"Retry-After": str(math.ceil(wait))},
            )
        if self._tokens.find(given) is None:
            self._tries.failed(address, now)
            return error_answer(401, "unknown_token", "this is no token of web_tokens, nor that of web_token")
        response = web.Response(status=204)
        response.set_cookie(
            COOKIE, quote(given, safe=""), httponly=True, samesite="Strict", secure=_is_encrypted(request), path="/"
        )
        return response

    async def logout(self, request: web.Request) -> web.Response:
        """Answers 204, and the cookie is gone."""
        refusal = _refusal_of_page(request)
        if refusal is not None:
            return refusal
        response = web.Response(status=204)
        response.del_cookie(COOKIE, httponly=True, samesite="Strict", secure=_is_encrypted(request), path="/")
        return response


def _refusal_of_page(request: web.Request) -> web.Response | None:
    """The answer to a page of another site; None where the request is of our own page, or of no browser.

    Browsers say themselves where a request comes from, as far as they trust the connection; older ones name the page's
    origin, which then has to be the host that they ask.
    """
    fetched = request.headers.get("Sec-Fetch-Site")
    if fetched is not None:
        ours = fetched == "same-origin"
    else:
        origin = request.headers.get(hdrs.ORIGIN)
        ours = origin is None or _host_of(origin) == request.headers.get(hdrs.HOST, "").lower()
    return None if ours else error_answer(403, "other_site", "only the page that this worker serves may log in or out")


def _refusal_of_body(request: web.Request) -> web.Response | None:
    if request.content_type != "application/json":
        return error_answer(415, "not_json", "send JSON, with `Content-Type: application/json`")
    if request.content_length is None or request.content_length > _LARGEST:
        return error_answer(413, "too_large", f"a login has at most {_LARGEST:,} bytes, and says in its head how many")
    return None


def _host_of(origin: str) -> str | None:
    """Host and port of an origin, as the header `Host` has them; None where it is none, as that of a file."""
    try:
        return urlsplit(origin).netloc.lower() or None
    except ValueError:
        return None


def _is_encrypted(request: web.Request) -> bool:
    """Whether the browser speaks TLS, with us or with a proxy before us."""
    return request.secure or request.headers.get(hdrs.ORIGIN, "").lower().startswith("https://")
