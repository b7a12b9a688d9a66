"""Counts and sums that outgrow 64 bits, and come back."""

from hypothesis import given
from hypothesis import strategies as st

from stream.codec.state.customers import CustomerCodec
from stream.codec.state.keys import customer_key
from stream.core import exact
from stream.core.customer import Life
from tests.core.subject import Subject, lifecycle

LARGE = """
    scores: {value: {}}
    signals: {paid: {each: buy, add: {value: properties.total}}, sure: {each: buy, add: {value: 1}}}
    facts: {revenue: {sum: properties.total, each: buy, minus: refund}, orders: {count: buy, minus: refund}}
"""
amounts = st.floats(-1e15, 1e15) | st.sampled_from([2.0**51 / 1e6, 2.0**52 / 1e6, 1e15, -1e15, 0.5e-6, 1.5e-6, 2.5e-6])
whole = st.integers(-(2**70), 2**70) | st.integers(-2, 2).map((2**52).__add__) | st.integers(-3, 3)


def begun() -> Life:
    """A life in which nothing happened."""
    return lifecycle(LARGE).begin(0, "", False)


def test_the_most_points_a_thousand_times_are_exact_and_so_is_what_is_left_of_them() -> None:
    """Written and read after each, as a worker does; what is taken away again leaves the rest."""
    subject = Subject(lifecycle(LARGE))
    codec, key = CustomerCodec(subject.model), customer_key("customer", "c")
    amount = 999_999_999_999_999
    points = round(float(amount) * 1e6)
    for number in range(1, 1_001):
        subject.sees(number, "buy", {"total": amount})
        assert subject.customer is not None
        subject.customer = codec.decode(key, codec.encode(subject.customer))
        life = subject.life()
        assert [exact.points_of(life, slot) for slot in (0, 1)] == [number * points, number * 1_000_000]
        assert [exact.number_of_fact(life, index) for index in (0, 1)] == [number * points, number]
        assert subject.score("value") == number * (points + 1_000_000) / exact.MILLION
        assert subject.fact("revenue") == number * points / exact.MILLION
    for number in range(1_001, 2_001):
        subject.sees(number, "refund", {"total": amount})
    subject.sees(2_001, "buy", {"total": 0.25})
    life = subject.life()
    assert [exact.number_of_fact(life, index) for index in (0, 1)] == [250_000, 1]
    assert life.numbers[0] == 250_000
    assert life.large is not None
    assert list(life.large) == [0]


@given(st.lists(amounts, max_size=30))
def test_amounts_are_added_as_python_adds_whole_numbers(added: list[float]) -> None:
    """Each rounded by itself, halves to the even side; in a slot and in a sum, which do not touch each other."""
    life = begun()
    points = total = 0
    for amount in added:
        exact.add_points(life, 0, amount)
        exact.add_to_sum(life, 0, -amount)
        points, total = points + round(amount * 1e6), total + round(-amount * 1e6)
        assert (exact.points_of(life, 0), exact.number_of_fact(life, 0)) == (points, total)
        assert (exact.points_of(life, 1), exact.number_of_fact(life, 1)) == (0, 0)
    small = [-exact.LIMIT < number < exact.LIMIT for number in (points, total)]
    assert (life.large is None) == all(small)


@given(st.lists(whole, max_size=10), st.sampled_from([1, -1]))
def test_whatever_is_set_is_there_and_counts_go_on_from_it(numbers: list[int], sign: int) -> None:
    """On both sides of what a vec keeps; a number that is small again leaves nothing behind."""
    life = begun()
    for number in numbers:
        exact.set_points(life, 1, number)
        exact.set_number_of_fact(life, 1, number)
        exact.add_to_count(life, 1, sign)
        assert (exact.points_of(life, 1), exact.number_of_fact(life, 1)) == (number, number + sign)
    exact.set_points(life, 1, 0)
    exact.set_number_of_fact(life, 1, 0)
    assert life.large is None
