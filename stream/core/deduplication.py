"""The ids of a customer's interactions that are remembered, so that a repeated one has no effect (rule 8)."""

from typing import Final

from librt.vecs import append
from mypy_extensions import i64
from xxhash import xxh3_64_digest

from stream.core.customer import ID_HASH_BYTES, Customer
from stream.core.durations import DAY

_digest: Final = xxh3_64_digest
REMEMBERED: Final = 128
"""Ids that are remembered at most."""


def id_hash_of(id: str) -> bytes:  # noqa: A002 - the interaction's
    """The hash of an interaction's id: ID_HASH_BYTES bytes."""
    try:
        text = id.encode()
    except UnicodeEncodeError:  # half of a pair: no text, yet an id
        text = id.encode("utf-8", "surrogatepass")
    return _digest(text)[::-1]


def is_remembered(customer: Customer, id_hash: bytes, time: i64) -> bool:
    """Whether an interaction at `time` repeats one that is remembered."""
    id_hashes = customer.id_hashes
    at = id_hashes.find(id_hash)
    while at >= 0:
        if at % ID_HASH_BYTES:  # across two hashes
            at = id_hashes.find(id_hash, at + 1)
            continue
        oldest = max(customer.latest, time) - DAY
        if customer.id_times[at // ID_HASH_BYTES] >= oldest:
            return True
        at = id_hashes.find(id_hash, at + ID_HASH_BYTES)
    return False


def remember(customer: Customer, id_hash: bytes | None) -> None:
    """Remember the id of an interaction that was applied, if it has one, and drop what is too old or too many."""
    id_times = customer.id_times
    count: i64 = len(id_times)
    if id_hash is not None:
        customer.id_hashes += id_hash
        id_times = append(id_times, customer.latest)
        count += 1
        customer.id_times = id_times
    oldest = customer.latest - DAY
    gone: i64 = max(0, count - REMEMBERED)
    while gone < count and id_times[gone] < oldest:
        gone += 1
    if gone:
        customer.id_times = id_times[gone:]
        customer.id_hashes = customer.id_hashes[gone * ID_HASH_BYTES :]
