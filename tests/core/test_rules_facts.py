"""Rule 6, facts: count, sum, first, last, latest and rolling counts."""

import pytest

from stream.codec.lifecycle_yaml.lifecycle_files import LifecycleFileError
from stream.core.interaction import MAX_TIME
from tests.core.subject import Subject, lifecycle, moves
from tests.kit.times import DAY, T0


def with_fact(fact: str) -> Subject:
    """A subject in a lifecycle with the one fact `f`."""
    return Subject(lifecycle(f"facts: {{f: {{{fact}}}}}"))


def test_count_and_sum_start_at_0_and_minus_subtracts_for_its_word() -> None:
    """A refund without an order leads below 0."""
    subject = Subject(
        lifecycle("""
        facts:
          orders: {count: buy, minus: refund}
          revenue: {sum: properties.total, each: [buy, renew], minus: [refund, cancel]}
    """)
    )
    values = []
    for name, total in (("visit", 1), ("refund", 4), ("buy", 10), ("renew", 100), ("cancel", 3)):
        subject.sees(0, name, {"total": total})
        values.append((subject.fact("orders"), subject.fact("revenue")))
    assert values == [(0, 0), (-1, -4), (0, 6), (0, 106), (0, 103)]


@pytest.mark.parametrize("fact", ["count: buy", "sum: properties.total, each: buy"])
def test_where_applies_to_minus_words_too(fact: str) -> None:
    """Only what is paid by card counts, either way."""
    subject = with_fact(fact + ", minus: refund, where: properties.card")
    for name, card in (("buy", True), ("buy", False), ("refund", False), ("buy", True), ("refund", True)):
        subject.sees(0, name, {"card": card, "total": 1})
    assert subject.fact("f") == 1


@pytest.mark.parametrize("fact", ["count: buy", "sum: properties.total, each: buy"])
def test_a_word_under_both_is_refused(fact: str) -> None:
    """It cannot count and subtract."""
    with pytest.raises(LifecycleFileError, match="counts and stands under minus"):
        with_fact(fact + ", minus: [refund, buy]")


def test_sums_are_exact_in_millionths() -> None:
    """0.1 + 0.2 is 0.3, and what was added can be taken away again."""
    subject = with_fact("sum: properties.total, each: buy, minus: refund")
    subject.sees(0, "buy", {"total": 0.1})
    subject.sees(0, "buy", {"total": 0.2})
    assert subject.fact("f") == 0.3
    subject.sees(0, "buy", {"total": 999_999_999_999_999})
    subject.sees(0, "refund", {"total": 999_999_999_999_999})
    subject.sees(0, "refund", {"total": 0.3})
    assert subject.fact("f") == 0


@pytest.mark.parametrize(("total", "read"), [(2.5e-6, 2e-6), (3.5e-6, 4e-6), (-2.5e-6, -2e-6), (4.9e-7, 0)])
def test_sums_round_with_ties_to_even(total: float, read: float) -> None:
    """Like permanent points."""
    subject = with_fact("sum: properties.total, each: buy")
    subject.sees(0, "buy", {"total": total})
    assert subject.fact("f") == read


@pytest.mark.parametrize(
    ("total", "counted"), [(None, 1), ("5 ", 1), (True, 1), ([5], 1), (1e15, 1), (-1e15, 1), (float("nan"), 1)]
)
def test_a_sum_takes_numbers_below_1e15_only(total: object, counted: int) -> None:
    """Anything else is counted, also where there is nothing: a name that is misspelt would else sum to 0 in silence."""
    subject = with_fact("sum: properties.total, each: buy")
    subject.sees(0, "buy", {"total": total})
    assert subject.fact("f") == 0
    assert subject.step_counts.wrong_types.get(("shop", "f"), 0) == counted


@pytest.mark.parametrize(
    ("products", "counted"),
    [
        ([{"price": 20, "quantity": 3}, {"price": 9.5, "quantity": 1}], 2),
        ([], 2),
        ({"price": [20]}, 2),
        ({"price": 20}, 0),
        ("coffee", 1),
        (None, 1),
    ],
)
def test_a_list_in_the_way_of_a_fact_s_path_is_a_wrong_type(products: object, counted: int) -> None:
    """`sum: properties.products.price` would be 0 for ever, and nothing would say so. A sum counts what is absent."""
    subject = Subject(
        lifecycle("facts: {f: {sum: properties.a.b.price, each: buy}, g: {latest: properties.a.b.price}}")
    )
    subject.sees(0, "buy", {"a": {"b": products}})
    assert subject.fact("f") == (20 if products == {"price": 20} else 0)
    assert sum(subject.step_counts.wrong_types.values()) == counted


def test_first_and_last_are_the_smallest_and_largest_interaction_time() -> None:
    """Whatever the order of arrival; they do not exist until seen."""
    subject = Subject(lifecycle("facts: {one: {first: buy}, two: {last: [buy, renew]}}"))
    values = []
    for time, name in ((5, "visit"), (9, "buy"), (4, "buy"), (12, "renew"), (7, "buy")):
        subject.sees(time, name)
        values.append((subject.fact("one"), subject.fact("two")))
    assert values == [(None, None), (9, 9), (4, 9), (4, 12), (4, 12)]


def test_first_last_and_latest_do_not_exist_until_seen() -> None:
    """A change carries none of them before, and all of them after."""
    subject = Subject(
        lifecycle("""
        facts: {a: {first: buy}, b: {last: buy}, c: {latest: properties.x, each: buy}, d: {count: buy},
                e: {sum: properties.x, each: buy}, f: {count: buy, within: 1d}}
        stages: {lead: {}, customer: {}}
        transitions: [{from: lead, to: customer, when: exists(a) and exists(b) and exists(c)}]
    """)
    )
    (birth,) = subject.sees(T0, "visit", {"x": 1})
    assert birth.facts == {"d": 0, "e": 0, "f": 0}
    (change,) = subject.sees(T0 + 1, "buy", {"x": 2})
    assert change.facts == {"a": T0 + 1, "b": T0 + 1, "c": 2, "d": 1, "e": 2, "f": 1}


def test_times_before_the_epoch_and_at_it_exist() -> None:
    """0 and less are times."""
    subject = Subject(lifecycle("facts: {one: {first: buy}, two: {last: buy}, c: {latest: properties.x}}"))
    subject.sees(-5, "buy", {"x": 0})
    subject.sees(0, "buy", {"x": False})
    assert (subject.fact("one"), subject.fact("two"), subject.fact("c")) == (-5, 0, False)
    other = Subject(subject.model.lifecycles[0])
    for time in (0, 5, -5):
        other.sees(time, "buy")
        assert other.fact("one") == min(time, 0)
    assert other.fact("two") == 5


def test_latest_is_the_value_with_the_largest_time_the_later_arrival_among_equals() -> None:
    """DE at 5, FR at 5, then IT at 4 (late)."""
    subject = with_fact("latest: properties.country")
    values = []
    for time, country in ((5, "DE"), (5, "FR"), (4, "IT"), (6, "ES")):
        subject.sees(time, "visit", {"country": country})
        values.append(subject.fact("f"))
    assert values == ["DE", "FR", "FR", "ES"]


@pytest.mark.parametrize("properties", [{}, {"country": None}, {"other": "FR"}])
def test_latest_ignores_what_is_absent_or_null(properties: dict[str, object]) -> None:
    """It keeps what it knew, and its time."""
    subject = with_fact("latest: properties.country")
    subject.sees(5, "visit", {"country": "DE"})
    subject.sees(9, "visit", properties)
    subject.sees(7, "visit", {"country": "IT"})
    assert subject.fact("f") == "IT"
    assert subject.step_counts.wrong_types == {}


@pytest.mark.parametrize("value", ["", "é" * 128, "x" * 256, 0, -1.5, True, False, 999_999_999_999_999])
def test_latest_takes_text_numbers_and_booleans(value: object) -> None:
    """Text up to 256 bytes."""
    subject = with_fact("latest: properties.x")
    subject.sees(0, "visit", {"x": value})
    assert subject.fact("f") == value
    assert type(subject.fact("f")) is type(value)


@pytest.mark.parametrize("value", ["é" * 128 + "x", "x" * 257, 1e15, -1e15, float("nan"), ["DE"], {"a": 1}])
def test_latest_ignores_other_values_and_they_are_counted(value: object) -> None:
    """Longer text, larger numbers, lists and objects."""
    subject = with_fact("latest: properties.x")
    subject.sees(0, "visit", {"x": "DE"})
    subject.sees(1, "visit", {"x": value})
    assert subject.fact("f") == "DE"
    assert subject.step_counts.wrong_types == {("shop", "f"): 1}


def test_latest_without_each_is_about_any_interaction() -> None:
    """Also of names that nothing else knows; with `each` about these only, and where applies."""
    subject = Subject(
        lifecycle("""
        facts:
          any: {latest: properties.x}
          bought: {latest: properties.x, each: [buy, renew]}
          ok: {latest: properties.x, where: properties.ok}
          device: {latest: context.device.type, each: buy}
    """)
    )
    subject.sees(0, "buy", {"x": 1, "ok": True}, context={"device": {"type": "phone"}})
    subject.sees(1, "never heard of", {"x": 2, "ok": False}, context={"device": {"type": "desk"}})
    assert [subject.fact(each) for each in ("any", "bought", "ok", "device")] == [2, 1, 1, "phone"]


@pytest.mark.parametrize(("passed", "count"), [(0, 2), (3, 2), (4, 1), (9, 1), (10, 0), (99, 0)])
def test_a_rolling_count_is_exact_to_the_millisecond(passed: int, count: int) -> None:
    """Times t_i with t - t_i < W.

    0 visit      6 visit       within 10 ms
    |.........9|10      15|16
    """
    subject = with_fact("count: visit, within: 10ms")
    subject.sees(T0, "visit")
    subject.sees(T0 + 6, "visit")
    assert subject.fact("f", T0 + 6 + passed) == count


def test_a_late_interaction_counts_while_it_is_in_the_window() -> None:
    """At clock 20, one of 11 is in a window of 10 ms and one of 10 is not."""
    subject = with_fact("count: visit, within: 10ms")
    subject.sees(20, "mail")
    subject.sees(10, "visit")
    assert subject.fact("f") == 0
    assert subject.life().facts == [[]]
    subject.sees(11, "visit")
    assert (subject.fact("f"), subject.fact("f", 21)) == (1, 0)


def test_of_a_rolling_count_the_largest_times_are_kept() -> None:
    """Two of them: a late third is not among the largest, a newer one is.

    10 12   11 (late: 10 goes)   9 (late: goes at once)   13 (11 goes)
    """
    subject = with_fact("count: visit, within: 1d, keep: 2")
    kept = []
    for time in (10, 12, 11, 9, 13):
        subject.sees(time, "visit")
        kept.append(list(subject.life().facts[0]))  # type: ignore[arg-type]  # a rolling count's times
    assert kept == [[10], [10, 12], [11, 12], [11, 12], [12, 13]]
    assert subject.fact("f") == 2


def test_twenty_times_are_kept_where_the_file_says_nothing() -> None:
    """Counting beyond is not promised."""
    subject = with_fact("count: visit, within: 1d")
    for time in range(25):
        subject.sees(time, "visit")
    assert subject.fact("f") == 20
    assert subject.fact("f", DAY + 5) == 19


def test_where_applies_to_every_kind_of_fact() -> None:
    """Here to rolling counts, first and last."""
    subject = Subject(
        lifecycle("""
        facts:
          a: {count: visit, within: 1d, where: properties.ok}
          b: {first: visit, where: properties.ok}
          c: {last: visit, where: not properties.ok}
    """)
    )
    for time, ok in ((0, False), (1, True), (2, False), (3, True)):
        subject.sees(time, "visit", {"ok": ok})
    assert [subject.fact(each) for each in "abc"] == [2, 1, 2]


@pytest.mark.parametrize(
    ("fact", "message"),
    [
        ("count: visit, within: 1d, minus: form", "a rolling count has no minus"),
        ("count: visit, keep: 5", "keep goes with within"),
        ("first: visit, minus: form", "minus does not go with first"),
        ("latest: properties.x, within: 1d", "within does not go with latest"),
        ("count: visit, sum: properties.x", "a fact is one of"),
        ("sum: properties.x", "each: the word"),
        ("count: visit, wihtin: 1d", "did you mean 'within'"),
    ],
)
def test_a_fact_that_means_nothing_is_refused(fact: str, message: str) -> None:
    """With a message that says what is wrong."""
    with pytest.raises(LifecycleFileError, match=message):
        with_fact(fact)


def test_a_rolling_count_at_the_end_of_time_has_no_deadline_after_it() -> None:
    """What would leave the window after the year 9999 never does."""
    subject = Subject(
        lifecycle("""
        facts: {busy: {count: visit, within: 10ms}}
        stages: {here: {}, quiet: {}}
        transitions: [{from: here, to: quiet, when: busy < 1}]
    """)
    )
    subject.sees(MAX_TIME - 9, "visit")
    assert subject.next_due() is None
    other = Subject(subject.model.lifecycles[0])
    other.sees(MAX_TIME - 10, "visit")
    assert moves(other.waits(MAX_TIME)) == [("here", "quiet", MAX_TIME)]
