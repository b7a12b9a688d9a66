"""What every answer of a worker says to a browser, errors included: what it may do with it, which is nothing."""

from collections.abc import Mapping
from typing import Final

from aiohttp import web

NO_PAGE: Final[Mapping[str, str]] = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
"""Data: shown as a page, it runs nothing, loads nothing and stands in no frame."""


async def say_to_browsers(_request: web.Request, response: web.StreamResponse) -> None:
    """Add these to an answer that is about to be sent; what it says of its own stays."""
    for name, value in NO_PAGE.items():
        response.headers.setdefault(name, value)
