"""What `lifecycle doctor` found, for people and for machines."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from stream.cli.terminal.amounts import amount
from stream.cli.terminal.flaw_lines import flaw_lines
from stream.cli.terminal.unmatched_tables import missing_properties
from stream.core.durations import format_duration
from stream.core.mentions import written
from stream.operations.diagnosis import PARTITIONERS, Diagnosis

_DEFAULT_OF: Final = {
    "murmur2": "Java, kafka-python, aiokafka, franz-go, KafkaJS",
    "crc32": "librdkafka: Confluent's for Python, Go and .NET, PHP",
    "fnv1a": "Sarama, kafka-go's Hash",
    "murmur2_unsigned": "@platformatic/kafka",
    "fnv1a_reference": "kafka-go's ReferenceHash",
}
_MOST_NAMES: Final = 15
_MOST_PROPERTIES: Final = 10
_MANY: Final = 0.1
"""The share from which on a habit of producers is worth a change."""


def advice_of(found: Diagnosis) -> list[str]:
    """What should be changed, the most harmful first; empty where all is well."""
    advice = [f"{each}; `lifecycle skip` passes it" for each in found.unreadable]
    advice += [
        f"{amount(each.count, 'record')} would be {'a dead letter' if each.count == 1 else 'dead letters'} "
        f"({reason}), such as {each.where}: {each.detail}"
        for reason, each in sorted(found.rejected.items(), key=lambda item: -item[1].count)
    ]
    if found.misplaced:
        others = "customers that have" if found.misplaced > 1 else "a customer that has"
        advice.append(
            f"{amount(found.misplaced, 'interaction')} of {others} a home on another partition, so that they have two "
            f"lives: {found.cause}"
        )
    if found.unmatched:
        names = ", ".join(f"{name} ({count:,})" for name, count in found.unmatched.most_common(_MOST_NAMES))
        advice.append(
            f"{amount(sum(found.unmatched.values()), 'interaction')} with names that no lifecycle knows; write them "
            f"below `interactions:` of a lifecycle file, or leave them: {names}"
        )
    for lifecycle, missing in found.missing.items():
        lines = list(missing_properties(missing))
        names = "; ".join(lines[:_MOST_PROPERTIES])
        more = f"; and {len(lines) - _MOST_PROPERTIES:,} more" if len(lines) > _MOST_PROPERTIES else ""
        advice.append(f"{lifecycle} reads what no interaction has that its rules are about: {names}{more}")
    if found.ahead:
        advice.append(
            f"{amount(found.ahead, 'interaction')} more than 5 minutes ahead of the broker's time, which counts "
            "instead: a producer's clock is off, or its times are without zone and not UTC"
        )
    return [*advice, *flaw_lines(found.flaws)]


def json_of(found: Diagnosis, advice: list[str]) -> dict[str, Any]:
    """All of it."""
    return {
        "topic": found.topic,
        "partitions": found.partitions,
        "records": found.records,
        "interactions": found.interactions,
        "ticks": found.ticks,
        "formats": dict(found.formats.most_common()),
        "codecs": dict(found.codecs.most_common()),
        "records_in_batches": found.batched,
        "idempotent": found.idempotent,
        "transactional": found.transactional,
        "broker_times": found.broker_times,
        "keys": {"customer_id": found.keyed, "none": found.keyless, "other": found.odd_keys},
        "partitioner": found.partitioner,
        "partitioners": {name: found.explained[name] for name in PARTITIONERS},
        "misplaced": found.misplaced,
        "cause": found.cause,
        "ahead": found.ahead,
        "older_than_a_day": found.old,
        "median_delay_ms": found.delay,
        "names": dict(found.names.most_common()),
        "unknown_names": dict(found.unmatched.most_common()),
        "missing_properties": {
            lifecycle: [
                {"property": written(each.path), "rule": each.rule, "interactions": each.looked} for each in missing
            ]
            for lifecycle, missing in found.missing.items()
        },
        "flaws": dict(found.flaws.most_common()),
        "rejected": {
            reason: {"records": each.count, "first": each.where, "detail": each.detail}
            for reason, each in found.rejected.items()
        },
        "unreadable": found.unreadable,
        "advice": advice,
    }


def show_diagnosis(found: Diagnosis, advice: list[str], console: Console) -> None:
    """Print it: what there is, and what should be changed."""
    console.print(
        Text.assemble(
            (found.topic, "bold"),
            f": {amount(found.records, 'record')} looked at, in {amount(found.partitions, 'partition')}; "
            f"{amount(found.interactions, 'interaction')}, {amount(found.ticks, 'tick')}",
        ),
        soft_wrap=True,
    )
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 3, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    if found.records:
        table.add_row("Formats", _shares(found.formats, found.records - found.ticks, "\n"))
    if found.batched:
        table.add_row("Codecs", _shares(found.codecs, found.batched))
        table.add_row("Producers", _producers(found))
    if found.records:
        table.add_row("Record times", _times(found))
    if found.interactions:
        table.add_row("Keys", _keys(found))
        table.add_row("Partitioner", _partitioner(found))
        table.add_row("Clocks", _clocks(found))
        table.add_row("Names", _named(found.names))
    console.print(Padding(table, (1, 0, 1, 0)))
    if not found.records:
        console.print("The topic is empty.")
    elif not advice:
        console.print(Text("All of it can be used.", "green"))
    for each in advice:
        console.print(Text.assemble(("▲ ", "bold yellow"), each), soft_wrap=True)


def _shares(counts: Counter[str], whole: int, between: str = ", ") -> str:
    return between.join(f"{name} {_share(count, whole)}" for name, count in counts.most_common()) or "none"


def _share(count: int, whole: int) -> str:
    percent = 100 * count / max(1, whole)
    return f"{percent:.0f} %" if percent >= 1 or not count else "below 1 %"


def _producers(found: Diagnosis) -> str:
    idempotent = _share(found.idempotent, found.batched)
    words = f"{idempotent} of the records idempotent, {_share(found.transactional, found.batched)} in transactions"
    if found.idempotent < (1 - _MANY) * found.batched:
        words += "; one that is not may write records twice when an answer is lost: ids make them count once"
    return words


def _times(found: Diagnosis) -> str:
    if found.broker_times == found.records:
        return "the broker's"
    if not found.broker_times:
        return "the producers' (CreateTime)"
    return f"{_share(found.broker_times, found.records)} the broker's, the others the producers'"


def _keys(found: Diagnosis) -> str:
    parts: Iterable[tuple[int, str]] = (
        (found.keyed, "the customer's id"),
        (found.keyless, "none"),
        (found.odd_keys, "something else"),
    )
    return ", ".join(f"{words} {_share(count, found.interactions)}" for count, words in parts if count)


def _partitioner(found: Diagnosis) -> str:
    if found.partitions == 1:
        return "any: there is one partition"
    if not found.keyed:
        return "unknown: no record has its customer's id as key"
    likely = max(PARTITIONERS, key=lambda name: found.explained[name])
    share = _share(found.explained[likely], found.keyed)
    return f"{likely} explains {share} of the keyed records ({_DEFAULT_OF[likely]}); the setting is {found.partitioner}"


def _clocks(found: Diagnosis) -> str:
    words = f"half of the interactions are {_ago(found.delay or 0)} their record"
    if found.old:
        words += (
            f"; {_share(found.old, found.interactions)} are more than a day older: history, or senders long offline"
        )
    return words


def _ago(delay: int) -> str:
    rounded = delay if abs(delay) < 1_000 else round(delay, -3)
    if not rounded:
        return "at the time of"
    duration = format_duration(abs(rounded))
    return f"at least {duration} before" if rounded > 0 else f"at least {duration} after"


def _named(names: Counter[str]) -> str:
    shown = ", ".join(f"{name} {count:,}" for name, count in names.most_common(_MOST_NAMES))
    left = len(names) - _MOST_NAMES
    return f"{shown} and {left:,} more" if left > 0 else shown
