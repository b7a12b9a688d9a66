"""`lifecycle topics`: the topics that a worker needs, what is there of them, and what to do about it."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer
from orjson import dumps
from rich.console import Console
from rich.table import Table
from rich.text import Text

from stream.cli.terminal.connection import run
from stream.cli.terminal.options import with_settings
from stream.codec.lifecycle_yaml.lifecycle_files import LifecycleFileError, load_all
from stream.kafka.durability import few_brokers, reassignment
from stream.kafka.permissions import of_topics, require
from stream.kafka.topic_plan import FoundTopic, Survey, TopicFinding, TopicPlan, compare, plan_topics
from stream.kafka.topics import ensure_topics, survey
from stream.settings import Settings
from stream.webhooks.topics import compare_webhook_topics, ensure_webhook_topics, plan_webhook_topics

_DEFAULT_PARTITIONS = Settings().partitions
_STYLES = {"error": "bold red", "warning": "bold yellow", "missing": "bold", "note": "bold"}


@with_settings("bootstrap", "topic_prefix", "interactions", "lifecycles", "partitions", "replication", "retention")
def topics(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show; create nothing.")] = False,
    reassignment: Annotated[
        bool,
        typer.Option(
            "--reassignment",
            help="Only print what kafka-reassign-partitions.sh takes to give the topics more replicas.",
        ),
    ] = False,
    webhooks: Annotated[
        bool, typer.Option("--webhooks", help="Those too that `lifecycle webhooks` needs besides.")
    ] = False,
    settings: Settings,
) -> None:
    """Show the topics that a worker needs, create those that are missing, and say what does not fit.

    Workers and `lifecycle webhooks` create theirs, too; this is for looking, and for those who may create topics where
    these may not. With an error nothing is created and the exit code is 1; a warning is no error.
    """
    figures = _have_figures(settings)
    names = (*settings.topics.named(figures=figures), *(settings.webhook_topics.beside_source if webhooks else ()))

    async def look() -> Survey:
        await require(settings, of_topics(settings, names))
        return await survey(settings, names)

    async def create() -> None:
        await ensure_topics(settings, figures=figures)
        if webhooks:
            await ensure_webhook_topics(settings)

    found, brokers = run(look(), settings.bootstrap)
    if reassignment:
        typer.echo(_reassignment(settings, found, brokers))
        return
    plans = plan_topics(settings, found, len(brokers), figures=figures)
    findings = compare(settings, plans, found, len(brokers))
    if webhooks:
        changes = next(each for each in plans if each.name == settings.webhook_topics.source)
        there = found.get(changes.name)
        more = plan_webhook_topics(settings, changes.partitions if there is None else there.partitions, len(brokers))
        plans += more
        findings += compare_webhook_topics(settings, more, found, len(brokers))
    wrong = any(each.level == "error" for each in findings)
    created = not dry_run and not wrong and any(each.name not in found for each in plans)
    if created:
        run(create(), settings.bootstrap)
        findings = [each for each in findings if each.level != "missing"]
    console = Console()
    console.print(_table(plans, found, findings, created))
    interactions = found.get(settings.topics.interactions)
    asked = settings.partitions
    if interactions is not None and asked not in (interactions.partitions, _DEFAULT_PARTITIONS):
        console.print(
            Text(
                f"\npartitions is set to {asked}, but {settings.topics.interactions} has {interactions.partitions}, "
                "and that counts: the setting is for topics that are created"
            ),
            soft_wrap=True,
        )
    lacking = few_brokers(settings, len(brokers))
    if lacking is not None:
        console.print(Text(f"\n{lacking}"), soft_wrap=True)
    for each in findings:
        text = Text.assemble(f"\n{each.topic}: ", (each.level, _STYLES[each.level]), f": {each.problem}")
        text.append(f"\n  {each.remedy}")
        console.print(text, soft_wrap=True)
    if wrong:
        raise typer.Exit(1)


def _have_figures(settings: Settings) -> bool:
    """A lifecycle of the settings has figures, or may: none is named, or one cannot be read."""
    try:
        return not settings.lifecycles or any(
            each.lifecycle.figures is not None for each in load_all(settings.lifecycles)
        )
    except LifecycleFileError:
        return True


def _reassignment(settings: Settings, found: Mapping[str, FoundTopic], brokers: Sequence[int]) -> str:
    return dumps(reassignment(settings, brokers, {name: topic.replicas for name, topic in found.items()})).decode()


def _table(
    plans: Sequence[TopicPlan],
    found: Mapping[str, FoundTopic],
    findings: Sequence[TopicFinding],
    created: bool,
) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("Topic", "Partitions", "State"):
        table.add_column(heading, overflow="fold", header_style="dim", no_wrap=heading != "Topic")
    table.columns[1].justify = "right"
    for plan in plans:
        topic = found.get(plan.name)
        levels = [each.level for each in findings if each.topic == plan.name and each.level != "note"]
        if topic is None:
            state = Text("created", "bold green") if created else Text("missing", _STYLES["missing"])
        elif levels:
            state = Text(min(levels), _STYLES[min(levels)])  # an error before a warning
        else:
            state = Text("good", "green")
        partitions = plan.partitions if topic is None else topic.partitions
        # Settings stand below the name: as a column they are cut within words where the terminal has 80 columns.
        name = Text.assemble((plan.name, "bold"), "\n", (plan.purpose, "dim"), "\n", _settings(plan, topic))
        table.add_row(name, str(partitions), state)
    return table


def _settings(plan: TopicPlan, topic: FoundTopic | None) -> Text:
    """Each setting that we would give the topic, as it is; where it is another, also as we would have it."""
    lines = []
    for name, wanted in plan.configs.items():
        is_now = wanted if topic is None else topic.configs.get(name)
        line = Text(f"  {name}={wanted if is_now is None else is_now}", "dim" if is_now is None else "")
        if is_now not in (None, wanted):
            line.append(f" (we would set {wanted})", "yellow")
        lines.append(line)
    return Text("\n").join(lines)
