"""`lifecycle webhooks`: the endpoints that stage changes are sent to, and one of them tried out."""

import asyncio
import sys
import time
from pathlib import Path
from typing import Annotated, Final

import orjson
import typer
from rich.console import Console
from rich.text import Text

from stream.build import build_labels
from stream.cli.terminal.amounts import amount
from stream.cli.terminal.change_lines import line_of
from stream.cli.terminal.connection import run
from stream.cli.terminal.finding_lines import print_findings
from stream.cli.terminal.options import with_settings
from stream.cli.terminal.webhook_views import endpoint_object, endpoint_table, request_text
from stream.cli.webhooks_deliveries import deliveries, pause, replay, resume
from stream.cli.webhooks_run import run_webhooks
from stream.codec.lifecycle_yaml.lifecycle_files import load_all
from stream.codec.stage_change_reader import SubscribedChange, read_whole_change
from stream.core.interaction import Kind
from stream.core.language.names import unknown
from stream.errors import LifecycleError
from stream.kafka.latest_changes import latest_changes
from stream.kafka.permissions import of_latest_changes, require
from stream.settings import Settings
from stream.webhooks.endpoint import Endpoint, UnfitChangeError
from stream.webhooks.endpoints.change_names import KnownNames, names_of
from stream.webhooks.endpoints.endpoint_file import EndpointFileError, read_endpoints
from stream.webhooks.exchange import HttpRequest, Verdict
from stream.webhooks.sending.allowed_hosts import AllowedHosts
from stream.webhooks.sending.sender import AttemptResult, Sender
from stream.webhooks.sending.signature import webhook_id
from stream.webhooks.templating.template_file import load_template

_MOST_BYTES: Final = 8 << 20
"""Of what `--change` reads: a change has a mebibyte at the most."""

app = typer.Typer(
    help="Send stage changes to endpoints over HTTP, at least once and in order; and see, try and steer what is sent.",
    invoke_without_command=True,
)
app.callback()(run_webhooks)
app.command()(pause)
app.command()(resume)
app.command()(replay)
app.command()(deliveries)


@app.command("list")
@with_settings("webhooks", "lifecycles")
def list_(
    *,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")] = False,
    settings: Settings,
) -> None:
    """List the endpoints: name, template, to which host, which changes, and whether it is enabled.

    Of secrets the last four characters are shown, and nothing else.
    """
    endpoints = _endpoints(settings)
    if json:
        sys.stdout.buffer.write(b"".join(orjson.dumps(endpoint_object(each)) + b"\n" for each in endpoints))
    elif endpoints:
        Console().print(endpoint_table(endpoints))
    else:
        typer.echo(f"{settings.webhooks}: no endpoints", err=True)


@app.command()
@with_settings("webhooks", "lifecycles")
def validate(settings: Settings) -> None:
    """Check the file of endpoints, with the environment and the files that it names.

    Errors go to stderr as file:line:column: message; with one the exit code is 1. With the setting `lifecycles`
    conditions are checked against the names of their scores, facts and stages.
    """
    try:
        endpoints = _endpoints(settings)
    except EndpointFileError as error:
        messages = Console(stderr=True)
        # Without the lines themselves: somebody may have put a secret there.
        print_findings(messages, error.findings, "error")
        messages.print(amount(len(error.findings), "error"), highlight=False)
        raise typer.Exit(1) from None
    off = sum(not each.enabled for each in endpoints)
    typer.echo(f"{settings.webhooks}: {amount(len(endpoints), 'endpoint')}" + (f", {off} not enabled" if off else ""))


@app.command("test")
@with_settings("bootstrap", "topic_prefix", "webhooks", "lifecycles", "webhook_allowed_hosts")
def try_(
    name: Annotated[str, typer.Argument(help="The endpoint, as its file names it.", show_default=False)],
    *,
    customer: Annotated[
        str | None, typer.Option(metavar="ID", help="Take the latest change of this customer from Kafka.")
    ] = None,
    anonymous: Annotated[
        bool, typer.Option("--anonymous", help="It is the anonymous id of a visitor who never logged in.")
    ] = False,
    lifecycle: Annotated[
        str | None, typer.Option(metavar="ID", help="Of this lifecycle; else of that which changed last.")
    ] = None,
    change: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Take the change from a file, or from stdin by `-`; of several lines the last."
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be sent, and send nothing.")] = False,
    settings: Settings,
) -> None:
    """Send a change to an endpoint once, or with `--dry-run` show the requests that would be sent.

    The change is the latest of a customer that the endpoint wants, or one of a file. A change that the endpoint does
    not want is shown, but not sent. Credentials show as their last four characters. What is sent has the id that the
    change always has, so that a receiver that got it before may ignore it. The exit code is 1 where it was not
    delivered.
    """
    if (customer is None) == (change is None):
        raise typer.BadParameter("one of both is needed", param_hint="'--customer' / '--change'")
    endpoint = _named(_endpoints(settings), name, settings.webhooks)
    if customer is not None:
        kind: Kind = "anonymous" if anonymous else "customer"
        chosen = _wanted(endpoint, run(_latest(settings, kind, customer, lifecycle), settings.bootstrap), customer)
    else:
        chosen = _from_file(change or "")
    console, messages = Console(highlight=False), Console(stderr=True, highlight=False)
    console.print(line_of(chosen), soft_wrap=True)
    requests = _requests(endpoint, chosen)
    wanted = endpoint.wants(chosen)
    if not wanted:
        messages.print(Text(f"{name} does not want this change: when {endpoint.when}", "yellow"), soft_wrap=True)
    if dry_run:
        _show(console, endpoint, chosen, requests)
    elif not wanted or not _report(console, asyncio.run(_send(settings, endpoint, chosen, requests))):
        raise typer.Exit(1)


def _endpoints(settings: Settings) -> tuple[Endpoint, ...]:
    return read_endpoints(Path(settings.webhooks), load_template, known=_known(settings))


def _known(settings: Settings) -> KnownNames | None:
    """The names of the lifecycles, where the settings have any."""
    return names_of(each.lifecycle for each in load_all(settings.lifecycles)) if settings.lifecycles else None


def _named(endpoints: tuple[Endpoint, ...], name: str, file: str) -> Endpoint:
    for each in endpoints:
        if each.name == name:
            return each
    raise LifecycleError(f"{file}: {unknown(name, [each.name for each in endpoints], 'endpoint')}")


async def _latest(settings: Settings, kind: Kind, subject: str, lifecycle: str | None) -> list[SubscribedChange]:
    await require(settings, of_latest_changes(settings))
    return await latest_changes(settings, kind, subject, lifecycle)


def _wanted(endpoint: Endpoint, changes: list[SubscribedChange], subject: str) -> SubscribedChange:
    """The latest that the endpoint wants, else the latest. Raises LifecycleError where there is none."""
    if not changes:
        raise LifecycleError(
            f"nobody has the id {subject!r}, or no worker has seen them yet; --anonymous is for visitors"
        )
    return next((each for each in changes if endpoint.wants(each)), changes[0])


def _from_file(file: str) -> SubscribedChange:
    """The change that a file holds. Raises LifecycleError."""
    try:
        if file == "-":
            content = sys.stdin.buffer.read(_MOST_BYTES)
        else:
            with Path(file).open("rb") as opened:
                content = opened.read(_MOST_BYTES)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise LifecycleError(f"{file}: cannot be read: {reason}") from None
    lines = [line for line in content.splitlines() if line.strip()]
    found = read_whole_change(content, -1, -1) or read_whole_change(lines[-1] if lines else b"", -1, -1)
    if found is None:
        place = "stdin" if file == "-" else file
        raise LifecycleError(f"{place}: no stage change; `lifecycle schema stage-change` says what one is")
    return found


def _requests(endpoint: Endpoint, change: SubscribedChange) -> tuple[HttpRequest, ...]:
    try:
        return endpoint.template.requests(change, change.event_id, endpoint.values)
    except UnfitChangeError as error:
        raise LifecycleError(f"{endpoint.name}: nothing can be sent: {error}") from None


def _show(console: Console, endpoint: Endpoint, change: SubscribedChange, requests: tuple[HttpRequest, ...]) -> None:
    more: list[tuple[str, str]] = []
    if endpoint.secrets:
        signed = f"(made when it is sent, by {amount(len(endpoint.secrets), 'secret')})"
        more = [
            ("webhook-id", webhook_id(change.event_id)),
            ("webhook-timestamp", "(the time)"),
            ("webhook-signature", signed),
        ]
    for number, request in enumerate(requests, 1):
        console.print()
        if len(requests) > 1:
            console.print(Text(f"request {number} of {len(requests)}", "dim"))
        console.print(request_text(request, endpoint, more), soft_wrap=True)
    if not requests:
        console.print("the template has nothing to send for this change")


async def _send(
    settings: Settings, endpoint: Endpoint, change: SubscribedChange, requests: tuple[HttpRequest, ...]
) -> AttemptResult:
    allowed = AllowedHosts(settings.webhook_allowed_hosts)
    async with Sender(allowed, version=build_labels()["version"]) as sender:
        return await sender.attempt(endpoint, requests, change.event_id, lambda: time.time_ns() // 1_000_000)


def _report(console: Console, result: AttemptResult) -> bool:
    """Say what came of it; whether it was delivered."""
    delivered = result.outcome.verdict is Verdict.DELIVERED
    said = f"{result.outcome.verdict} after {result.seconds * 1_000:,.0f} ms: {result.outcome.reason}"
    console.print(Text(said, "green" if delivered else "red"), soft_wrap=True)
    if result.excerpt:
        console.print(Text(f"answer: {result.excerpt}", "dim"), soft_wrap=True)
    return delivered
