"""A known stream of interactions: seeded, with repeats, late ones, poison, bursts, and imports that begin again."""

import random
from collections.abc import Iterator
from time import time as clock
from typing import NamedTuple

import orjson

from stream.codec.import_rows import HEADER, encode_row
from tests.kit.times import DAY

END = 1_767_225_600_000
"""2026-01-01, in epoch milliseconds: the last interaction's time; the past, so that nothing is ahead of the broker."""
SPAN = 120 * DAY
"""From the first interaction to the last, by their own times."""
NAMES = {
    "page_view": 50,
    "email_open": 14,
    "form_submit": 10,
    "add_to_cart": 8,
    "purchase": 8,
    "product_viewed": 8,
    "refund": 2,
}
"""Event names by percent."""
REPEATED, LATE, POISON, ANONYMOUS = 0.03, 0.05, 0.005, 0.1
"""Shares: sent again, older than what came before, unreadable, of a visitor who is not known."""
BURST = 0.001
"""How often one customer does forty things at once."""
_BURST_SIZE = 40
IMPORTED = 0.15
"""Share of interactions that are rows of an import, without ids."""
BEGUN_AGAIN = 0.0005
"""How often an import breaks off, and begins again with rows that were written."""
_ROWS_OF_AN_IMPORT = 3_000
_AGAIN = 200
"""How many of its rows are written again, on average."""
_LIVE_LATE = 8_000
"""Milliseconds that late interactions are late at most, where they are live."""
_REMEMBERED = 500
_POISON = (
    b"",
    b"{",
    b'{"type":"page_view"}',
    b'{"type":"page_view","customer_id":"undefined","time":0}',
    b'{"type":"page_view","customer_id":"c","time":"yesterday"}',
    b'{"type":"","customer_id":"c","time":0}',
    b'\xff{"type":"page_view"}',
    b'{"type":"page_view","customer_id":"c","time":1e30}',
    b"[" * 100_000,
    b'{"type":"page_view","customer_id":"c","properties":' + b'{"a":' * 80 + b"1" + b"}" * 80 + b"}",
)


class Sent(NamedTuple):
    """A record for the interactions topic."""

    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()


def traffic(count: int, customers: int, seed: int, *, live: bool = False) -> Iterator[Sent]:
    """`count` records of so many customers; the same for the same seed, whatever else happens.

    `live`: interactions happen when they are written, and only late ones say when that was.
    """
    chance = random.Random(seed)
    names = [name for name, percent in NAMES.items() for _ in range(percent)]
    recent: list[Sent] = []
    rows: list[Sent] = []
    count_of_rows = 0
    number = 0
    while number < count:
        time = END - SPAN + number * SPAN // count
        dice = chance.random()
        if dice < POISON:
            yield Sent(b"poison-%d" % chance.randrange(50), chance.choice(_POISON))
            number += 1
            continue
        if dice < POISON + REPEATED and recent:
            yield chance.choice(recent)
            number += 1
            continue
        if rows and chance.random() < BEGUN_AGAIN:
            again = rows[-chance.randrange(1, 2 * _AGAIN) :][: count - number]
            yield from again
            number += len(again)
            continue
        whose = chance.randrange(customers)
        size = _BURST_SIZE if chance.random() < BURST else 1
        for _ in range(min(size, count - number)):
            late = chance.random() < LATE
            at: int | None = time - chance.randrange(10 * DAY) if late else time
            if live:
                at = int(clock() * 1_000) - chance.randrange(_LIVE_LATE) if late else None
            row: tuple[str, int] | None = None
            if chance.random() < IMPORTED:
                row = f"import-{count_of_rows // _ROWS_OF_AN_IMPORT}", count_of_rows % _ROWS_OF_AN_IMPORT
                count_of_rows += 1
            sent = _interaction(number, whose, chance.choice(names), at, row, chance)
            if row is not None:
                rows = [*rows[-2 * _AGAIN :], sent] if row[1] else [sent]
            recent.append(sent)
            number += 1
            yield sent
        del recent[:-_REMEMBERED]


def _interaction(
    number: int, whose: int, name: str, time: int | None, row: tuple[str, int] | None, chance: random.Random
) -> Sent:
    who = f"v-{whose}" if chance.random() < ANONYMOUS else f"c-{whose}"
    interaction: dict[str, object] = {
        **({} if row is not None else {"id": f"i-{number}"}),
        "type": name,
        "anonymous_id" if who[0] == "v" else "customer_id": who,
        **({} if time is None else {"time": time}),
        "properties": {"total": chance.randrange(1, 20_000) / 100, "path": f"/p/{chance.randrange(100)}"},
    }
    headers = () if row is None else ((HEADER, encode_row(row[0], 0, row[1])),)
    return Sent(who.encode(), orjson.dumps(interaction), headers)
