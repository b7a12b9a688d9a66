"""One run: every SDK tells the story, is slowed down, and goes through faults; then the verdict."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from stream.kafka.embedded.process import HOST, free_port
from tests.kit.topics import Records, read_all
from tests.sdks import documented
from tests.sdks.calls import Call, pinged, pings, story
from tests.sdks.checking import Checked, of_source, unreadable
from tests.sdks.examples import Example, run_examples
from tests.sdks.keys import PARTS, Key, Part
from tests.sdks.product import Product
from tests.sdks.sdks import Sdk
from tests.sdks.sending import Sender, SenderError, Sent
from tests.sdks.wire import Exchange, Tap

Say = Callable[[str], None]
_BURST: Final = 30
"""Calls; a key of the part `limited` lets through the first burst, and has the second one wait."""
_SECONDS: Final = 120


@dataclass
class Outcome:
    """How it went for one SDK."""

    sdk: Sdk
    calls: dict[Part, list[Call]] = field(default_factory=dict)
    sent: dict[Part, Sent] = field(default_factory=dict)
    exchanges: dict[Part, list[Exchange]] = field(default_factory=dict)
    repeats: int = 0
    """Records that are on the topic once more."""
    differences: list[str] = field(default_factory=list)

    @property
    def statuses(self) -> Counter[int]:
        """Of all answers to POSTs."""
        found = (each for part in self.exchanges.values() for each in part)
        return Counter(each.status for each in found if each.method == "POST")


async def run(sdks: Sequence[Sdk], folder: Path, say: Say, *, examples: bool) -> tuple[list[Outcome], list[Example]]:
    """Run these SDKs, and with `examples` what is in docs/examples; logs are left in the folder."""
    ports = {sdk: free_port() for sdk in sdks}
    keys = {(sdk, part): Key(sdk, part, _origins(sdk, ports[sdk])) for sdk in sdks for part in PARTS}
    outcomes = [Outcome(sdk) for sdk in sdks]
    say("starting Apache Kafka, a worker and a collector")
    async with Product(folder, keys.values()) as product:
        for outcome in outcomes:
            say(f"{outcome.sdk.package} {outcome.sdk.version}: its program of the document, and each kind of call")
            await _Part("document", product, keys, ports, folder).document(outcome)
            await _Part("story", product, keys, ports, folder).send(outcome, story(outcome.sdk))
        say("all: faster than their keys allow (429, Retry-After)")
        limited = _Part("limited", product, keys, ports, folder)
        await asyncio.gather(*(limited.send(each, _bursts(each.sdk)) for each in outcomes))
        await _faults(outcomes, _Part("faults", product, keys, ports, folder), say)
        say("comparing")
        await _check(outcomes, product)
        return outcomes, await run_examples(product.settings, say) if examples else []


class _Part:
    """Runs senders with the keys of one part, and notes what they did."""

    def __init__(
        self, part: Part, product: Product, keys: dict[tuple[Sdk, Part], Key], ports: dict[Sdk, int], folder: Path
    ) -> None:
        self.part, self.product = part, product
        self._keys, self._ports, self._folder = keys, ports, folder

    def sender(self, sdk: Sdk, tap: Tap) -> Sender:
        log = self._folder / f"{sdk.slug}.log"
        return Sender(sdk, tap.url, self._keys[sdk, self.part].text, log, page_port=self._ports[sdk])

    async def send(self, outcome: Outcome, bursts: list[list[Call]]) -> None:
        async with Tap(self.product.port) as tap:
            try:
                sent = await self.sender(outcome.sdk, tap).send(bursts)
            except SenderError as error:
                outcome.differences.append(f"{self.part}: {error}")
                return
            self.note(outcome, [call for burst in bursts for call in burst], sent, tap)

    async def document(self, outcome: Outcome) -> None:
        async with Tap(self.product.port) as tap:
            key = self._keys[outcome.sdk, self.part].text
            try:
                await self.sender(outcome.sdk, tap).run(documented.program(outcome.sdk, tap.url, key))
            except (SenderError, LookupError) as error:
                outcome.differences.append(f"document: {error}")

    def note(self, outcome: Outcome, calls: list[Call], sent: Sent, tap: Tap) -> None:
        outcome.calls[self.part], outcome.sent[self.part] = calls, sent
        outcome.exchanges[self.part] = tap.exchanges()


async def _faults(outcomes: list[Outcome], part: _Part, say: Say) -> None:
    """All send while the broker is started again and the collector is killed; each gets through after each."""
    say("all: while the broker is restarted, and the collector killed")
    product = part.product
    async with AsyncExitStack() as stack:
        taps = [await stack.enter_async_context(Tap(product.port)) for _ in outcomes]
        senders = [part.sender(each.sdk, tap) for each, tap in zip(outcomes, taps, strict=True)]
        for outcome, sender in zip(outcomes, senders, strict=True):
            await sender.ping(pinged(outcome.sdk), outcome.sdk.pause)
            stack.push_async_callback(sender.kill)
        await _until(outcomes, taps, "taken", _taken)
        say("  the broker is stopped, until every SDK was told to come back, and started")
        await asyncio.to_thread(product.kafka.stop)
        await _until(outcomes, taps, "told to come back", _sent_away)
        await asyncio.to_thread(product.kafka.start)
        await product.until_taking()
        await _until(outcomes, taps, "taken", _taken)
        say("  the collector is killed while requests wait for their answers, and started")
        product.kafka.freeze()
        await _until_waiting(taps)
        await product.kill_collector()
        product.kafka.thaw()
        await product.start_collector()
        await _until(outcomes, taps, "taken", _taken)
        say("  all end")
        for outcome, sender, tap in zip(outcomes, senders, taps, strict=True):
            try:
                sent = await sender.ended()
            except SenderError as error:
                outcome.differences.append(f"faults: {error}")
                continue
            part.note(outcome, pings(outcome.sdk, sent.made), sent, tap)


async def _until_waiting(taps: list[Tap]) -> None:
    """Return once a request waits that came after this call: those before may be answered still."""
    before = [tap.posts() for tap in taps]
    async with asyncio.timeout(_SECONDS):
        while not any(tap.posts() > count and tap.posts(0) for tap, count in zip(taps, before, strict=True)):
            await asyncio.sleep(0.1)


async def _until(outcomes: list[Outcome], taps: list[Tap], what: str, count: Callable[[Tap], int]) -> None:
    """Return once there is one more for every SDK, and note it of one for which there is none in time."""
    before = [count(tap) for tap in taps]
    try:
        async with asyncio.timeout(_SECONDS):
            while any(count(tap) <= number for tap, number in zip(taps, before, strict=True)):
                await asyncio.sleep(0.1)
    except TimeoutError:
        for outcome, tap, number in zip(outcomes, taps, before, strict=True):
            if count(tap) <= number:
                outcome.differences.append(f"faults: it was not {what} within {_SECONDS} s")


def _taken(tap: Tap) -> int:
    return tap.posts(200)


def _sent_away(tap: Tap) -> int:
    return tap.posts(503)


async def _check(outcomes: list[Outcome], product: Product) -> None:
    settings = product.settings
    records = await read_all(settings.bootstrap, settings.topics.interactions)
    letters = await read_all(settings.bootstrap, settings.topics.dead_letters)
    unique = 0
    for outcome in outcomes:
        found = of_source(records, Key(outcome.sdk, "document").source)
        unique += len(found)
        outcome.differences += [f"document: {each}" for each in documented.differences(found)]
        for part in outcome.calls:
            unique += _check_part(outcome, part, records, letters)
    total = sum(map(len, records.values()))
    counts = await product.until_read(total)
    if counts["applied"] != unique or counts["duplicate"] != total - unique:
        outcomes[0].differences.append(f"of {total} records with {unique} ids the worker says {counts}")
    if not any(outcome.statuses[0] for outcome in outcomes):
        outcomes[0].differences.append("faults: no request was cut off when the collector was killed")
    for outcome in outcomes:
        outcome.differences += await _looked_up(outcome, product)


def _check_part(outcome: Outcome, part: Part, records: Records, letters: Records) -> int:
    """Note differences; how many interactions there are of this part, each counted once."""
    source, calls = Key(outcome.sdk, part).source, outcome.calls[part]
    checked = Checked(outcome.sdk, calls, outcome.sent[part], outcome.exchanges[part], of_source(records, source))
    outcome.repeats += checked.repeats
    wrong = [
        *checked.differences(),
        *unreadable(outcome.sdk, calls, of_source(letters, source)),
        *outcome.sent[part].given_up,
    ]
    statuses = {each.status for each in outcome.exchanges[part]}
    if part == "limited" and 429 not in statuses:
        wrong.append("it never met a 429")
    if part == "faults" and 503 not in statuses:
        wrong.append("it never met a 503")
    outcome.differences += [f"{part}: {each}" for each in wrong]
    return len(checked.ids)


async def _looked_up(outcome: Outcome, product: Product) -> list[str]:
    """What the worker says wrongly of this SDK's customers."""
    slug = outcome.sdk.slug
    kind = "anonymous" if outcome.sdk.is_of_a_browser else "customers"
    made = Counter(call.subject for part in ("limited", "faults") for call in outcome.calls.get(part, ()))
    wanted = {f"{kind}/{subject}": ("visitor", 0.0, 0, count) for subject, count in made.items()}
    if "story" in outcome.calls:
        wanted[f"customers/{slug}-ada"] = ("customer", 20.0, 2, 0)
    wrong: list[str] = []
    for path, expected in wanted.items():
        status, body = await product.ask(f"/v1/{path}")
        if status != 200:
            wrong.append(f"lookup of {path}: {status}")
            continue
        [life] = body["lifecycles"]
        found = (life["stage"], life["scores"]["spent"], life["facts"]["orders"], life["facts"]["pings"])
        if found != expected:
            wrong.append(f"lookup of {path}: stage, spent, orders, pings are {found}, and should be {expected}")
    return wrong


def _bursts(sdk: Sdk) -> list[list[Call]]:
    made = pings(sdk, 2 * _BURST)
    return [made[:_BURST], made[_BURST:]]


def _origins(sdk: Sdk, port: int) -> tuple[str, ...]:
    return (f"http://{HOST}:{port}",) if sdk.language == "browser" else ()
