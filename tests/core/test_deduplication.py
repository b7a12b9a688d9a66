"""Remembered ids, kept as bytes side by side."""

from librt.vecs import vec
from mypy_extensions import i64

from stream.core.customer import ID_HASH_BYTES, Customer
from stream.core.deduplication import id_hash_of, is_remembered, remember
from stream.core.durations import DAY


def customer_with(*id_hashes: bytes, latest: int = 0) -> Customer:
    """A customer who remembers these ids, all from `latest`."""
    return Customer(
        "customer",
        "c",
        True,
        latest,
        latest,
        id_hashes=b"".join(id_hashes),
        id_times=vec[i64]([latest] * len(id_hashes)),
    )


def test_bytes_across_two_marks_are_not_a_mark() -> None:
    """They are there as bytes, and are nobody's hash."""
    one, two = b"abcdefgh", b"ijklmnop"
    customer = customer_with(one, two)
    for shift in range(1, ID_HASH_BYTES):
        assert not is_remembered(customer, (one + two)[shift : shift + ID_HASH_BYTES], 0)
    assert is_remembered(customer, one, 0)
    assert is_remembered(customer, two, 0)


def test_a_mark_is_found_behind_the_same_bytes_across_two_others() -> None:
    """The search goes on after a place that is none."""
    wanted = b"aaaaaaaa"
    customer = customer_with(b"xaaaaaaa", b"ayyyyyyy", wanted)
    assert customer.id_hashes.find(wanted) % ID_HASH_BYTES
    assert is_remembered(customer, wanted, 0)


def test_the_later_of_two_equal_marks_counts() -> None:
    """The first is from too long ago, the second is not."""
    customer = Customer("customer", "c", True, DAY + 1, 0, id_hashes=b"abcdefgh" * 2, id_times=vec[i64]([0, DAY + 1]))
    assert is_remembered(customer, b"abcdefgh", DAY + 1)


def test_marks_and_moments_stay_side_by_side() -> None:
    """Over the 128 that are kept, and over the 24 hours."""
    customer = customer_with()
    for number in range(300):
        remember(customer, id_hash_of(str(number)))
    assert customer.id_hashes == b"".join(id_hash_of(str(number)) for number in range(172, 300))
    assert len(customer.id_times) == 128
    customer.latest = DAY + 1
    remember(customer, None)
    assert (customer.id_hashes, list(customer.id_times)) == (b"", [])
