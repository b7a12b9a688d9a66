"""Hashes of values that are remembered: of the keys of a ledger, of its returns, of what a signal counts once for."""

from math import isfinite
from typing import Final

from xxhash import xxh3_64_digest

from stream.core.memory import HASH_BYTES

REMEMBERED: Final = 64
"""Values that are remembered at most, those that arrived last."""
_NOT_TEXT: Final = b"\xff"
"""Begins what is hashed of a value that is no text: no text has this byte."""


def key_of(value: object) -> bytes | None:
    """What is hashed of a key: of a text its bytes, a whole number being its decimal text; None where it is absent.

    Absent are also an empty text, a list and an object. A boolean and a fraction equal no text.
    """
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass") or None
    if isinstance(value, bool):
        return _NOT_TEXT + (b"true" if value else b"false")
    if isinstance(value, float):
        if not isfinite(value):
            return None
        if not value.is_integer():
            return _NOT_TEXT + repr(value).encode()
        value = int(value)
    return str(value).encode() if isinstance(value, int) else None


def hash_of(key: bytes) -> bytes:
    """The hash of a key, HASH_BYTES bytes."""
    return xxh3_64_digest(key)


def hash_of_two(first: bytes, second: bytes) -> bytes:
    """The hash of two keys together."""
    return xxh3_64_digest(b"%d:%b%b" % (len(first), first, second))


def is_known(hashes: bytes, value_hash: bytes) -> bool:
    """Whether a hash is one of those that are remembered."""
    at = hashes.find(value_hash)
    while at > 0 and at % HASH_BYTES:  # across two hashes
        at = hashes.find(value_hash, at + 1)
    return at >= 0


def remember(hashes: bytes, value_hash: bytes) -> bytes:
    """The hashes with one more, which is not known; the first to arrive goes where it is one too many."""
    return (hashes + value_hash)[-REMEMBERED * HASH_BYTES :]


def unite(earlier: bytes, later: bytes) -> bytes:
    """The hashes of both, those of `later` last; each once, and as many as are remembered."""
    known = {later[at : at + HASH_BYTES] for at in range(0, len(later), HASH_BYTES)}
    first = [earlier[at : at + HASH_BYTES] for at in range(0, len(earlier), HASH_BYTES)]
    both = b"".join([each for each in first if each not in known]) + later
    return both[-REMEMBERED * HASH_BYTES :]
