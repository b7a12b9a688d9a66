"""What browsers ask before a page of another origin may send here, and what they must read in answers.

A preflight carries no key: it is allowed where any key allows the origin. The request itself is held against its own.
"""

from typing import Final

from aiohttp import hdrs, web

from stream.web.collector.access import Access

_METHODS: Final = "GET, POST, OPTIONS"
_HEADERS: Final = "authorization, content-type, content-encoding, anonymousid, sentat, x-write-key"
"""What official SDKs send; what else a browser asks for is allowed, too."""
_MAX_AGE: Final = "7200"
"""Seconds that a browser remembers the answer: the most that Chromium does."""
_LONGEST: Final = 1_000


def preflight(request: web.Request, access: Access) -> web.Response:
    """The answer to OPTIONS, for whatever path."""
    response = web.Response(status=204)
    origin = request.headers.get(hdrs.ORIGIN)
    response.headers["Vary"] = "Origin, Access-Control-Request-Headers"
    if origin is None or not access.allows_origin(origin):
        response.headers["Allow"] = _METHODS
        return response
    asked = request.headers.get("Access-Control-Request-Headers", "")
    headers = response.headers
    headers["Access-Control-Allow-Origin"] = origin
    headers["Access-Control-Allow-Credentials"] = "true"  # beacons are always sent with them, though none is read
    headers["Access-Control-Allow-Methods"] = _METHODS
    headers["Access-Control-Allow-Headers"] = _allowed(asked)
    headers["Access-Control-Max-Age"] = _MAX_AGE
    if request.headers.get("Access-Control-Request-Private-Network") == "true":
        headers["Access-Control-Allow-Private-Network"] = "true"
    return response


def expose(request: web.Request, response: web.StreamResponse, access: Access) -> None:
    """Let the page that sent the request read its answer, and when to come back."""
    origin = request.headers.get(hdrs.ORIGIN)
    if origin is None:
        return
    headers = response.headers
    headers["Vary"] = "Origin"
    if access.allows_origin(origin):
        headers["Access-Control-Allow-Origin"] = origin
        headers["Access-Control-Allow-Credentials"] = "true"
        headers["Access-Control-Expose-Headers"] = "Retry-After"


def _allowed(asked: str) -> str:
    known = _HEADERS.split(", ")
    more = [name for each in asked[:_LONGEST].split(",") if (name := each.strip().lower()) and name not in known]
    return ", ".join([*known, *(each for each in more if each.replace("-", "").replace("_", "").isalnum())])
