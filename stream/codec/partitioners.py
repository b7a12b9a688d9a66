"""How producers choose the partition of a key: the three ways of nearly all Kafka clients, and who keyed wrongly.

The home of a customer is the partition that the setting `partitioner` gives its id. A record of a customer on another
partition is misplaced: it begins a second life there, which knows nothing of the first.
"""

from typing import Final
from zlib import crc32

from librt.strings import read_i32_le
from mypy_extensions import i64

_POSITIVE: Final[i64] = 0x7FFF_FFFF
_32_BITS: Final[i64] = 0xFFFF_FFFF
_MURMUR_SEED: Final[i64] = 0x9747_B28C
_MURMUR_FACTOR: Final[i64] = 0x5BD1_E995
_FNV_START: Final[i64] = 0x811C_9DC5
_FNV_FACTOR: Final[i64] = 0x0100_0193

_OTHERS: Final = (
    ("crc32", "librdkafka's crc32", "; set `partitioner` to crc32 if all producers use it"),
    ("murmur2", "Java's murmur2", "; set `partitioner` to murmur2 if all producers use it"),
    ("fnv1a", "Sarama's fnv1a", "; set `partitioner` to fnv1a if all producers use it"),
    ("murmur2_unsigned", "@platformatic/kafka's own murmur2", "; its compatibilityPartitioner is Java's"),
    ("fnv1a_reference", "kafka-go's ReferenceHash", "; its Murmur2Balancer is Java's"),
)
"""What a misplaced record may have been keyed with: name, in words, and what helps; the likeliest first."""


def murmur2(data: bytes, start: i64 = 0) -> i64:
    """The 32-bit murmur2 of Java's Kafka client of the bytes from `start` on, as an unsigned number."""
    length: i64 = len(data) - start
    result: i64 = _MURMUR_SEED ^ length
    position: i64 = start
    words: i64 = start + (length & ~3)
    while position < words:
        word: i64 = ((i64(read_i32_le(data, position)) & _32_BITS) * _MURMUR_FACTOR) & _32_BITS
        word = ((word ^ (word >> 24)) * _MURMUR_FACTOR) & _32_BITS
        result = ((result * _MURMUR_FACTOR) & _32_BITS) ^ word
        position += 4
    rest: i64 = length & 3
    if rest > 0:
        if rest > 2:
            result ^= data[position + 2] << 16
        if rest > 1:
            result ^= data[position + 1] << 8
        result = ((result ^ data[position]) * _MURMUR_FACTOR) & _32_BITS
    result = ((result ^ (result >> 13)) * _MURMUR_FACTOR) & _32_BITS
    return result ^ (result >> 15)


def fnv1a(data: bytes, start: i64 = 0) -> i64:
    """The 32-bit FNV-1a of the bytes from `start` on, as an unsigned number."""
    result: i64 = _FNV_START
    for position in range(start, len(data)):
        result = ((result ^ data[position]) * _FNV_FACTOR) & _32_BITS
    return result


def home_of(partitioner: str, data: bytes, count: i64, start: i64 = 0) -> i64:
    """The partition, of `count`, that a producer gives the key that `data` holds from `start` on.

    `murmur2` as Java, kafka-python, aiokafka, franz-go and KafkaJS; `crc32` as librdkafka; `fnv1a` as Sarama.
    Raises ValueError for another name.
    """
    if count == 1:
        return 0
    if partitioner == "murmur2":
        return (murmur2(data, start) & _POSITIVE) % count
    if partitioner == "crc32":
        return crc32(data[start:] if start else data) % count
    if partitioner == "fnv1a":
        return _of_sarama(fnv1a(data, start), count)
    if partitioner == "murmur2_unsigned":
        return murmur2(data, start) % count
    if partitioner == "fnv1a_reference":
        return (fnv1a(data, start) & _POSITIVE) % count
    raise ValueError(f"no partitioner is named {partitioner!r}")


def _of_sarama(hashed: i64, count: i64) -> i64:
    """Sarama divides the hash as a signed number, as Go does, and drops the sign of what remains."""
    return (_32_BITS + 1 - hashed if hashed > _POSITIVE else hashed) % count


def likely_cause_of(
    records: list[tuple[bytes | None, bytes]], partition: int, count: int, partitioner: str
) -> str | None:
    """Why records of one partition, whose homes are others among `count`, are here: each its key and its customer's id.

    What most of them have in common: the more there are, the surer it is. None where there are none. A phrase that goes
    on a sentence about the record, such as "keyed by another partitioner, such as librdkafka's crc32; …", without any
    part of a key or an id.
    """
    causes: dict[str, int] = {}
    keyed: list[bytes] = []
    for key, subject in records:
        cause = _of_its_key(key, subject)
        if cause is None:
            keyed.append(subject)
        else:
            causes[cause] = causes.get(cause, 0) + 1
    if keyed:
        causes[_of_partitioners(keyed, partition, count, partitioner)] = len(keyed)
    return max(causes, key=lambda cause: causes[cause], default=None)


def _of_its_key(key: bytes | None, subject: bytes) -> str | None:
    """What is wrong with the key itself; None: it is the customer's id."""
    if key == subject:
        return None
    if key is None:
        return "without a key; it must be the customer's id"
    if not key:
        return "with an empty key; it must be the customer's id"
    if key == b'"' + subject + b'"':
        return "its key is the customer's id in quotes, as a JSON converter writes it; a text converter leaves them out"
    if len(key) == len(subject) + 5 and key[:1] == b"\0" and key.endswith(subject):
        return "its key begins with a schema's id, as serializers of a schema registry write it; it must be bare text"
    return "its key is not the customer's id"


def _of_partitioners(keyed: list[bytes], partition: int, count: int, partitioner: str) -> str:
    """The partitioner that would put nearly all of these keys here; one alone may be here by chance."""
    for name, words, remedy in _OTHERS:
        if name != partitioner:
            explained = [key for key in keyed if home_of(name, key, count) == partition]
            if len(explained) * 4 >= len(keyed) * 3:
                return f"keyed by another partitioner, such as {words}{remedy}"
    return (
        "keyed, but by a partitioner that does not look at the key, such as kafka-go's default, "
        "or sent to a partition by its number"
    )
