"""A token in a cookie: who gets one, what it counts for, and when it counts no more. Over real sockets."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry

from stream.collector import Collector
from stream.engine.status import EngineStatus, Phase
from stream.kafka.contact import Contact
from stream.settings import Settings
from stream.web.authentication import COOKIE, ask_for, authorization_of, take_cookies
from stream.web.console.tries import TRIES
from stream.web.routes import health_routes
from stream.web.server import serve
from stream.web.tls import server_context
from stream.web.tokens import Tokens
from tests.kit.certificates import Authority
from tests.kit.http_contract import held
from tests.web.rig import Rig

READ, OPERATE, BOTH = ("0123456789abcdef-" + each for each in ("read", "operate", "both"))
ODD = 'of-0123456789;,="%\\+<x>'
"""As a token may be, and a cookie may not."""
TOKENS = f"""
[[token]]
token = "{READ}"
name = "crm"
roles = ["read"]
[[token]]
token = "{OPERATE}"
name = "prometheus"
roles = ["operate"]
[[token]]
token = "{BOTH}"
name = "ann"
roles = ["read", "operate"]
[[token]]
token = '{ODD}'
name = "odd"
roles = ["read"]
"""
LOGIN = "/v1/console/login"
JSON = {"Content-Type": "application/json"}
Answer = tuple[int, dict[str, Any], aiohttp.ClientResponse]


@pytest.fixture
def tokens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of tokens, which is looked at with every question."""
    monkeypatch.setattr("stream.watched_file._LOOK_EVERY", 0.0)
    file = tmp_path / "tokens.toml"
    file.write_text(TOKENS, encoding="utf-8")
    return file


@pytest.fixture
async def url(tokens: Path) -> AsyncIterator[str]:
    """A worker with tokens."""
    rig = Rig(tokens=Tokens(path=str(tokens)))
    with held(rig.routes):
        async with serve(rig.routes, "127.0.0.1", 0) as port:
            yield f"http://127.0.0.1:{port}"


async def ask(url: str, method: str = "GET", data: bytes | None = None, **headers: str) -> Answer:
    """Ask, with these headers."""
    async with (
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
        session.request(method, url, data=data, headers=headers) as response,
    ):
        body = await response.read()
        is_json = body and response.content_type == "application/json"
        return response.status, json.loads(body) if is_json else {}, response


async def log_in(url: str, token: str, **headers: str) -> Answer:
    return await ask(url + LOGIN, "POST", json.dumps({"token": token}).encode(), **(JSON | headers))


async def cookie_of(url: str, token: str) -> str:
    """What a browser sends after it logged in."""
    status, _, response = await log_in(url, token)
    assert status == 204
    [morsel] = SimpleCookie(response.headers["Set-Cookie"]).values()
    return f"{morsel.key}={morsel.coded_value}"


async def state(url: str, **headers: str) -> dict[str, Any]:
    return (await ask(url + "/v1/console", **headers))[1]


async def test_whoever_sent_no_token_is_to_log_in_and_has_no_rights(url: str) -> None:
    found = await state(url)
    assert (found["login"], found["roles"], found["name"], found["only_this_machine"]) == (True, [], None, False)
    assert (found["product"], found["clock"], found["demo"]) == ("Customer lifecycle", "stream", False)


@pytest.mark.parametrize(
    ("token", "name", "roles"),
    [(READ, "crm", ["read"]), (OPERATE, "prometheus", ["operate"]), (BOTH, "ann", ["read", "operate"])],
)
async def test_a_token_is_known_as_a_header_and_as_a_cookie(url: str, token: str, name: str, roles: list[str]) -> None:
    for headers in ({"Authorization": f"Bearer {token}"}, {"Cookie": await cookie_of(url, token)}):
        found = await state(url, **headers)
        assert (found["login"], found["name"], found["roles"]) == (False, name, roles)


async def test_no_script_reads_the_cookie_and_no_other_site_sends_it(url: str) -> None:
    _, _, response = await log_in(url, READ)
    assert response.headers["Set-Cookie"] == f"{COOKIE}={READ}; HttpOnly; Path=/; SameSite=Strict"
    _, _, response = await log_in(url, READ, Origin=f"https://{url.removeprefix('http://')}")
    assert "Secure" in response.headers["Set-Cookie"], "a proxy before us speaks TLS"


async def test_a_token_of_any_signs_fits_the_cookie(url: str) -> None:
    assert (await state(url, Cookie=await cookie_of(url, ODD)))["name"] == "odd"


@pytest.mark.parametrize(
    ("token", "read", "operate"), [(READ, 200, 403), (OPERATE, 403, 200), (BOTH, 200, 200), ("x" * 20, 401, 401)]
)
async def test_the_cookie_counts_for_questions_as_the_token_does(url: str, token: str, read: int, operate: int) -> None:
    for headers in ({"Cookie": f"{COOKIE}={token}"}, {"Authorization": f"Bearer {token}"}):
        for method in ("GET", "HEAD"):
            assert (await ask(f"{url}/v1/lifecycles", method, **headers))[0] == read
            assert (await ask(f"{url}/metrics", method, **headers))[0] == operate
            assert (await ask(f"{url}/v1/operations", method, **headers))[0] == operate


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_the_cookie_counts_for_nothing_that_changes_something(url: str, method: str) -> None:
    assert (await ask(f"{url}/v1/lifecycles", method, Cookie=f"{COOKIE}={BOTH}"))[0] == 401
    assert (await ask(f"{url}/v1/lifecycles", method, Authorization=f"Bearer {BOTH}"))[0] == 405


async def test_a_header_goes_before_the_cookie(url: str) -> None:
    headers = {"Cookie": f"{COOKIE}={BOTH}", "Authorization": "Bearer wrong"}
    assert (await ask(f"{url}/v1/lifecycles", **headers))[0] == 401
    headers["Authorization"] = "Basic b2Y6YXByb3h5"  # of a proxy before us
    assert (await ask(f"{url}/v1/lifecycles", **headers))[0] == 200


async def test_a_cookie_is_worth_nothing_once_its_token_is_taken_back(url: str, tokens: Path) -> None:
    cookie = await cookie_of(url, BOTH)
    assert (await ask(f"{url}/v1/lifecycles", Cookie=cookie))[0] == 200
    await asyncio.to_thread(tokens.write_text, TOKENS.replace(BOTH, "another-0123456789"), encoding="utf-8")
    assert (await ask(f"{url}/v1/lifecycles", Cookie=cookie))[0] == 401
    assert (await state(url, Cookie=cookie))["login"] is True
    assert (await log_in(url, BOTH))[0] == 401


async def test_the_cookie_is_gone_after_logging_out(url: str) -> None:
    status, _, response = await ask(f"{url}/v1/console/logout", "POST", Cookie=f"{COOKIE}={READ}")
    assert status == 204
    [morsel] = SimpleCookie(response.headers["Set-Cookie"]).values()
    assert (morsel.key, morsel.value, morsel["max-age"], morsel["path"]) == (COOKIE, "", "0", "/")
    assert morsel["httponly"] is True


SITES = [
    ({"Sec-Fetch-Site": "same-origin"}, True),
    ({"Sec-Fetch-Site": "same-site"}, False),
    ({"Sec-Fetch-Site": "cross-site"}, False),
    ({"Sec-Fetch-Site": "none"}, False),
    ({"Sec-Fetch-Site": "cross-site", "Origin": "{own}"}, False),
    ({"Sec-Fetch-Site": "same-origin", "Origin": "https://console.example.com"}, True),
    ({"Origin": "{own}"}, True),
    ({"Origin": "http://evil.example.com"}, False),
    ({"Origin": "{own}.evil.example.com"}, False),
    ({"Origin": "http://127.0.0.1:1"}, False),
    ({"Origin": "null"}, False),
    ({"Origin": "http://["}, False),
    ({}, True),
]
"""What browsers say of where a request comes from; the last is none of a browser."""


@pytest.mark.parametrize(("headers", "ours"), SITES)
async def test_only_our_own_page_logs_in_and_out(url: str, headers: dict[str, str], ours: bool) -> None:
    headers = {name: value.format(own=url) for name, value in headers.items()}
    status, body, response = await log_in(url, READ, **headers)
    assert (status, body.get("code")) == ((204, None) if ours else (403, "other_site"))
    assert ("Set-Cookie" in response.headers) is ours
    assert (await ask(f"{url}/v1/console/logout", "POST", **headers))[0] == (204 if ours else 403)


@pytest.mark.parametrize(
    ("data", "kind", "status"),
    [
        (f"token={READ}".encode(), "application/x-www-form-urlencoded", 415),
        (json.dumps({"token": READ}).encode(), "text/plain", 415),
        (b"", "application/json", 400),
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'{"token": 7}', "application/json", 400),
        (b'{"token": "\xff"}', "application/json", 400),
        (b'{"token": "' + b"x" * 4_096 + b'"}', "application/json", 413),
    ],
)
async def test_what_is_no_login_is_refused(url: str, data: bytes, kind: str, status: int) -> None:
    """A form of another site could send the first two without being asked."""
    found, body, response = await ask(url + LOGIN, "POST", data, **{"Content-Type": kind})
    assert (found, "Set-Cookie" in response.headers) == (status, False)
    assert READ not in body["message"]


async def test_a_body_without_its_length_is_not_waited_for(url: str) -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield b'{"token": "'
        await asyncio.sleep(60)
        yield b"x"

    async with (
        asyncio.timeout(10),
        aiohttp.ClientSession() as session,
        session.post(url + LOGIN, data=endless(), headers=JSON) as response,
    ):
        assert response.status == 413


async def test_wrong_tokens_of_one_address_are_soon_heard_no_more(url: str) -> None:
    """Also where they are sent at once; and then a right one of that address has to wait as well."""
    answers = await asyncio.gather(*(log_in(url, f"wrong-{number:020}") for number in range(TRIES * 3)))
    assert sorted(status for status, _, _ in answers) == [401] * TRIES + [429] * (TRIES * 2)
    status, body, response = await log_in(url, READ)
    assert (status, body["code"]) == (429, "too_many_tries")
    assert 0 < int(response.headers["Retry-After"]) <= 6
    assert (await ask(f"{url}/v1/lifecycles", Authorization=f"Bearer {READ}"))[0] == 200, "who is in stays in"


async def test_the_sender_behind_a_trusted_proxy_is_who_it_names(tokens: Path) -> None:
    rig = Rig(tokens=Tokens(path=str(tokens)), trusted_proxies=("127.0.0.0/8",))
    async with serve(rig.routes, "127.0.0.1", 0) as port:
        url = f"http://127.0.0.1:{port}"
        wrong = [log_in(url, "wrong-0123456789ab", **{"X-Forwarded-For": "192.0.2.1"}) for _ in range(TRIES + 1)]
        assert [status for status, _, _ in await asyncio.gather(*wrong)].count(429) == 1
        assert (await log_in(url, READ, **{"X-Forwarded-For": "192.0.2.2"}))[0] == 204
        assert (await log_in(url, READ, **{"X-Forwarded-For": "192.0.2.1"}))[0] == 429


async def test_without_tokens_there_is_nothing_to_log_in_to() -> None:
    rig = Rig()
    with held(rig.routes):
        async with serve(rig.routes, "127.0.0.1", 0) as port:
            url = f"http://127.0.0.1:{port}"
            assert (await log_in(url, READ))[:1] == (409,)
            found = await state(url)
            assert (found["login"], found["roles"], found["only_this_machine"]) == (False, ["read", "operate"], False)


@pytest.mark.parametrize(
    "headers", [{"X-Forwarded-For": "192.0.2.1"}, {"Forwarded": "for=192.0.2.1"}, {"Host": "rebound.example.com"}]
)
async def test_without_tokens_nobody_but_this_machine_has_rights(headers: dict[str, str]) -> None:
    """Not through a proxy on it, nor a page that gave its own name our address."""
    rig = Rig()
    with held(rig.routes):
        async with serve(rig.routes, "127.0.0.1", 0) as port:
            url = f"http://127.0.0.1:{port}"
            found = await state(url, **headers)
            assert (found["login"], found["roles"], found["only_this_machine"]) == (False, [], True)
            for path in ("/v1/operations", "/v1/dead-letters", "/v1/lifecycles"):
                status, body, _ = await ask(url + path, **headers)
                assert (status, body["code"]) == (403, "no_tokens")
            assert (await ask(url + "/", **headers))[0] == 200


async def test_the_cookie_is_secure_over_tls(tokens: Path, tmp_path: Path) -> None:
    authority = Authority("console", tmp_path)
    file = authority.issue("worker", tmp_path / "worker.pem", ("localhost",))
    rig = Rig(tokens=Tokens(path=str(tokens)))
    trusts = ssl.create_default_context(cafile=str(authority.file))
    async with (
        serve(rig.routes, "127.0.0.1", 0, tls=server_context(Settings(web_certfile=str(file)))) as port,
        aiohttp.ClientSession() as session,
        session.post(f"https://localhost:{port}{LOGIN}", json={"token": READ}, ssl=trusts) as response,
    ):
        assert response.headers["Set-Cookie"] == f"{COOKIE}={READ}; HttpOnly; Path=/; SameSite=Strict; Secure"


async def test_where_there_is_no_console_a_cookie_is_no_token(tokens: Path) -> None:
    """A browser sends it to every port of the host: of webhooks' process and of a collector, too."""
    status = EngineStatus(Phase.JOINING, None, (), Contact().status())
    known = Tokens(path=str(tokens))
    collector = Collector(Settings(bootstrap="127.0.0.1:1", web_tokens=str(tokens)))
    for routes in (health_routes(lambda: status, CollectorRegistry(), known), collector._routes):
        async with serve(routes, "127.0.0.1", 0) as port:
            url = f"http://127.0.0.1:{port}/metrics"
            assert (await ask(url, Cookie=f"{COOKIE}={BOTH}"))[0] == 401
            assert (await ask(url, Authorization=f"Bearer {BOTH}"))[0] == 200


FORWARDED = [
    ({"Authorization": f"Bearer {READ}"}, f"Bearer {READ}"),
    ({"Cookie": f"{COOKIE}={READ}; other=1"}, f"Bearer {READ}"),
    ({"Cookie": f"{COOKIE}={READ}", "Authorization": f"Bearer {BOTH}"}, f"Bearer {BOTH}"),
    ({"Cookie": f"{COOKIE}={READ}", "Authorization": "Basic b2Y6YXByb3h5"}, f"Bearer {READ}"),
    ({"Cookie": f"{COOKIE}=a%0D%0AHost:%20x"}, None),
    ({"Cookie": "other=1"}, None),
    ({}, None),
]


@pytest.mark.parametrize(("headers", "sent"), FORWARDED)
async def test_another_worker_is_asked_with_the_token_and_never_with_a_cookie(
    tokens: Path, headers: dict[str, str], sent: str | None
) -> None:
    """And with none that was made up: it could end the header and begin another."""
    seen: list[str | None] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(authorization_of(request))
        return web.Response()

    app = web.Application()
    take_cookies(app, Tokens(path=str(tokens)))
    app.router.add_get("/", ask_for(None, app, handler))
    async with serve(app, "127.0.0.1", 0) as port:
        await ask(f"http://127.0.0.1:{port}/", **headers)
    assert seen == [sent]
