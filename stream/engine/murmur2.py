"""Java's way from a key to a partition: the 32-bit MurmurHash2 of the key, modulo the number of partitions."""

from typing import Final

from mypy_extensions import i64

_M: Final = 0x5BD1E995
_SEED: Final = 0x9747B28C
_MASK: Final = 0xFFFFFFFF


def partition_of(key: bytes | None, count: int) -> int:
    """The partition of `key` in a topic of `count` partitions, as Java's default partitioner has it."""
    if key is None or count == 1:
        return 0
    return (murmur2(key) & 0x7FFFFFFF) % count


def murmur2(data: bytes) -> int:
    """MurmurHash2 of `data`, 0 to 2^32 - 1; aiokafka's does the same, in interpreted Python."""
    # i64 is `int` to Python and a register to the compiler; no product of two 32-bit numbers here reaches 2^63.
    m: i64 = _M
    mask: i64 = _MASK
    length: i64 = len(data)
    h: i64 = _SEED ^ length
    k: i64 = 0
    at: i64 = 0
    while at + 4 <= length:
        k = data[at] | data[at + 1] << 8 | data[at + 2] << 16 | data[at + 3] << 24
        k = (k * m) & mask
        k = ((k ^ (k >> 24)) * m) & mask
        h = ((h * m) & mask) ^ k
        at += 4
    left = length - at
    if left >= 3:
        h ^= data[at + 2] << 16
    if left >= 2:
        h ^= data[at + 1] << 8
    if left >= 1:
        h = ((h ^ data[at]) * m) & mask
    h = ((h ^ (h >> 13)) * m) & mask
    return h ^ (h >> 15)
