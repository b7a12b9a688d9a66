"""Lookups of a worker that knows a million customers: how long one takes, and what they cost the interactions.

Generators, Kafka and the worker share the machine. So `/livez`, which says nothing of the state, is asked as often
under the same load in the same run: nothing that the worker answers can be there sooner.
"""

import asyncio
import random
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
from rich.table import Table

from stream.settings import Settings
from tests.bench.http_load import Load, write_requests
from tests.bench.http_programs import Answers, generate
from tests.bench.http_requests import question
from tests.bench.http_state import State, write_state
from tests.bench.probes import PARTITIONS, Flow
from tests.bench.report import table, whole
from tests.bench.scale_runs import standing_still
from tests.bench.worker import BenchWorker
from tests.bench.workload import produce, workload
from tests.kit.kafka import KafkaBroker

LIFECYCLE = "metrics"
RATE = 500.0
"""Lookups a second."""
_CONNECTIONS = 64
_FEW_CONNECTIONS = 8
_QUESTIONS = 20_000
_SCORE_TIMES = 5
_FLOOR = "livez"
_TAIL = 0.85
"""The share of a backlog's expected time in which lookups are asked: they end before it does."""
_READY_SECONDS = 300.0

Say = Callable[[str], None]


class Plan(NamedTuple):
    """Customers, how many of them are different, interactions of a backlog, pairs of backlogs, seconds of the rest."""

    customers: int
    samples: int
    backlog: int
    pairs: int
    seconds: float


FULL, QUICK = Plan(1_000_000, 20_000, 250_000, 3, 20), Plan(50_000, 5_000, 60_000, 1, 5)


async def measure(kafka: KafkaBroker, folder: Path, quick: bool, say: Say) -> dict[str, Any]:
    """All figures of one worker."""
    plan = QUICK if quick else FULL
    settings = Settings(bootstrap=kafka.bootstrap, topic_prefix="lookup-", app="lookup-app", partitions=PARTITIONS)
    say(f"writing the state of {plan.customers:,} customers, preset {LIFECYCLE}")
    state = await write_state(settings, LIFECYCLE, plan.customers, plan.samples)
    chance = random.Random(1)
    paths = [f"/v1/customers/c-{chance.randrange(plan.customers):07d}" for _ in range(_QUESTIONS)]
    write_requests(folder / "questions", map(question, paths))
    write_requests(folder / _FLOOR, [question(f"/{_FLOOR}")])
    # Stopped while backlogs are written, it stays a member of its group.
    options = {"LIFECYCLES": LIFECYCLE, "PARTITIONS": str(PARTITIONS), "LOG_LEVEL": "warning", "SESSION_TIMEOUT": "60s"}
    async with BenchWorker(kafka.bootstrap, "lookup-", folder / "lookup.log", options) as worker:
        say("a worker recovers them")
        await worker.until_ready(_READY_SECONDS)
        bench = _Bench(worker, settings, plan, folder, say)
        result: dict[str, Any] = {"customers": plan.customers, "lifecycle": LIFECYCLE, "stages": state.stages}
        result["idle"] = await bench.idle()
        result |= await bench.backlogs()
        result["half"] = await bench.half(statistics.median(result["rates_without"]))
        result["pages"] = await bench.pages(state)
    return {**result, "conditions": _conditions(result)}


class _Bench:
    """The worker, and what was sent to it."""

    def __init__(self, worker: BenchWorker, settings: Settings, plan: Plan, folder: Path, say: Say) -> None:
        self._worker, self._settings, self._plan, self._say = worker, settings, plan, say
        self._load = Load(worker.port, str(folder / "questions"), _CONNECTIONS, plan.seconds, RATE)
        self._floor = self._load._replace(requests=str(folder / _FLOOR))
        self._sent = 0

    async def idle(self) -> dict[str, float]:
        """Lookups, and nothing else."""
        self._say(f"{RATE:,.0f} lookups/s, idle")
        await generate(self._load._replace(seconds=2))
        quiet, began = self._worker.cpu_seconds, time.perf_counter()
        await asyncio.sleep(self._plan.seconds / 2)
        cores = (self._worker.cpu_seconds - quiet) / (time.perf_counter() - began)
        cpu, began = self._worker.cpu_seconds, time.perf_counter()
        answers = await generate(self._load)
        used = self._worker.cpu_seconds - cpu - cores * (time.perf_counter() - began)
        self._say("as many lookups as it answers, idle")
        cpu = self._worker.cpu_seconds
        most = await generate(self._load._replace(rate=None, connections=_FEW_CONNECTIONS))
        busy = self._worker.cpu_seconds - cpu
        cpu = self._worker.cpu_seconds
        bare = await generate(self._floor._replace(rate=None, connections=_FEW_CONNECTIONS))
        bare_us = (self._worker.cpu_seconds - cpu) / bare.answered * 1e6
        return {
            **_times(answers),
            "worker_us": used / answers.answered * 1e6,
            "quiet_cores": cores,
            "most": most.answered / most.seconds,
            "most_worker_us": busy / most.answered * 1e6,
            "most_floor_us": bare_us,
        }

    async def backlogs(self) -> dict[str, Any]:
        """Interactions that wait, taken with lookups beside and without, in turn."""
        self._say("a backlog, to warm up")
        rate = (await self._backlog(None))["rate"]
        found: dict[bool, list[dict[str, float]]] = {False: [], True: []}
        for pair in range(self._plan.pairs):
            for asked in (False, True) if pair % 2 == 0 else (True, False):
                self._say(f"pair {pair + 1} of {self._plan.pairs}: a backlog {'with' if asked else 'without'} lookups")
                found[asked].append(await self._backlog(self._plan.backlog / rate * _TAIL if asked else None))
                self._say(f"    {found[asked][-1]['rate']:,.0f} interactions/s")
        without, asking = ([each["rate"] for each in found[asked]] for asked in (False, True))
        base = statistics.median(each["worker_us"] for each in found[False])
        return {
            "rates_without": without,
            "rates_with": asking,
            "lowered": 1 - statistics.median(b / a for a, b in zip(without, asking, strict=True)),
            "lowered_per_cpu_second": 1 - base / statistics.median(each["worker_us"] for each in found[True]),
            "worker_us": base,
            "runs_with": found[True],
            "lookup_us": statistics.median(
                (each["worker_us"] - base) * self._plan.backlog / each["lookups"] for each in found[True]
            ),
        }

    async def _backlog(self, asking_seconds: float | None) -> dict[str, float]:
        """Interactions a second of a backlog, and microseconds of the worker's processor time for each."""
        count = self._plan.backlog
        with standing_still([self._worker]):
            await self._produce(count)
            cpu = self._worker.cpu_seconds
        began = time.perf_counter()
        asking = None
        if asking_seconds is not None:
            asking = asyncio.create_task(generate(self._load._replace(seconds=asking_seconds), or_later=True))
        ended = await self._worker.until_taken(self._sent)
        made = {"rate": count / (ended - began), "worker_us": (self._worker.cpu_seconds - cpu) / count * 1e6}
        if asking is not None:
            answers = await asking
            made |= {"lookups": answers.answered, "later": answers.later, **_times(answers)}
        return made

    async def half(self, most: float) -> dict[str, Any]:
        """Lookups at half of the maximal rate of interactions, and before and after them the floor."""
        floor = [await self._flowing(most / 2, self._floor)]
        found = await self._flowing(most / 2, self._load)
        floor.append(await self._flowing(most / 2, self._floor))
        return {**found, "floor": {name: statistics.mean(each[name] for each in floor) for name in found}}

    async def _flowing(self, rate: float, load: Load) -> dict[str, float]:
        seconds = self._plan.seconds
        self._say(f"{RATE:,.0f} questions/s of {Path(load.requests).name} at {rate:,.0f} interactions/s")
        count = int(rate * (seconds + 3)) + 1_000
        background = list(workload(count, self._plan.customers, until=_now(), seed=self._sent))
        topic = self._settings.topics.interactions
        async with Flow(self._settings.bootstrap, topic, "none", _ignore) as flow:
            flowing = asyncio.create_task(flow.run(rate, seconds + 2, background=iter(background), probes=0.0))
            await asyncio.sleep(1)
            answers = await generate(load, or_later=True)
            sent = await flowing
        self._sent += sent.events
        await self._worker.until_taken(self._sent)
        return {"rate": sent.rate, "later": answers.later, **_times(answers)}

    async def pages(self, state: State) -> dict[str, Any]:
        """First pages of the stage with most customers, and what making their index takes."""
        stage = max(state.stages, key=lambda each: state.stages[each])
        path = f"/v1/lifecycles/{state.lifecycle}/stages/{stage}/customers"
        score = await self._a_score(state.lifecycle)
        self._say(f"pages of {stage}: {state.stages[stage]:,} customers")
        first, _ = await self._page(path)
        later = [(await self._page(path))[0] for _ in range(_SCORE_TIMES)]
        _, cursor = await self._page(path)
        second, _ = await self._page(f"{path}?cursor={cursor}")
        cold, _ = await self._page(f"{path}?order=score:{score}")
        warm = [(await self._page(f"{path}?order=score:{score}"))[0] for _ in range(_SCORE_TIMES)]
        return {
            "stage": stage,
            "in_stage": state.stages[stage],
            "entered_first_ms": first,
            "entered_later_ms": statistics.median(later),
            "second_page_ms": second,
            "bytes_a_customer": state.index_bytes,
            "score_cold_ms": cold,
            "score_warm_ms": statistics.median(warm),
        }

    async def _page(self, path: str) -> tuple[float, str]:
        """Milliseconds of an answer, and the cursor in it."""
        url = f"http://127.0.0.1:{self._worker.port}{path}"
        began = time.perf_counter()
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            response.raise_for_status()
            body = await response.json()
        took = (time.perf_counter() - began) * 1000
        if not body["complete"]:
            raise RuntimeError(f"{path} was answered by some partitions alone")
        return took, body["next"] or ""

    async def _a_score(self, lifecycle: str) -> str:
        url = f"http://127.0.0.1:{self._worker.port}/v1/lifecycles/{lifecycle}"
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            name: str = (await response.json())["scores"][0]["score"]
            return name

    async def _produce(self, count: int) -> None:
        records = workload(count, self._plan.customers, until=_now(), seed=self._sent)
        await produce(self._settings.bootstrap, self._settings.topics.interactions, PARTITIONS, records)
        self._sent += count


def _now() -> int:
    return time.time_ns() // 1_000_000


def _ignore(_customer: bytes, _when: float) -> None:
    """There are no probes."""


def _times(answers: Answers) -> dict[str, float]:
    return {"p50_ms": answers.quantile(0.5) * 1000, "p99_ms": answers.quantile(0.99) * 1000}


def _conditions(result: dict[str, Any]) -> list[dict[str, Any]]:
    """What was aimed at, what was seen, and whether it is at most that."""
    pages = result["pages"]
    aims: Sequence[tuple[str, float, float]] = (
        (f"lookup, p99 idle at {RATE:,.0f}/s, ms", result["idle"]["p99_ms"], 5),
        ("lookup, p99 at half of the maximal rate, ms", result["half"]["p99_ms"], 40),
        (f"throughput lowered by {RATE:,.0f} lookups/s, %", 100 * result["lowered"], 10),
        ("the same per CPU second of the worker, %", 100 * result["lowered_per_cpu_second"], 10),
        ("first page by entered, first ask, ms", pages["entered_first_ms"], 200),
        ("first page by entered, later, ms", pages["entered_later_ms"], 200),
        ("first page by a score, warm, ms", pages["score_warm_ms"], 200),
        ("bytes a customer of the index", pages["bytes_a_customer"], 40),
    )
    return [{"name": name, "seen": seen, "aim": aim, "met": seen <= aim} for name, seen, aim in aims]


def tables(result: dict[str, Any]) -> list[Table]:
    """Lookups, throughput, pages, conditions."""
    title = f"Lookup: {result['customers']:,} customers, preset {result['lifecycle']}, {RATE:,.0f} lookups/s"
    lookups = table(title, "", "interactions/s", "p50 ms", "p99 ms", "worker us a lookup")
    idle, half = result["idle"], result["half"]
    floor = half["floor"]
    lookups.add_row("idle", "0", f"{idle['p50_ms']:.2f}", f"{idle['p99_ms']:.2f}", whole(idle["worker_us"]))
    lookups.add_row("as many as it answers", "0", "", "", f"{whole(idle['most_worker_us'])} ({whole(idle['most'])}/s)")
    whole_floor = whole(idle["most_floor_us"])
    lookups.add_row("half", whole(half["rate"]), f"{half['p50_ms']:.2f}", f"{half['p99_ms']:.2f}", "")
    lookups.add_row(
        f"half, /{_FLOOR}", whole(floor["rate"]), f"{floor['p50_ms']:.2f}", f"{floor['p99_ms']:.2f}", whole_floor
    )
    busy = [statistics.median(each[name] for each in result["runs_with"]) for name in ("p50_ms", "p99_ms")]
    rate = whole(statistics.median(result["rates_with"]))
    lookups.add_row("all there is", rate, *(f"{each:.1f}" for each in busy), whole(result["lookup_us"]))
    pages = result["pages"]
    lists = table(f"Customers of stage {pages['stage']}: {pages['in_stage']:,}", "", "seen")
    for name, key in (
        ("first page by entered, first ask, ms", "entered_first_ms"),
        ("the same, later, ms", "entered_later_ms"),
        ("second page, ms", "second_page_ms"),
        ("bytes a customer of the index", "bytes_a_customer"),
        ("first page by a score, cold, ms", "score_cold_ms"),
        ("the same, warm, ms", "score_warm_ms"),
    ):
        lists.add_row(name, f"{pages[key]:.1f}")
    conditions = Table("condition", "seen", "aim, at most", "met", title="Conditions")
    for each in result["conditions"]:
        conditions.add_row(each["name"], f"{each['seen']:.1f}", f"{each['aim']:g}", "yes" if each["met"] else "no")
    return [lookups, lists, conditions]
