"""Lengths of time, tallied by size: median and p90 of millions of them in a kilobyte.

A bin is 1.1 times as wide as the one before. What is told of a length is the (geometric) middle of its bin, so it is
off by at most the square root of 1.1, 4.9 %, beside half a millisecond of rounding. All of more than 68 years is one.

A tally is one whole number, with 32 bits for each bin: two are added as numbers are, and none is `EMPTY`.
"""

import struct
from math import ceil, log
from typing import Final

EMPTY: Final = 0
ERROR: Final = 1.1**0.5 - 1
"""How far a length that is told may be from the one it stands for, as a share of that."""
_RATIO: Final = 1.1
_LOG: Final = log(_RATIO)
_BINS: Final = 300
"""The first is for nothing at all, less than a millisecond."""
_LANES: Final = struct.Struct(f"<{_BINS}I")
_ONE: Final = tuple(1 << 32 * each for each in range(_BINS))


def tally_of(length: int) -> int:
    """The tally of one length, milliseconds."""
    return _ONE[min(_BINS - 1, 1 + int(log(length) / _LOG))] if length > 0 else _ONE[0]


def at_shares(tally: int, shares: tuple[float, ...]) -> list[int] | None:
    """By share, the length that this share of all lengths does not exceed, milliseconds; None where there are none."""
    lanes = _LANES.unpack(tally.to_bytes(_LANES.size, "little"))
    count = sum(lanes)
    if not count:
        return None
    ranks = [max(1, ceil(share * count)) for share in shares]
    return [_length_at(lanes, rank) for rank in ranks]


def _length_at(lanes: tuple[int, ...], rank: int) -> int:
    """The length of this rank, from 1, which is not above their number."""
    number = -1
    while rank > 0:
        number += 1
        rank -= lanes[number]
    return round(_RATIO ** (number - 0.5)) if number else 0
