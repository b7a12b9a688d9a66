"""No life takes more bytes of a record than `docs/language.md` says, whatever is in its lifecycle and happens to it."""

import re

import pytest
from librt.vecs import vec
from mypy_extensions import i64

from stream.codec.lifecycle_yaml.lifecycle_files import parse
from stream.codec.state.customers import CustomerCodec
from stream.codec.state.keys import customer_key
from stream.core import deduplication, imported, known_values
from stream.core.customer import ID_HASH_BYTES, Customer
from stream.core.exact import set_points
from stream.core.figures import MAX_FIGURES
from stream.core.interaction import MAX_TIME, MIN_TIME, ImportedRow
from stream.core.language.definition import MOST
from stream.core.language.memory_budget import MOST as MOST_KEPT
from stream.core.ledger_figures import KEPT_RETURNS
from stream.core.ledgers import MAX_WAITING
from stream.core.lifecycle import Lifecycle
from stream.core.limits import MAX_COOL_DOWN
from stream.core.memory import HASH_BYTES, LedgerEntry, LedgerState, SignalMemory, TimedPoints
from stream.core.model import model_of
from tests.docs.markdown import page, section
from tests.kit.lives import packed_windows

pytestmark = pytest.mark.long

SCORES = [f"score_{number}" for number in range(MOST["scores"])]
ALL_POINTS = f"add: {{{', '.join(f'{score}: properties.points' for score in SCORES)}}}"
WINDOWS = "at_most: {times: 1000000, per: 1ms}"
INTERACTIONS = 10**9
"""No customer has more in a life."""
LARGEST = INTERACTIONS * (10**21 - 1)
"""Millionths that so many interactions add up to at most; each is below 1e15."""
LARGEST_OF_LISTS = 1_000 * LARGEST
KEPT = {
    "ledgers": {f"ledger_{number}": "{each: order, by: properties.id, keep: 256}" for number in range(8)},
    "returns": {
        f"ledger_{number}": "{each: order, by: properties.id, minus: back, return: properties.back, keep: 192}"
        for number in range(8)
    },
    "figures": {
        f"ledger_{number}": "{each: order, by: properties.id, amount: properties.total, minus: back, keep: 256}"
        for number in range(8)
    },
    "points": {},
    "values": {},
    "times": {},
    "sums": {},
}
"""Ledgers of lifecycles that keep as much as may be kept, by what most of it is."""


def lifecycle(kept: str) -> Lifecycle:
    """One with as much of everything as may be there, that keeps as much as may be kept."""
    signals = {f"signal_{number}": f"{{each: visit, {ALL_POINTS}, {WINDOWS}}}" for number in range(MOST["signals"])}
    of_one = "add: {score_0: properties.points}"
    for number in range({"points": 8, "values": 32, "times": 64}.get(kept, 0)):
        signals[f"signal_{number}"] = {
            "points": f"{{each: visit, {of_one}, {WINDOWS}, expires: 52w, keep: 256}}",
            "values": f"{{each: visit, {ALL_POINTS}, once: properties.id}}",
            "times": f"{{each: visit, {ALL_POINTS}, at_most: {{times: 20, within: 1ms}}}}",
        }[kept]
    facts = {f"fact_{number}": "{latest: properties.text}" for number in range(MOST["facts"])}
    for number in range(8 if kept == "sums" else 0):
        facts[f"fact_{number}"] = "{sum: properties.points, each: visit, within: 52w, keep: 256}"
    parts = {"ledgers": KEPT[kept], "scores": dict.fromkeys(SCORES, "{}"), "signals": signals, "facts": facts}
    ways = "".join(
        f"  - {{from: a, to: b, when: idle >= {number}d, hold: 1d, at_most_every: 1d}}\n" for number in range(1, 257)
    )
    if kept == "figures":
        figures = {
            f"figure_{number}": "{each: visit, at_most: {times: 1000000, per: day}}" for number in range(8, MAX_FIGURES)
        }
        parts["figures"] = figures | {
            f"figure_{number}": f"{{each: order, ledger: ledger_{number}, add: properties.total, minus: back}}"
            for number in range(8)
        }
    text = f"lifecycle: full\nstages: {{a: {{}}, b: {{}}}}\ntransitions:\n{ways}" + "".join(
        f"{part}:\n" + "".join(f"  {name}: {told}\n" for name, told in of.items()) for part, of in parts.items() if of
    )
    return parse(text, "full.yaml").lifecycle


def full(of: Lifecycle) -> Customer:
    """A customer who filled it."""
    life = of.begin(MAX_TIME, f"{2**31}.{2**31}-{2**62}", True)
    life.sequence = life.fired = 2**62
    life.entered = life.active = MIN_TIME
    life.deadline = MAX_TIME + 2**40
    life.counts = vec[i64]([2**62] * len(life.counts))
    life.windows = packed_windows([[(MAX_TIME - 1, 1_000_000), (MAX_TIME, 1_000_000)]] * of.windows)
    for slot in range(len(life.millionths)):
        set_points(life, slot, -LARGEST_OF_LISTS)
    life.facts = [(MIN_TIME, "ä" * 128) if each.kind == "latest" else points(each.keep) for each in of.facts]
    memory = life.memory
    if memory is not None:
        memory.figures = [[(MAX_TIME - age, 1_000_000) for age in range(8, 0, -1)] for _ in memory.figures]
        memory.taken = [MIN_TIME] * len(of.taken)
        memory.held = [MIN_TIME] * len(of.held)
        kinds: dict[str, SignalMemory] = {
            "values": b"x" * HASH_BYTES * known_values.REMEMBERED,
            "times": [MIN_TIME] * MAX_COOL_DOWN,
            "points": points(256),
        }
        memory.signals = [kinds[kind] for _signal, kind in of.memories]
        returns = b"x" * HASH_BYTES * known_values.REMEMBERED
        memory.ledgers = [
            LedgerState(
                [entry(made=True, figures=bool(memory.figures)) for _ in range(each.keep)]
                + [entry(made=False, figures=bool(memory.figures)) for _ in range(MAX_WAITING)],
                b"" if each.return_id is None else returns,
                2**62,
                -LARGEST,
            )
            for each in of.ledgers
        ]
    ids, rows = deduplication.REMEMBERED, imported.REMEMBERED
    hashes, times = b"x" * ID_HASH_BYTES * ids, vec[i64]([MIN_TIME] * ids)
    imports = [ImportedRow(b"x" * 8, MAX_TIME, 2**62) for _ in range(rows)]
    return Customer("customer", "x" * 256, True, MAX_TIME, MIN_TIME, [life], hashes, times, 2**62, rows=imports)


def points(keep: int) -> TimedPoints:
    """As many as are kept."""
    return TimedPoints([MIN_TIME] * keep, [[-LARGEST_OF_LISTS] * keep])


def entry(*, made: bool, figures: bool) -> LedgerEntry:
    """A ledger's entry to which everything happened that can; `figures` know its returns."""
    largest = 10**21 - 1
    amounts = (MIN_TIME, largest, MIN_TIME + 1) if made else (0, -1, 0)
    returns = ((MIN_TIME, LARGEST),) * KEPT_RETURNS if figures else ()
    return LedgerEntry(
        b"x" * HASH_BYTES, made, *amounts, largest, MIN_TIME, LARGEST, all_returned=True, returns=returns
    )


def documented() -> int:
    """What the page says."""
    said = re.search(r"at most ([\d,]+) bytes", section(page("docs/language.md"), "## Limits"))
    assert said is not None
    return int(said[1].replace(",", ""))


def size(kept: str) -> int:
    """The bytes of the record of a customer who filled a lifecycle at its limits; what is written can be read."""
    of = lifecycle(kept)
    customer = full(of)
    codec = CustomerCodec(model_of([of]))
    record = codec.encode(customer)
    assert codec.encode(codec.decode(customer_key(customer.kind, customer.id), record)) == record
    return len(record)


def test_a_full_record_is_as_large_as_the_page_says() -> None:
    """Or a little smaller."""
    assert 0.95 * documented() < max(map(size, KEPT)) <= documented()


@pytest.mark.parametrize("kept", KEPT)
def test_these_lifecycles_keep_as_much_as_may_be_kept(kept: str) -> None:
    """Of times as much as 64 signals can."""
    of = lifecycle(kept)
    of_signals = {"values": known_values.REMEMBERED, "times": MAX_COOL_DOWN, "points": 256}
    of_ledgers = sum(each.keep + (known_values.REMEMBERED if each.return_id else 0) for each in of.ledgers)
    of_facts = sum(each.keep for each in of.facts)
    total = of_facts + of_ledgers + sum(of_signals[kind] for _signal, kind in of.memories)
    assert total == min(MOST_KEPT, MAX_COOL_DOWN * MOST["signals"] if kept == "times" else MOST_KEPT)
