"""Remembered ids, kept as bytes side by side."""

from stream.core.customer import MARK, Customer
from stream.core.deduplication import is_remembered, mark_of, remember
from stream.core.durations import DAY


def customer_with(*marks: bytes, latest: int = 0) -> Customer:
    """A customer who remembers these marks, all from `latest`."""
    return Customer("customer", "c", True, latest, latest, marks=b"".join(marks), moments=[latest] * len(marks))


def test_bytes_across_two_marks_are_not_a_mark() -> None:
    """They are there as bytes, and are nobody's hash."""
    one, two = b"abcdefgh", b"ijklmnop"
    customer = customer_with(one, two)
    for shift in range(1, MARK):
        assert not is_remembered(customer, (one + two)[shift : shift + MARK], 0)
    assert is_remembered(customer, one, 0)
    assert is_remembered(customer, two, 0)


def test_a_mark_is_found_behind_the_same_bytes_across_two_others() -> None:
    """The search goes on after a place that is none."""
    wanted = b"aaaaaaaa"
    customer = customer_with(b"xaaaaaaa", b"ayyyyyyy", wanted)
    assert customer.marks.find(wanted) % MARK
    assert is_remembered(customer, wanted, 0)


def test_the_later_of_two_equal_marks_counts() -> None:
    """The first is from too long ago, the second is not."""
    customer = Customer("customer", "c", True, DAY + 1, 0, marks=b"abcdefgh" * 2, moments=[0, DAY + 1])
    assert is_remembered(customer, b"abcdefgh", DAY + 1)


def test_marks_and_moments_stay_side_by_side() -> None:
    """Over the 128 that are kept, and over the 24 hours."""
    customer = customer_with()
    for number in range(300):
        remember(customer, mark_of(str(number)))
    assert customer.marks == b"".join(mark_of(str(number)) for number in range(172, 300))
    assert len(customer.moments) == 128
    customer.latest = DAY + 1
    remember(customer, None)
    assert (customer.marks, customer.moments) == (b"", [])
