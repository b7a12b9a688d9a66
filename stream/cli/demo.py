"""`lifecycle demo`: a broker, a worker, a collector and a shop full of people, on this machine and gone afterwards.

With `--webhook` also a process that sends the stage changes to an address.
"""

import asyncio
import base64
import contextlib
import logging
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import aiohttp
import orjson
import typer
from yarl import URL

from stream.cli.demo_data import Data, save, shown
from stream.cli.tail import ToPeople
from stream.cli.terminal.amounts import amount
from stream.cli.terminal.demo_screen import Screen
from stream.codec.change_filter import ChangeFilter
from stream.codec.lifecycle_yaml.lifecycle_files import load
from stream.core.durations import DAY
from stream.core.interaction import Interaction
from stream.errors import BrokerError
from stream.kafka.embedded.broker import EmbeddedBroker
from stream.kafka.embedded.child_guard import ChildGuard
from stream.kafka.embedded.process import HOST, free_port
from stream.kafka.interaction_producer import InteractionProducer
from stream.settings import Settings
from stream.subscription.subscription import Subscription

LIFECYCLE = "metrics"
AFTERWARDS = DAY
"""How far the stream's clock runs on after the last interaction."""
_SECONDS = 40
"""How long the replay lasts at its ordinary pace."""
_START_SECONDS = 30.0
_STOP_SECONDS = 10.0
_POLL = 0.2
_WEBHOOK_SECRET = "whsec_" + base64.b64encode(b"of the demo, known to everybody!").decode()
"""What the demo signs with: the README has it, for a receiver to verify with."""
_VARIABLE = "DEMO_WEBHOOK_SECRET"
_ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, a request to end, and a terminal that was closed."""


def demo(
    *,
    once: Annotated[
        bool, typer.Option("--once", help="End with a summary when all is replayed; without it, by Ctrl-C.")
    ] = False,
    seconds: Annotated[
        int, typer.Option(metavar="N", min=1, max=3_600, help="How long the replay shall last.")
    ] = _SECONDS,
    data: Annotated[Data, typer.Option(help="A simulated shop, or the purchases of real people.")] = Data.SHOP,
    save_to: Annotated[
        str | None,
        typer.Option(
            "--save",
            metavar="FILE",
            help="Write the interactions, of the shop those of all its 2,000 people, as JSON lines (.gz: compressed), "
            "and end; for `simulate` and `import`.",
        ),
    ] = None,
    web_port: Annotated[
        int | None,
        typer.Option(
            metavar="PORT",
            min=0,
            max=65_535,
            help="Port of the worker: customers, live stage changes, health and metrics; 0 takes a free one, and so "
            "does the default, 6066, where that is taken.",
            show_default=False,
        ),
    ] = None,
    collector_port: Annotated[
        int | None,
        typer.Option(
            metavar="PORT",
            min=0,
            max=65_535,
            help="Port that takes interactions of yours over HTTP; 0 takes a free one, and so does the default, 6067, "
            "where that is taken.",
            show_default=False,
        ),
    ] = None,
    webhook: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Send each stage change to this address, too, signed with the secret that the README names.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Watch customers move through their lifecycle; needs nothing but this command.

    Starts the embedded broker, a worker and a collector, and replays what 300 people do at a simulated shop in 18
    months, with time running as fast as the data: customers who go quiet become dormant in the same seconds. With
    --data purchases, 6,919 purchases of real people at a music shop, 1997 and 1998. Nothing is left behind.
    """
    if save_to is not None:
        typer.echo(f"{amount(save(data, save_to), 'interaction')} written to {save_to}")
        return
    if webhook is not None and URL(webhook).host is None:
        raise typer.BadParameter(f"{webhook!r} is no address such as http://127.0.0.1:8000/", param_hint="'--webhook'")
    # The embedded broker cannot do transactions, and aiokafka would say so three times.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_until_asked_to_end(_demo(data, once, seconds, web_port, collector_port, webhook)))


async def _until_asked_to_end(work: Coroutine[None, None, None]) -> None:
    """Run `work`; a signal cancels it, so that it stops what it started. One that comes again hastens that."""
    loop, running = asyncio.get_running_loop(), asyncio.ensure_future(work)
    asked = asyncio.Event()

    def end() -> None:
        asked.set()
        running.cancel()

    for number in _ENDS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup and shells ask for what runs behind them
            loop.add_signal_handler(number, end)
    try:
        await running
    except (asyncio.CancelledError, OSError):  # OSError: the terminal was closed, and cannot be written to
        if not asked.is_set():
            raise


async def _demo(
    data: Data, once: bool, seconds: int, web_port: int | None, collector_port: int | None, webhook: str | None
) -> None:
    with Screen(data.about, data.note, seconds) as screen:
        await _show(data, screen, once, seconds, web_port, collector_port, webhook)


async def _show(
    data: Data,
    screen: "Screen",
    once: bool,
    seconds: int,
    web_port: int | None,
    collector_port: int | None,
    webhook: str | None,
) -> None:
    async with AsyncExitStack() as stack:
        guard = stack.enter_context(ChildGuard("lifecycle-demo-"))
        collectors_guard = stack.enter_context(ChildGuard("lifecycle-collector-"))
        screen.starting("the broker")
        broker = await stack.enter_async_context(EmbeddedBroker())
        settings = Settings(
            bootstrap=broker.bootstrap,
            partitions=4,
            lifecycles=(LIFECYCLE,),
            clock="stream",
            session_timeout=1_000,
            web_port=_port(web_port, Settings().web_port),
            collector_port=_port(collector_port, Settings().collector_port),
            webhooks_port=free_port(),
        )
        screen.starting("the worker and the collector, some seconds")
        worker = await stack.enter_async_context(_child("worker", _of_worker(settings), guard, "--demo"))
        collector = await stack.enter_async_context(_child("collector", _of_collector(settings), collectors_guard))
        if webhook is not None:
            await stack.enter_async_context(_delivering(settings, webhook))
        interactions = await asyncio.to_thread(list, shown(data))
        await _until_ready("worker", lambda: _is_ready(settings), worker, guard)
        await _until_ready("collector", lambda: _answers_200(_url_of_collector(settings)), collector, collectors_guard)
        screen.total = len(interactions)
        screen.begin(load(LIFECYCLE).lifecycle, _url_of_worker(settings), _url_of_collector(settings))
        watching = asyncio.create_task(_watch(settings, screen))
        replaying = asyncio.create_task(_replay(settings, screen, interactions, seconds))
        try:
            await replaying
            await _until_done(settings, screen, watching)
            screen.finished = True
            if not once:
                await asyncio.wait([watching, asyncio.create_task(worker.wait())], return_when="FIRST_COMPLETED")
        finally:
            for task in (watching, replaying):
                task.cancel()
            await asyncio.wait([watching, replaying])
            screen.summarise()


def _port(asked: int | None, usual: int) -> int:
    """The one that was asked for, else the usual one, which the README names, where nothing else listens there."""
    if asked:
        return asked
    with socket.socket() as candidate, contextlib.suppress(OSError):
        if asked is None:
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            candidate.bind((HOST, usual))
            return usual
    return free_port()


def _of_worker(settings: Settings) -> dict[str, str]:
    """The options of the worker."""
    return {
        "bootstrap": settings.bootstrap,
        "partitions": str(settings.partitions),
        "lifecycles": ",".join(settings.lifecycles),
        "clock": settings.clock,
        "session-timeout": f"{settings.session_timeout}ms",
        "web-port": str(settings.web_port),
        "log-level": "warning",
    }


def _of_collector(settings: Settings) -> dict[str, str]:
    """The options of the collector."""
    return {
        "bootstrap": settings.bootstrap,
        "partitions": str(settings.partitions),
        "collector-port": str(settings.collector_port),
        "log-level": "warning",
    }


@asynccontextmanager
async def _delivering(settings: Settings, url: str) -> AsyncIterator[None]:
    """A process that sends stage changes to this address; returns once it is ready to."""
    with ChildGuard("lifecycle-webhooks-") as guard:
        file = Path(guard.folder) / "webhooks.yaml"
        endpoint = {"template": "generic", "values": {"url": url}, "secrets": [{"env": _VARIABLE}]}
        # JSON is YAML; this is a small file on this machine.
        file.write_bytes(orjson.dumps({"endpoints": {"demo": endpoint}}))
        options = {
            "bootstrap": settings.bootstrap,
            "partitions": str(settings.partitions),
            "session-timeout": f"{settings.session_timeout}ms",
            "webhooks": str(file),
            "webhook-allowed-hosts": URL(url).host or "",
            "webhooks-port": str(settings.webhooks_port),
            "log-level": "warning",
        }
        async with _child("webhooks", options, guard, secrets={_VARIABLE: _WEBHOOK_SECRET}) as process:
            health = f"http://{settings.web_bind}:{settings.webhooks_port}"
            await _until_ready("webhooks", lambda: _answers_200(health), process, guard)
            yield


@asynccontextmanager
async def _child(
    role: str, options: dict[str, str], guard: "ChildGuard", *flags: str, secrets: Mapping[str, str] | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A worker, a collector or webhooks in a process of its own, stopped at the end."""
    # Nothing that is set for others may reach this one.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LIFECYCLE_")}
    environment |= secrets or {}
    environment["TMPDIR"] = str(guard.folder)
    command = [sys.executable, "-m", "stream.cli", role, *flags]
    command += [part for name, value in options.items() for part in (f"--{name}", value)]
    with _log(role, guard).open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *guard.command(command),
            stdin=guard.fd,
            stdout=output,
            stderr=output,
            env=environment,
            start_new_session=True,  # the terminal's Ctrl-C is for us
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(process.wait(), _STOP_SECONDS)
            except TimeoutError:
                process.kill()
                await process.wait()
        guard.ended()


def _log(role: str, guard: "ChildGuard") -> Path:
    return guard.folder / f"{role}.log"


async def _until_ready(
    role: str, ready: Callable[[], Awaitable[bool]], process: asyncio.subprocess.Process, guard: "ChildGuard"
) -> None:
    """Raises BrokerError with the last words of a worker, collector or the like that does not become ready."""
    for _ in range(round(_START_SECONDS / _POLL)):
        if process.returncode is not None:
            break
        if await ready():
            return
        await asyncio.sleep(_POLL)
    last_words = await asyncio.to_thread(_log(role, guard).read_text)
    raise BrokerError(f"the {role} did not start; its log ends with:\n{last_words[-2_000:]}")


async def _is_ready(settings: Settings) -> bool:
    return await _lag(settings) is not None


async def _answers_200(url: str) -> bool:
    """Whether the collector takes interactions, or webhooks are delivered."""
    try:
        async with aiohttp.ClientSession() as session, session.get(url + "/readyz") as response:
            return response.status == 200
    except aiohttp.ClientError:
        return False


def _url_of_worker(settings: Settings) -> str:
    return f"http://{settings.web_bind}:{settings.web_port}"


def _url_of_collector(settings: Settings) -> str:
    return f"http://{settings.collector_bind}:{settings.collector_port}"


async def _lag(settings: Settings) -> int | None:
    """Interactions that the worker has not processed yet; None while it is not ready."""
    url = _url_of_worker(settings) + "/readyz"
    try:
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            body = await response.json()
    except aiohttp.ClientError:
        return None
    lags = [each["lag"] for each in body["partitions"]]
    return sum(lags) if body["status"] == "ready" and lags and None not in lags else None


async def _replay(settings: Settings, screen: "Screen", interactions: "Sequence[Interaction]", seconds: int) -> None:
    """Send the interactions, which are in the order of their times, and then a tick."""
    async with InteractionProducer(replace(settings), rate=max(1, len(interactions) // seconds)) as producer:
        for interaction in interactions:
            await producer.send(interaction)
            screen.sent(interaction)
        await producer.tick(interactions[-1].time + AFTERWARDS)


async def _watch(settings: Settings, screen: "Screen") -> None:
    """Show every stage change."""
    async for change in Subscription(settings, ChangeFilter(), start="beginning", messages=ToPeople()):
        screen.changed(change)


async def _until_done(settings: Settings, screen: "Screen", watching: "asyncio.Task[None]") -> None:
    """Return when the worker took everything and its changes were seen."""
    seen = -1
    while not watching.done() and (await _lag(settings) != 0 or screen.changes != seen):
        seen = screen.changes
        await asyncio.sleep(1.0)
    if watching.done():
        watching.result()
