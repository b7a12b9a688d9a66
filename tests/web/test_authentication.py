"""Who gets an answer over HTTP, and to what: over real sockets."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry, Counter

from stream.engine.status import EngineStatus, PartitionState, PartitionStatus, Phase
from stream.kafka.contact import ContactStatus
from stream.kafka.worker_versions import GroupVersions, LifecycleVersion, WorkerVersions
from stream.web.authentication import is_of_this_machine
from stream.web.routes import health_routes
from stream.web.secret_table import SecretTable
from stream.web.server import serve
from stream.web.tokens import Tokens

TOKEN = "0123456789abcdef-of-this-test"  # noqa: S105 - a test's own
STATUS = EngineStatus(
    Phase.RUNNING,
    "exactly_once",
    (PartitionStatus(3, PartitionState.RUNNING, 1.0, 4_711, 4_800, idle_seconds=0.5),),
    ContactStatus(up=True, since=1_700_000_000_000, seconds_since_answer=0.5),
)
SHOP = LifecycleVersion(3, "0123456789abcdef")
GROUP = GroupVersions(WorkerVersions("one:1", "1.0", {"shop": SHOP}, {}))
PATHS = ["/metrics", "/", "/nothing-here", "/livez/", "/readyz/more", "//livez", "/LIVEZ", "/new"]
"""All but health: what exists, what does not, and what only looks like health."""
WRONG = [
    "",
    TOKEN,
    f"Basic {TOKEN}",
    "Bearer",
    "Bearer ",
    f"Bearer {TOKEN[:-1]}",
    f"Bearer {TOKEN}x",
    f"Bearer {TOKEN.upper()}",
    f"Bearer {TOKEN}, Bearer {TOKEN}",
    "Bearer \xfc\xfc\xfc",
]

Answer = tuple[int, str, str]
"""Status, what it asks for, body."""


def routes(token: str) -> web.Application:
    """Those of a worker, and one that someone adds later without a thought of tokens."""
    registry = CollectorRegistry()
    Counter("counted", "Something", registry=registry).inc()

    async def new(_request: web.Request) -> web.Response:
        return web.Response(text="new")

    app = health_routes(lambda: STATUS, registry, Tokens(token), GROUP)
    app.router.add_get("/new", new)
    return app


@pytest.fixture
async def url() -> AsyncIterator[str]:
    """Where a worker with a token serves."""
    async with serve(routes(TOKEN), "127.0.0.1", 0) as port:
        yield f"http://127.0.0.1:{port}"


async def ask(url: str, authorization: str | None = None, method: str = "GET") -> Answer:
    """Ask, with this header."""
    headers = {} if authorization is None else {"Authorization": authorization}
    async with aiohttp.ClientSession() as session, session.request(method, url, headers=headers) as response:
        return response.status, response.headers.get("WWW-Authenticate", ""), await response.text()


@pytest.mark.parametrize("path", PATHS)
async def test_everything_but_health_asks_for_the_token(url: str, path: str) -> None:
    """A path that nobody serves, too: what there is and what there is not is nobody's business."""
    status, wanted, body = await ask(url + path)
    assert (status, wanted) == (401, "Bearer")
    assert "Authorization: Bearer" in body
    assert "counted" not in body


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "HEAD"])
async def test_every_method_asks_for_it(url: str, method: str) -> None:
    """Before it is said which methods there are."""
    assert (await ask(f"{url}/metrics", method=method))[0] == 401


@pytest.mark.parametrize("authorization", WRONG)
async def test_what_is_not_the_token_is_refused(url: str, authorization: str) -> None:
    """Too short, too long, in other letters, twice, by another scheme, in bytes that are no text."""
    assert (await ask(f"{url}/metrics", authorization))[:2] == (401, "Bearer")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
async def test_who_sends_the_token_is_answered(url: str, scheme: str) -> None:
    """And is told of a path that does not exist that it does not; the scheme has no case (RFC 9110)."""
    assert "counted_total 1.0" in (await ask(f"{url}/metrics", f"{scheme} {TOKEN}"))[2]
    assert (await ask(f"{url}/new", f"{scheme} {TOKEN}"))[2] == "new"
    assert (await ask(f"{url}/nothing-here", f"{scheme} {TOKEN}"))[0] == 404


async def test_health_asks_for_none_and_then_tells_of_states_alone(url: str) -> None:
    """Positions and lags say how much business there is; who sends the token sees them."""
    assert (await ask(f"{url}/livez"))[0] == 200
    status, _, body = await ask(f"{url}/readyz")
    assert (status, json.loads(body)) == (
        200,
        {
            "status": "ready",
            "phase": "running",
            "kafka": {"up": True, "since": "2023-11-14T22:13:20.000Z", "seconds_since_answer": 0.5},
            "partitions": [{"partition": 3, "state": "running"}],
        },
    )
    shown = json.loads((await ask(f"{url}/readyz", f"Bearer {TOKEN}"))[2])
    (seen,) = shown["partitions"]
    assert (seen["position"], seen["lag"]) == (4_711, 89)
    assert (shown["lifecycles"], shown["others"]) == ({"shop": {"version": 3, "digest": "0123456789abcdef"}}, None)
    assert json.loads((await ask(f"{url}/readyz", "Bearer wrong"))[2]) == json.loads(body)


def test_how_much_of_a_token_was_right_shows_in_no_time() -> None:
    """Tokens are found by digests that depend on a key which each process draws, and are kept in no other form."""
    one, other = SecretTable([(TOKEN, "one")]), SecretTable([(TOKEN, "one")])
    assert (one.find(TOKEN), one.find(TOKEN[:-1]), one.find("w\udce4")) == ("one", None, None)
    assert one._values.keys().isdisjoint(other._values)
    assert all(TOKEN.encode() not in digest for digest in one._values)


async def test_without_a_token_nobody_is_asked() -> None:
    """As on a machine of one's own."""
    async with serve(routes(""), "127.0.0.1", 0) as port:
        url = f"http://127.0.0.1:{port}"
        assert (await ask(f"{url}/metrics"))[0] == 200
        assert (await ask(f"{url}/nothing-here"))[0] == 404
        assert "position" in (await ask(f"{url}/readyz"))[2]


def test_addresses_that_others_reach_are_told_from_those_of_this_machine() -> None:
    """A name that is not known to be this machine is not."""
    here = ["127.0.0.1", "127.8.0.1", "::1", "localhost"]
    elsewhere = ["0.0.0.0", "::", "10.0.0.7", "worker-1", ""]  # noqa: S104 - told apart, not bound
    assert [host for host in [*here, *elsewhere] if is_of_this_machine(host)] == here


@pytest.mark.slow
@pytest.mark.parametrize(
    ("bind", "token", "warned"),
    [("0.0.0.0", "", True), ("0.0.0.0", TOKEN, False), ("127.0.0.1", "", False)],  # noqa: S104 - as a person sets it
)
async def test_a_worker_that_others_reach_without_a_token_warns(bind: str, token: str, warned: bool) -> None:
    """At its start, with the variable that helps; the token itself is in no line."""
    said = await start_of_log(
        {
            "LIFECYCLES": "metrics",
            "WEB_BIND": bind,
            "WEB_TOKEN": token,
            "WEB_PORT": "0",
            "BOOTSTRAP": "127.0.0.1:1",
            "LOG_LEVEL": "debug",
        }
    )
    assert ("LIFECYCLE_WEB_TOKEN" in said) == warned
    assert TOKEN not in said


async def start_of_log(settings: dict[str, str]) -> str:
    """What a worker logs until it waits for its broker, and then until its end."""
    around = {name: value for name, value in os.environ.items() if not name.startswith("LIFECYCLE_")}
    worker = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "stream.cli", "worker"),
        env=around | {f"LIFECYCLE_{name}": value for name, value in settings.items()},
        stderr=asyncio.subprocess.PIPE,
    )
    assert worker.stderr is not None
    lines: list[str] = []
    async with asyncio.timeout(180):
        while not any("waiting for Kafka" in line for line in lines):
            lines.append((await worker.stderr.readline()).decode())
        worker.send_signal(signal.SIGTERM)
        lines.append((await worker.stderr.read()).decode())
        assert await worker.wait() == 0
    return "".join(lines)
