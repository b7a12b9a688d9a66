"""The files of the console: to everybody, none besides, and with what keeps a browser from anything else."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from stream.settings import Settings
from stream.web.console.pages import _pages
from stream.web.server import serve
from tests.kit.http_contract import held
from tests.web.rig import Rig

TOKEN = "0123456789abcdef-of-this-test"  # noqa: S105 a test's own
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
ELSEWHERE = [
    "/console/nothing.js",
    "/console/..%2Fpages.py",
    "/console/%2e%2e%2f%2e%2e%2ftokens.py",
    "/console/..%5Cpages.py",
    "/console/.hidden.js",
    "/console/INDEX.HTML",
    "/console/index.html%00.js",
    "/console/__init__.py",
    "/console/index.html%2F",
    "/console/%2Fetc%2Fpasswd",
]
"""Files that there are not, and ways out of the folder."""


@pytest.fixture(params=["", TOKEN])
async def url(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """A worker without a token, and one with."""
    rig = Rig(token=request.param)
    with held(rig.routes):
        async with serve(rig.routes, Settings().web_bind, 0) as port:
            yield f"http://127.0.0.1:{port}"


async def ask(url: str, method: str = "GET", **headers: str) -> tuple[aiohttp.ClientResponse, bytes]:
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, URL(url, encoded=True), headers=headers, allow_redirects=False) as response,
    ):
        return response, await response.read()


@pytest.mark.parametrize("path", ["/", "/console/index.html"])
async def test_the_page_is_shown_to_everybody_and_may_do_nothing_but_ask_this_server(url: str, path: str) -> None:
    response, body = await ask(url + path)
    assert response.status == 200
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert response.headers["Content-Security-Policy"] == POLICY
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert b"<!doctype html>" in body.lower()


async def test_every_file_has_its_own_type(url: str) -> None:
    """By its name: with nosniff a browser runs no script and takes no style under another."""
    kinds = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
    for name in _pages():
        response, body = await ask(f"{url}/console/{name}")
        assert (response.status, response.content_type) == (200, kinds[name.rpartition(".")[2]])
        assert body


async def test_a_browser_that_has_it_is_not_sent_it_again(url: str) -> None:
    first, _ = await ask(url + "/")
    tag = first.headers["ETag"]
    again, body = await ask(url + "/", **{"If-None-Match": f'"other", {tag}'})
    assert (again.status, body, again.headers["ETag"]) == (304, b"", tag)
    assert again.headers["Content-Security-Policy"] == POLICY
    assert (await ask(url + "/", **{"If-None-Match": '"other"'}))[0].status == 200


async def test_its_head_can_be_asked_for(url: str) -> None:
    response, body = await ask(url + "/", "HEAD")
    assert (response.status, body) == (200, b"")
    assert int(response.headers["Content-Length"]) > 0


@pytest.mark.parametrize("path", ELSEWHERE)
async def test_nothing_else_is_served_wherever_it_is(url: str, path: str) -> None:
    response, body = await ask(url + path)
    assert response.status == 404
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert b"import" not in body


@pytest.mark.parametrize("path", ["/console", "/console/", "/console/a/b.js", "/index.html", "/favicon.ico"])
async def test_what_only_looks_like_it_is_protected_as_any_path(url: str, path: str) -> None:
    """401 where there are tokens: what there is and what there is not is nobody's business."""
    assert (await ask(url + path))[0].status in (401, 404)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_it_is_there_to_be_read(url: str, method: str) -> None:
    assert (await ask(url + "/", method))[0].status in (401, 405)


@pytest.mark.parametrize(
    "path", ["/livez", "/readyz", "/v1/customers/%3Cscript%3E", "/v1/nothing", "/metrics", "/v1/lifecycles?x=1"]
)
async def test_every_answer_says_that_it_is_no_page(url: str, path: str) -> None:
    """Errors, too: opened by themselves they run nothing and load nothing, and stand in nobody's frame."""
    response, _ = await ask(url + path)
    assert response.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "no-referrer"


async def test_an_error_of_ours_says_so_too() -> None:
    """A browser gets it as HTML."""
    rig = Rig()

    async def broken(_request: web.Request) -> web.Response:
        raise RuntimeError

    rig.routes.router.add_get("/broken", broken)
    async with serve(rig.routes, Settings().web_bind, 0) as port:
        response, _ = await ask(f"http://127.0.0.1:{port}/broken", Accept="text/html")
    assert (response.status, response.content_type) == (500, "text/html")
    assert response.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
