"""Who may ask what over HTTP: whoever sends a token with the role for it, or this machine where there are no tokens."""

import ipaddress
from functools import lru_cache
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from stream.web.tokens import Role, Token, Tokens

HEALTH: Final = frozenset({"/livez", "/readyz"})
"""What anybody may ask: probes of the machinery around a worker send no token."""
_OF_CUSTOMERS: Final = "/v1/"
_PROXIED: Final = ("Forwarded", "X-Forwarded-For", "X-Real-IP")


def require_token(tokens: Tokens) -> Middleware:
    """Answer 401 to whoever does not send `Authorization: Bearer <token>`, and 403 where it lacks the role.

    It stands before everything but health, paths that do not exist included, so that a new path is protected by
    default.
    Where there are no tokens, what is said of customers is said to this machine alone.
    """

    @web.middleware
    async def ask(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path in HEALTH:
            return await handler(request)
        role: Role = "read" if request.path.startswith(_OF_CUSTOMERS) else "operate"
        return refusal_without(role, request, tokens) or await handler(request)

    return ask


def refusal_without(role: Role, request: web.Request, tokens: Tokens) -> web.Response | None:
    """The answer to whoever may not ask what this role is for; None where the sender may."""
    if not tokens.required:
        if role == "operate" or is_from_this_machine(request):
            return None
        return error_answer(
            403,
            "no_tokens",
            "only this machine is answered, and no proxy on it, until web_token or web_tokens is set",
        )
    token = token_of(request, tokens)
    if token is None:
        return error_answer(
            401,
            "unauthorized",
            "send a token of web_tokens, or that of web_token, as `Authorization: Bearer <token>`",
            {"WWW-Authenticate": "Bearer"},
        )
    if role not in token.roles:
        return error_answer(
            403, "forbidden", f"the token of {token.name!r} has not the role {role!r}, which this asks for"
        )
    return None


def token_of(request: web.Request, tokens: Tokens) -> Token | None:
    """The token that a request carries; None where it carries none of ours."""
    return tokens.find(bearer_of(request))


def sees_details(request: web.Request, tokens: Tokens) -> bool:
    """Whether health tells more than states to this sender."""
    if not tokens.required:
        return True
    token = token_of(request, tokens)
    return token is not None and "operate" in token.roles


def bearer_of(request: web.Request) -> str:
    """The token that a request sends; empty where it sends none."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    return given.strip() if scheme.lower() == "bearer" else ""


def error_answer(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> web.Response:
    """An answer that says what is wrong: `code` for programs, `message` for people."""
    return web.json_response({"code": code, "message": message}, status=status, headers=headers)


def is_from_this_machine(request: web.Request) -> bool:
    """Whether a request comes from a program on this machine that asks for itself.

    Not what a proxy passes on, nor what a page in a browser here asks for under a name of its own (DNS rebinding).
    """
    peer = request.transport.get_extra_info("peername") if request.transport is not None else None
    if not peer or not is_of_this_machine(str(peer[0])) or any(name in request.headers for name in _PROXIED):
        return False
    return is_of_this_machine(_host_of(request.headers.get("Host", "")))


def _host_of(header: str) -> str:
    """The host of a Host header, without its port."""
    if header.startswith("["):
        return header[1:].partition("]")[0]
    return header.rpartition(":")[0] if ":" in header else header


@lru_cache(1_024)
def is_of_this_machine(host: str) -> bool:
    """Whether nobody elsewhere reaches what is served on this address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
