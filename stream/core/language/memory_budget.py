"""What the records of customers may come to: the sum of all that a lifecycle keeps is bounded."""

from collections.abc import Iterable
from typing import Final

from stream.core import known_values
from stream.core.language.document import DocumentReader, Entry
from stream.core.language.facts import KEEP_OF_COUNT, ReadFact
from stream.core.language.ledgers import LedgerReader
from stream.core.language.signals import ReadSignal
from stream.core.limits import MAX_COOL_DOWN, CoolDown, OncePerValue

MOST: Final = 2_048
"""The largest sum of all `keep`."""
_NAMED: Final = 5
"""How many of the largest the error names."""


def check_memory(
    reader: DocumentReader, signals: Iterable[ReadSignal], facts: Iterable[ReadFact], ledgers: LedgerReader
) -> None:
    """Note a problem where a life could keep more than MOST entries, times and values.

    An entry of points that expire counts once for each score that it has points in.
    """
    kept: list[tuple[int, str]] = []
    for each in ledgers.by_name.values():
        kept.append((each.ledger.keep, f"ledger {each.ledger.name}"))
        if each.ledger.return_id is not None:
            kept.append((known_values.REMEMBERED, f"return: of ledger {each.ledger.name}"))
    for signal in signals:
        if signal.expires:
            kept.append((signal.keep * max(1, len(signal.points)), f"signal {signal.name}"))
        if isinstance(signal.limit.limit, OncePerValue):
            kept.append((known_values.REMEMBERED, f"once: of signal {signal.name}"))
        elif isinstance(signal.limit.limit, CoolDown):
            kept.append((MAX_COOL_DOWN, f"at_most: of signal {signal.name}"))
    for read in facts:
        fact = read.fact
        if fact.ledger < 0 and fact.within and not (fact.kind == "rolling" and fact.keep == KEEP_OF_COUNT):
            kept.append((fact.keep, f"fact {fact.name}"))
    total = sum(keep for keep, _what in kept)
    if total > MOST:
        kept.sort(key=lambda each: -each[0])
        largest = ", ".join(f"{what} {keep}" for keep, what in kept[:_NAMED])
        said = f"a customer would keep up to {total:,} entries, times and values here, and {MOST:,} are the most"
        reader.problem(Entry((), None), f"{said}; the largest: {largest}; give some a smaller keep:")
