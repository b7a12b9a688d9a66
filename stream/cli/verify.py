"""`lifecycle verify`: prove that the topics hold what the interactions lead to."""

from typing import Annotated, NamedTuple

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from stream.cli.terminal.connection import run
from stream.cli.terminal.ledger_table import ledger_table
from stream.cli.terminal.options import OF_STATE, with_settings
from stream.cli.terminal.verify_summary import as_json, derivation, summary
from stream.codec.lifecycle_yaml.lifecycle_files import load_all
from stream.codec.state.keys import customer_key
from stream.core.model import Model, model_of
from stream.errors import LifecycleError
from stream.kafka.permissions import of_verify, require
from stream.kafka.transactions import resolve_delivery
from stream.operations.verification.findings import Findings
from stream.operations.verification.verifier import Shown, VerificationScope, Verifier
from stream.settings import Settings

_NOT_SEEN = 2


class Wanted(NamedTuple):
    """What is asked for."""

    partitions: list[int]
    customer: str | None
    wait: float


@with_settings(*OF_STATE)
def verify(
    *,
    partition: Annotated[
        list[int] | None, typer.Option(metavar="N", min=0, help="Only this partition of interactions; repeatable.")
    ] = None,
    customer: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Only this customer, by its customer or anonymous id; its scores are derived."),
    ] = None,
    show: Annotated[int, typer.Option(metavar="N", min=0, help="Show at most N differences; all are counted.")] = 20,
    wait: Annotated[
        float,
        typer.Option(
            metavar="SECONDS", min=0, help="How long workers may need for the interactions that have arrived by now."
        ),
    ] = 10,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")] = False,
    settings: Settings,
) -> None:
    """Recompute customers and stage changes from the interactions, and compare: is what the topics hold right?

    Everything is made again from the interactions that the topic still has, as far back as they reach, and held
    against the stage changes, the current stages, the customer records and the dead letters, to the last bit of each
    score. Nothing is written, and workers may go on: what arrives after the start is left out, what had arrived must
    be applied. Give it the settings that the workers have.

    The exit code is 0 where all is equal, 1 where something differs, else 2 where not everything was seen:
    interactions wait, or nothing was applied yet, or the settings are others than the workers'.
    """
    messages = Console(stderr=True)
    findings = Findings(show)
    try:
        loaded = [file.lifecycle for file in load_all(settings.lifecycles)]
        model = model_of(loaded, settings.forget_after, settings.forget_identified_after)
        customers = _run(settings, model, findings, Wanted(partition or [], customer, wait), messages)
    except LifecycleError as error:
        messages.print(Text(str(error), style="red"), soft_wrap=True)
        raise typer.Exit(_NOT_SEEN) from None
    if customer is not None and not customers and not findings.differing:
        findings.unseen.append(f"no customer {customer!r} is known: no record and no interaction is theirs")
    elif not findings.looked and not findings.behind:
        findings.unseen.append(f"nothing was applied yet: {settings.topics.interactions} has nothing to verify")
    if json:
        typer.echo(as_json(findings, customers, model))
    else:
        console = Console()
        for found in customers:
            console.print(derivation(found, model), "", sep="\n")
            if (ledgers := ledger_table(found.customer, model)) is not None:
                console.print(ledgers, "", sep="\n")
        console.print(summary(findings))
        for difference in findings.differences:
            console.print(Text(str(difference)), soft_wrap=True)
    for note in findings.notes:
        messages.print(Text(note, style="yellow"), soft_wrap=True)
    unseen = [*map(str, findings.behind), *findings.unseen]
    for each in unseen:
        messages.print(Text(each, style="red"), soft_wrap=True)
    if findings.differing:
        raise typer.Exit(1)
    if unseen:
        messages.print(Text("not everything could be verified", style="red"), soft_wrap=True)
        raise typer.Exit(_NOT_SEEN)


def _run(
    settings: Settings,
    model: Model,
    findings: Findings,
    wanted: Wanted,
    messages: Console,
) -> list[Shown]:
    """Verify; returns the chosen customers as they were recomputed. Raises LifecycleError."""
    subjects = None
    if wanted.customer is not None:
        subjects = frozenset(customer_key(kind, wanted.customer) for kind in ("customer", "anonymous"))
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:.0f} %"))
    with Progress(
        *columns, TimeElapsedColumn(), console=messages, transient=True, disable=not messages.is_terminal
    ) as progress:
        task = progress.add_task("verifying", total=1.0)

        async def work() -> list[Shown]:
            await require(settings, of_verify(settings))
            exactly_once = await resolve_delivery(settings) == "exactly_once"
            choice = VerificationScope(sorted(set(wanted.partitions)), subjects, exactly_once, wanted.wait)
            verifier = Verifier(
                settings,
                model,
                choice,
                findings,
                lambda what, share: progress.update(task, description=what, completed=share),
            )
            await verifier.run()
            return verifier.customers

        return run(work(), settings.bootstrap)
