"""Who may ask what over HTTP: whoever sends a token with the role for it, or this machine where there are no tokens."""

import ipaddress
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from stream.web.answers import error_answer
from stream.web.openapi import PATH as OPENAPI
from stream.web.tokens import Role, Token, Tokens

HEALTH: Final = frozenset({"/livez", "/readyz"})
"""What anybody may ask: probes of the machinery around a worker send no token."""
COOKIE: Final = "lifecycle_token"
"""In which a browser keeps a token, percent-encoded, after the login of the console."""
_OF_CUSTOMERS: Final = "/v1/"
_READS: Final = frozenset({hdrs.METH_GET, hdrs.METH_HEAD})
_ROLES: Final = web.AppKey("roles", dict[Handler, Role | None])
_OF_COOKIES: Final = web.AppKey("of_cookies", Tokens)
_PROXIED: Final = frozenset({"forwarded", "x-forwarded-for", "x-real-ip"})


def require_token(tokens: Tokens) -> Middleware:
    """Answer 401 to whoever does not send `Authorization: Bearer <token>`, and 403 where it lacks the role.

    It stands before everything but health, paths that do not exist included, so that a new path is protected by
    default.
    Where there are no tokens, what is said of customers is said to this machine alone.
    """

    @web.middleware
    async def ask(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path in HEALTH or request.path == OPENAPI:
            return await handler(request)
        role: Role | None = "read" if request.path.startswith(_OF_CUSTOMERS) else "operate"
        role = request.app.get(_ROLES, {}).get(request.match_info.handler, role)
        if role is None:
            return await handler(request)
        return refusal_without(role, request, tokens) or await handler(request)

    return ask


def ask_for(role: Role | None, app: web.Application, handler: Handler) -> Handler:
    """Let this handler of `app` be for whoever has the role, in place of the one that its path asks for.

    None: for everybody. What is under `/v1/` is still for this machine alone where there are no tokens, but for what
    everybody may ask. Returns the handler, to be routed to as it is.
    """
    app.setdefault(_ROLES, {})[handler] = role
    return handler


def take_cookies(app: web.Application, tokens: Tokens) -> None:
    """Let the cookie of a browser count as `Authorization` does, for questions that change nothing.

    Elsewhere cookies are not looked at: one for a port goes to every port of the same host.
    """
    app[_OF_COOKIES] = tokens


def refusal_without(role: Role, request: web.Request, tokens: Tokens) -> web.Response | None:
    """The answer to whoever may not ask what this role is for; None where the sender may."""
    if not tokens.required:
        if not request.path.startswith(_OF_CUSTOMERS) or is_from_this_machine(request):
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
    return tokens.find(bearer_of(request) or _in_cookie(request))


def authorization_of(request: web.Request) -> str | None:
    """What a request is passed on to another worker with: that of a cookie as the header which it stands for."""
    tokens, given = request.app.get(_OF_COOKIES), _in_cookie(request)
    if not bearer_of(request) and tokens is not None and tokens.find(given) is not None:
        return f"Bearer {given}"
    return request.headers.get(hdrs.AUTHORIZATION)


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


def _in_cookie(request: web.Request) -> str:
    """The token that a browser's cookie holds; empty where it does not count."""
    if request.method not in _READS or hdrs.COOKIE not in request.headers or _OF_COOKIES not in request.app:
        return ""
    return unquote(request.cookies.get(COOKIE, ""))


def is_from_this_machine(request: web.Request) -> bool:
    """Whether a request comes from a program on this machine that asks for itself.

    Not what a proxy passes on, nor what a page in a browser here asks for under a name of its own (DNS rebinding).
    """
    peer = request.transport.get_extra_info("peername") if request.transport is not None else None
    if not peer or not is_of_this_machine(str(peer[0])) or not _PROXIED.isdisjoint(map(str.lower, request.headers)):
        return False
    return is_of_this_machine(_host_of(request.headers.get(hdrs.HOST, "")))


def _host_of(header: str) -> str:
    """The host of a Host header, without its port."""
    if header.startswith("["):
        return header[1:].partition("]")[0]
    return header.rpartition(":")[0] if ":" in header else header


@lru_cache(maxsize=1_024)
def is_of_this_machine(host: str) -> bool:
    """Whether nobody elsewhere reaches what is served on this address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
