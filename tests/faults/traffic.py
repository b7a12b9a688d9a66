"""A known stream of interactions: seeded, with repeats, late ones, poison and bursts."""

import random
from collections.abc import Iterator
from time import time as clock
from typing import NamedTuple

import orjson

DAY = 86_400_000
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
    b'{"type":"page_view","customer_id":"c","time":1e999}',
    b"[" * 100_000,
    b'{"type":"page_view","customer_id":"c","properties":' + b'{"a":' * 80 + b"1" + b"}" * 80 + b"}",
)


class Sent(NamedTuple):
    """A record for the interactions topic."""

    key: bytes
    value: bytes


def traffic(count: int, customers: int, seed: int, *, live: bool = False) -> Iterator[Sent]:
    """`count` records of so many customers; the same for the same seed, whatever else happens.

    `live`: interactions happen when they are written, and only late ones say when that was.
    """
    chance = random.Random(seed)
    names = [name for name, percent in NAMES.items() for _ in range(percent)]
    recent: list[Sent] = []
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
        whose = chance.randrange(customers)
        size = _BURST_SIZE if chance.random() < BURST else 1
        for _ in range(min(size, count - number)):
            late = chance.random() < LATE
            at: int | None = time - chance.randrange(10 * DAY) if late else time
            if live:
                at = int(clock() * 1_000) - chance.randrange(_LIVE_LATE) if late else None
            sent = _interaction(number, whose, chance.choice(names), at, chance)
            recent.append(sent)
            number += 1
            yield sent
        del recent[:-_REMEMBERED]


def _interaction(number: int, whose: int, name: str, time: int | None, chance: random.Random) -> Sent:
    who = f"v-{whose}" if chance.random() < ANONYMOUS else f"c-{whose}"
    interaction: dict[str, object] = {
        "id": f"i-{number}",
        "type": name,
        "anonymous_id" if who[0] == "v" else "customer_id": who,
        **({} if time is None else {"time": time}),
        "properties": {"total": chance.randrange(1, 20_000) / 100, "path": f"/p/{chance.randrange(100)}"},
    }
    return Sent(who.encode(), orjson.dumps(interaction))
