"""`/` and `/console/NAME`: the pages of the console, as they come with the product.

They hold no data, and everybody may load them. What they may do is said with each: scripts and styles of this server
alone, none within a page, no form, no frame, no question to another host.
"""

import re
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Final, NamedTuple

from aiohttp import hdrs, web

from stream.web.answers import error_answer
from stream.web.authentication import ask_for

PATH: Final = "/console/{name}"
_INDEX: Final = "index.html"
_KINDS: Final = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
"""By the end of a file's name. Others are not served."""
_NAME: Final = re.compile(rf"[a-z0-9][a-z0-9_-]*\.({'|'.join(_KINDS)})")
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-cache",  # a browser keeps it, and asks whether it is still right
}


class _Page(NamedTuple):
    """A file, as it is sent."""

    body: bytes
    kind: str
    tag: str
    """Another one for other bytes."""


def add_pages(app: web.Application) -> None:
    """Serve the console's files over `app`, to everybody. They are read at the first question."""

    async def index(request: web.Request) -> web.Response:
        return _answer(request, _INDEX)

    async def page(request: web.Request) -> web.Response:
        return _answer(request, request.match_info["name"])

    app.router.add_get("/", ask_for(None, app, index))
    app.router.add_get(PATH, ask_for(None, app, page))


def _answer(request: web.Request, name: str) -> web.Response:
    page = _pages().get(name)
    if page is None:
        return error_answer(404, "not_found", "the console has no such file; it begins at /")
    headers = {**_HEADERS, hdrs.ETAG: f'"{page.tag}"'}
    if any(each.value in (page.tag, "*") for each in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    return web.Response(body=page.body, headers={**headers, hdrs.CONTENT_TYPE: page.kind})


@cache
def _pages() -> Mapping[str, _Page]:
    """By name, all that is served: nothing is looked for on the disk by what a question says."""
    found: dict[str, _Page] = {}
    for file in files("stream").joinpath("web", "console", "site").iterdir():
        name = _NAME.fullmatch(file.name)
        if name is not None and file.is_file():
            body = file.read_bytes()
            found[file.name] = _Page(body, _KINDS[name[1]], sha256(body).hexdigest()[:32])
    return found
