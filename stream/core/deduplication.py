"""The ids of a customer's interactions that are remembered, so that a repeated one has no effect (rule 8)."""

from typing import Final

from xxhash import xxh3_64_digest

from stream.core.customer import MARK, Customer
from stream.core.durations import DAY

_digest: Final = xxh3_64_digest
REMEMBERED: Final = 128
"""Ids that are remembered at most."""


def mark_of(id: str) -> bytes:  # noqa: A002 - the interaction's
    """The hash of an interaction's id: MARK bytes."""
    try:
        text = id.encode()
    except UnicodeEncodeError:  # half of a pair: no text, yet an id
        text = id.encode("utf-8", "surrogatepass")
    return _digest(text)[::-1]


def is_remembered(customer: Customer, mark: bytes, time: int) -> bool:
    """Whether an interaction at `time` repeats one that is remembered."""
    marks = customer.marks
    at = marks.find(mark)
    while at >= 0:
        if at % MARK:  # across two marks
            at = marks.find(mark, at + 1)
            continue
        oldest = max(customer.latest, time) - DAY
        if customer.moments[at // MARK] >= oldest:
            return True
        at = marks.find(mark, at + MARK)
    return False


def remember(customer: Customer, mark: bytes | None) -> None:
    """Remember the mark of an interaction that was applied, if it has one, and drop what is too old or too many."""
    moments = customer.moments
    if mark is not None:
        customer.marks += mark
        moments.append(customer.latest)
    oldest = customer.latest - DAY
    gone = max(0, len(moments) - REMEMBERED)
    while gone < len(moments) and moments[gone] < oldest:
        gone += 1
    if gone:
        del moments[:gone]
        customer.marks = customer.marks[gone * MARK :]
