"""Java's way from a key to a partition."""

from stream.codec.partitioners import home_of


def partition_of(key: bytes | None, count: int) -> int:
    """The partition of `key` in a topic of `count` partitions, as Java's default partitioner has it."""
    return 0 if key is None else home_of("murmur2", key, count)
