"""Rules 1, 2, 3 and 8: times, subjects, words, and interactions that come twice."""

import orjson
import pytest

from stream.codec.fields import Reading
from stream.codec.interactions import InteractionDecoder
from stream.codec.lifecycle_yaml.lifecycle_files import LifecycleFileError
from stream.core.interaction import Interaction
from tests.core.subject import Subject, lifecycle, moves
from tests.kit.times import DAY, T0

IDENTIFIED = """
    stages: {unknown: {}, known: {}}
    transitions: [{from: unknown, to: known, when: identified}]
"""
VISITS = """
    interactions: {visit: [page, Product Viewed]}
    facts: {visits: {count: visit}, pages: {count: page_view}, both: {count: [visit, form]}}
"""


def received(**record: object) -> Interaction:
    """The interaction of a record as it comes in."""
    found = InteractionDecoder(Reading(frozenset(), earliest_time=None)).decode(orjson.dumps(record), T0)
    assert isinstance(found, Interaction)
    return found


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("2023-11-14T22:13:20.123Z", T0 + 123),
        ("2023-11-14T22:13:20.123", T0 + 123),
        ("2023-11-15T00:13:20.123+02:00", T0 + 123),
        ("2023-11-14T22:13:20.1239999Z", T0 + 123),
        ("1969-12-31T23:59:59.9999Z", -1),
        (T0 + 123, T0 + 123),
    ],
)
def test_times_are_milliseconds_of_utc_finer_fractions_cut_off(written: object, at: int) -> None:
    """Rule 1: with a zone, without one, with too many digits, before 1970."""
    subject = Subject(lifecycle(IDENTIFIED))
    (birth, _move) = subject.applies(received(type="visit", customer_id="c1", time=written))
    assert birth.at == at
    assert type(birth.at) is int


def test_the_subject_is_the_customer_id_else_the_anonymous_id() -> None:
    """Rule 2."""
    for ids, kind, name in (
        ({"customer_id": "c", "anonymous_id": "a"}, "customer", "c"),
        ({"customer_id": "c"}, "customer", "c"),
        ({"anonymous_id": "a"}, "anonymous", "a"),
    ):
        (birth, *_rest) = Subject(lifecycle(IDENTIFIED)).applies(received(type="visit", time=T0, **ids))
        assert (birth.kind, birth.subject) == (kind, name)


def test_one_id_in_both_name_spaces_is_two_subjects() -> None:
    """Rule 2: the customer "x" is identified, the visitor "x" is not."""
    customer, visitor = Subject(lifecycle(IDENTIFIED)), Subject(lifecycle(IDENTIFIED))
    customer.applies(received(type="visit", time=T0, customer_id="x"))
    visitor.applies(received(type="visit", time=T0, anonymous_id="x"))
    assert customer.customer is not None
    assert visitor.customer is not None
    assert (customer.customer.kind, customer.stage()) == ("customer", "known")
    assert (visitor.customer.kind, visitor.stage()) == ("anonymous", "unknown")


def test_identified_is_true_from_the_first_interaction_with_a_customer_id_on() -> None:
    """Whoever was anonymous stays identified once it was.

    0  visit  a1        unknown
    1  visit  a1 + c1   known
    2  visit  a1        still identified
    """
    subject = Subject(lifecycle(IDENTIFIED), kind="anonymous")
    (birth,) = subject.sees(0, "visit")
    (known,) = subject.applies(Interaction("c1", "a1", None, "visit", 1, {}, {}))
    subject.sees(2, "visit")
    assert (birth.identified, known.identified, known.to_stage) == (False, True, "known")
    assert subject.customer is not None
    assert subject.customer.identified
    assert subject.life().identified


def test_a_life_begins_before_its_subject_is_identified() -> None:
    """Rule 9: birth, then identification; so the first change is of someone unknown."""
    birth, known = Subject(lifecycle(IDENTIFIED)).sees(0, "visit")
    assert (birth.identified, known.identified) == (False, True)


def test_an_event_name_stands_for_its_word_a_word_for_itself_any_other_name_for_itself() -> None:
    """Rule 3."""
    subject = Subject(lifecycle(VISITS))
    for name in ("page", "Product Viewed", "visit", "page_view", "form", "Page", "product viewed"):
        subject.sees(0, name)
    assert (subject.fact("visits"), subject.fact("pages"), subject.fact("both")) == (3, 1, 4)


def test_the_trigger_names_the_word_where_there_is_one_else_the_name() -> None:
    """Rule 3: each lifecycle with its own words."""
    shop, other = lifecycle("interactions: {visit: [page]}"), lifecycle("", "zoo")
    changes = Subject(shop, other).sees(0, "page", id="i1")
    assert [(each.lifecycle, each.trigger.type, each.trigger.id) for each in changes] == [
        ("shop", "visit", "i1"),
        ("zoo", "page", "i1"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "signals: {s: {each: page, add: {x: 1}}}\nscores: {x: {}}",
        "facts: {f: {count: page}}",
        "facts: {f: {count: form, minus: page}}",
        "facts: {f: {first: page}}",
        "facts: {f: {last: [form, page]}}",
        "facts: {f: {latest: properties.x, each: page}}",
        "facts: {f: {sum: properties.x, each: page}}",
        "passive: [page]",
    ],
)
def test_an_event_name_that_a_word_covers_is_refused_where_a_word_stands(text: str) -> None:
    """Rule 3: the word is meant, and the message names it."""
    with pytest.raises(LifecycleFileError, match="its word 'visit' is meant"):
        lifecycle(f"interactions: {{visit: [page]}}\n{text}")


def test_an_event_name_has_one_word() -> None:
    """Rule 3: neither two words for one name, nor a word that is another's name."""
    with pytest.raises(LifecycleFileError, match="already stands for the word 'visit'"):
        lifecycle("interactions: {visit: [page], look: [page]}")
    with pytest.raises(LifecycleFileError, match="is a word itself"):
        lifecycle("interactions: {visit: [look], look: []}")


def test_segment_s_track_is_named_by_its_event_and_other_calls_by_the_call() -> None:
    """Rule 3: and the traits of identify are its properties."""
    facts = """
        facts:
          bought: {count: Order Completed}
          paged: {count: page}
          plan: {latest: properties.plan, each: identify}
    """
    subject = Subject(lifecycle(facts))
    subject.applies(received(type="track", event="Order Completed", userId="c1", timestamp=T0))
    subject.applies(received(type="page", name="Home", userId="c1", timestamp=T0))
    subject.applies(received(type="identify", traits={"plan": "pro"}, userId="c1", timestamp=T0))
    assert (subject.fact("bought"), subject.fact("paged"), subject.fact("plan")) == (1, 1, "pro")


def test_an_id_that_is_remembered_has_no_effect_at_all_but_a_count() -> None:
    """No fact, no clock, no deadline, no change.

    0     i1
    |     ......|10 idle -> gone
    20    i1    the deadline does not even fire
    """
    text = """
        facts: {visits: {count: visit}}
        stages: {here: {}, gone: {}}
        transitions: [{from: here, to: gone, when: idle >= 10ms}]
    """
    subject = Subject(lifecycle(text))
    subject.sees(0, "visit", id="i1")
    assert subject.sees(20, "visit", id="i1") == []
    assert (subject.fact("visits"), subject.life().clock, subject.stage()) == (1, 0, "here")
    assert subject.customer is not None
    assert subject.customer.latest == 0
    assert subject.step_counts.duplicates == 1
    assert moves(subject.waits(20)) == [("here", "gone", 10)]


@pytest.mark.parametrize(("later", "visits"), [(DAY, 1), (DAY + 1, 2)])
def test_an_id_is_remembered_for_24_hours_inclusive(later: int, visits: int) -> None:
    """By the interaction at hand itself.

    0 i1 .................. i1 at 24 h: remembered; one millisecond later: not
    """
    subject = Subject(lifecycle(VISITS))
    subject.sees(T0, "visit", id="i1")
    subject.sees(T0 + later, "visit", id="i1")
    assert subject.fact("visits") == visits


@pytest.mark.parametrize(("later", "visits"), [(DAY, 2), (DAY + 1, 3)])
def test_another_interaction_moves_the_memory_on(later: int, visits: int) -> None:
    """The customer's largest time counts, whatever the time of the repeat.

    0 i1 ............. i2 at 24 h (+ 1 ms)
    0 i1 again         remembered (forgotten: counts again, late)
    """
    subject = Subject(lifecycle(VISITS))
    subject.sees(0, "visit", id="i1")
    subject.sees(later, "visit", id="i2")
    subject.sees(0, "visit", id="i1")
    assert subject.fact("visits") == visits


@pytest.mark.parametrize(("later", "visits"), [(10 * DAY, 2), (10 * DAY + 1, 3)])
def test_a_late_id_is_remembered_from_its_arrival_not_from_its_time(later: int, visits: int) -> None:
    """What counts is the largest time right after it was applied.

    9d i1
     0 i2 late, when the largest time was 9 d
    10d (+ 1 ms) i2 again
    """
    subject = Subject(lifecycle(VISITS))
    subject.sees(9 * DAY, "visit", id="i1")
    subject.sees(0, "visit", id="i2")
    subject.sees(later, "visit", id="i2")
    assert subject.fact("visits") == visits


@pytest.mark.parametrize(("between", "visits"), [(127, 128), (128, 130)])
def test_at_most_the_128_latest_ids_are_remembered(between: int, visits: int) -> None:
    """The first id is found after 127 others and lost after 128."""
    subject = Subject(lifecycle(VISITS))
    subject.sees(0, "visit", id="first")
    for number in range(between):
        subject.sees(0, "visit", id=f"i{number}")
    subject.sees(0, "visit", id="first")
    assert subject.fact("visits") == visits
    assert subject.customer is not None
    assert len(subject.customer.id_times) == 128


def test_the_128_latest_are_those_that_arrived_last_however_late() -> None:
    """An old interaction that arrives last is the last to be lost."""
    subject = Subject(lifecycle(VISITS))
    for number in range(128):
        subject.sees(DAY, "visit", id=f"i{number}")
    subject.sees(1, "visit", id="old")
    subject.sees(1, "visit", id="old")
    assert subject.step_counts.duplicates == 1
    subject.sees(DAY, "visit", id="i1")
    assert subject.step_counts.duplicates == 2
    subject.sees(DAY, "visit", id="i0")
    assert subject.step_counts.duplicates == 2


def test_a_repeat_does_not_prolong_the_memory() -> None:
    """A refused repeat was not applied.

    0 i1 ..... i1 (12 h, refused) ..... i1 (24 h + 1 ms): counts
    """
    subject = Subject(lifecycle(VISITS))
    subject.sees(0, "visit", id="i1")
    subject.sees(DAY // 2, "visit", id="i1")
    subject.sees(DAY + 1, "visit", id="i1")
    assert (subject.fact("visits"), subject.step_counts.duplicates) == (2, 1)


def test_interactions_without_an_id_are_never_repeats() -> None:
    """Twice the same without an id is two."""
    subject = Subject(lifecycle(VISITS))
    subject.sees(0, "visit")
    subject.sees(0, "visit")
    assert (subject.fact("visits"), subject.step_counts.duplicates) == (2, 0)
    assert subject.customer is not None
    assert (subject.customer.id_hashes, list(subject.customer.id_times)) == (b"", [])


def test_an_id_remembered_of_one_name_is_remembered_of_every_name() -> None:
    """Only the id counts: the same id under another name and with other properties has no effect."""
    subject = Subject(lifecycle(VISITS))
    subject.sees(0, "visit", id="i1")
    subject.sees(1, "page_view", {"other": 1}, id="i1")
    assert subject.fact("pages") == 0
