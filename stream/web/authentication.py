"""Who may see more than health: whoever sends the token."""

import hmac
import ipaddress
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

HEALTH: Final = frozenset({"/livez", "/readyz"})
"""What anybody may ask: probes of the machinery around a worker send no token."""


def require_token(token: str) -> Middleware:
    """Answer 401 to whoever does not send `Authorization: Bearer <token>`, but for health.

    It stands before everything, paths that do not exist included, so that a new path is protected by default.
    Nothing is protected where `token` is empty.
    """

    @web.middleware
    async def ask(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path in HEALTH or has_token(request, token):
            return await handler(request)
        return web.json_response(
            {"error": "send the token of web_token as `Authorization: Bearer <token>`"},
            status=401,
            headers={"WWW-Authenticate": "Bearer"},
        )

    return ask


def has_token(request: web.Request, token: str) -> bool:
    """Whether a request carries the token, found out in a time that does not reveal how much of it was right."""
    if not token:
        return True
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    right = hmac.compare_digest(given.strip().encode("utf-8", "surrogateescape"), token.encode())
    return right and scheme.lower() == "bearer"


def is_of_this_machine(host: str) -> bool:
    """Whether nobody elsewhere reaches what is served on this address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
