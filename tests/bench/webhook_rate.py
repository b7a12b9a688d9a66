"""How many webhooks one process sends to one endpoint, beside a bare loop of its HTTP client, by turns in one run."""

import asyncio
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from stream.codec.records import Outgoing
from stream.codec.stage_change_reader import read_whole_change
from stream.settings import Settings
from stream.webhooks.endpoint import CONCURRENCY
from stream.webhooks.templating.template_file import load_template
from stream.webhooks.topics import ensure_webhook_topics
from tests.bench.http_load import write_requests
from tests.bench.probes import PARTITIONS
from tests.bench.report import table, whole
from tests.bench.webhook_bare import bare
from tests.bench.webhook_changes import changes, id_of, write_at_once
from tests.bench.webhook_receiver import Receiver, receiver
from tests.bench.worker import cpu_seconds
from tests.kit.kafka import KafkaBroker
from tests.kit.webhooks import WebhookProcess, endpoint

RATE_AIM, RATIO_AIM = 2_000, 0.6
_FULL, _QUICK = (20_000, 5), (4_000, 2)
"""Changes of a round, and rounds; before them one that does not count."""

Say = Callable[[str], None]


async def measure(kafka: KafkaBroker, folder: Path, quick: bool, say: Say) -> dict[str, Any]:
    """Deliveries a second and a CPU second, ours and the bare loop's. Raises RuntimeError where one is missing."""
    count, rounds = _QUICK if quick else _FULL
    settings = Settings(bootstrap=kafka.bootstrap, topic_prefix="rate-", app="rate-app", partitions=PARTITIONS)
    await ensure_webhook_topics(settings)
    say(f"making {count * (rounds + 1):,} stage changes")
    made = await asyncio.to_thread(changes, count * (rounds + 1))
    found: list[dict[str, Any]] = []
    async with receiver() as hook:
        file = folder / "rate.yaml"
        file.write_text("endpoints:\n" + endpoint("shop", hook.url()), encoding="utf-8")
        process = WebhookProcess(settings, file, folder / "rate.log")
        process.environment |= {"LIFECYCLE_SESSION_TIMEOUT": "30s", "LIFECYCLE_LOG_LEVEL": "warning"}
        async with process:
            await process.until_ready(PARTITIONS)
            for turn in range(rounds + 1):
                share = made[turn * count : (turn + 1) * count]
                ours = await _ours(process, settings, kafka, hook, share)
                bodies = folder / "bodies"
                write_requests(bodies, _bodies(share, hook.url()))
                theirs = await bare(hook.url(), bodies, CONCURRENCY)
                if turn:
                    found.append({**ours, "bare_rate": theirs.rate, "bare_per_cpu_second": theirs.per_cpu_second})
                say(
                    f"round {turn or 'of warming up'}: ours {ours['rate']:,.0f}/s, {ours['per_cpu_second']:,.0f} a CPU "
                    f"second; the bare loop {theirs.rate:,.0f} and {theirs.per_cpu_second:,.0f}"
                )
    size = statistics.fmean(len(each.value or b"") for each in made)
    return {"changes": count, "mean_bytes": size, "concurrency": CONCURRENCY, "rounds": found, **_summary(found)}


async def _ours(
    process: WebhookProcess, settings: Settings, kafka: KafkaBroker, hook: Receiver, records: Sequence[Outgoing]
) -> dict[str, float]:
    """One round: all of the changes are there at once, and the clock runs from the first request to the last."""
    before, pid = await hook.count(), process.process.pid
    cpu, broker = cpu_seconds(pid), cpu_seconds(kafka.pid)
    await write_at_once(settings, records)
    await hook.until(before + len(records), every=0.2)
    async with asyncio.timeout(60):
        while 'lifecycle_webhook_waiting{endpoint="shop"} 0.0' not in await process.metrics():
            await asyncio.sleep(0.05)
    cpu, broker = cpu_seconds(pid) - cpu, cpu_seconds(kafka.pid) - broker
    came = await hook.requests(before)
    if sorted(each.id for each in came) != sorted(map(id_of, records)):
        raise RuntimeError(f"{len(records)} changes, and {len(came)} requests that are not one of each")
    return {
        "rate": len(came) / (came[-1].at - came[0].at),
        "per_cpu_second": len(came) / cpu,
        "broker_us": broker / len(came) * 1e6,
    }


def _bodies(records: Sequence[Outgoing], url: str) -> list[bytes]:
    """What the template makes of them."""
    template = load_template("generic", Path())
    found: list[bytes] = []
    for each in records:
        change = read_whole_change(each.value, 0, 0)
        assert change is not None
        [request] = template.requests(change, change.event_id, {"url": url})
        found.append(request.body)
    return found


def _summary(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Medians over the rounds; ratios are medians of each round's."""
    names = ("rate", "per_cpu_second", "broker_us", "bare_rate", "bare_per_cpu_second")
    middle = {name: statistics.median(each[name] for each in found) for name in names}
    ratio = statistics.median(each["rate"] / each["bare_rate"] for each in found)
    of_cpu = statistics.median(each["per_cpu_second"] / each["bare_per_cpu_second"] for each in found)
    seen = (
        ("deliveries a second", middle["rate"], RATE_AIM),
        ("deliveries a second, ours / bare loop", ratio, RATIO_AIM),
        ("deliveries a CPU second, ours / bare loop", of_cpu, RATIO_AIM),
    )
    conditions = [{"name": name, "seen": each, "aim": aim, "met": each >= aim} for name, each, aim in seen]
    return {**middle, "conditions": conditions}


def tables(result: dict[str, Any]) -> list[Table]:
    """Both systems, and the conditions."""
    size, at_once = result["mean_bytes"], result["concurrency"]
    made = table(
        f"One process, one endpoint, {at_once} requests at once, {size:,.0f} bytes a change",
        "system",
        *("deliveries/s", "per CPU second", "CPU us each", "Kafka us each"),
    )
    for name, begins in (("ours, signed, exactly once committed", ""), ("bare loop of aiohttp, unsigned", "bare_")):
        rate, per_cpu = result[f"{begins}rate"], result[f"{begins}per_cpu_second"]
        kafka = "" if begins else f"{result['broker_us']:.0f}"
        made.add_row(name, whole(rate), whole(per_cpu), f"{1e6 / per_cpu:.0f}", kafka)
    conditions = Table("condition", "seen", "aim, at least", "met", title="Conditions")
    for each in result["conditions"]:
        shown = whole(each["seen"]) if each["aim"] > 1 else f"{each['seen']:.2f}"
        conditions.add_row(each["name"], shown, str(each["aim"]), "yes" if each["met"] else "no")
    return [made, conditions]
