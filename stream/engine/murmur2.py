"""Java's way from a key to a partition."""

from aiokafka.partitioner import murmur2


def partition_of(key: bytes | None, count: int) -> int:
    """The partition of `key` in a topic of `count` partitions, as Java's default partitioner has it."""
    if key is None or count == 1:
        return 0
    return int((murmur2(key) & 0x7FFFFFFF) % count)
