"""Rule 14: a subject that was never identified is forgotten."""

import pytest

from stream.core.interaction import MAX_TIME
from tests.core.subject import Subject, lifecycle, moves

AFTER = 1_000
SHOP = """
    passive: [mail]
    scores: {value: {}}
    signals: {s: {each: buy, add: {value: 5}}}
    facts: {orders: {count: buy}}
    stages: {lead: {channels: [email], actions: [hi]}, customer: {channels: [email], actions: [hi]}}
    transitions: [{from: lead, to: customer, when: orders >= 1}]
"""


def visitor(*texts: str) -> Subject:
    """An anonymous subject that is forgotten after a second."""
    lifecycles = [lifecycle(text, name) for text, name in zip(texts or (SHOP,), ("shop", "zoo"), strict=False)]
    return Subject(*lifecycles, kind="anonymous", forget_after=AFTER)


def test_a_subject_that_was_never_identified_is_forgotten() -> None:
    """To the millisecond; the change leads to null and carries what was known.

    0 buy ................|1000 forgotten
    """
    subject = visitor()
    subject.sees(0, "buy")
    assert subject.next_due() == AFTER
    assert subject.waits(AFTER - 1) == []
    (change,) = subject.waits(AFTER)
    assert moves([change]) == [("customer", None, AFTER)]
    assert (change.trigger.kind, change.trigger.id, change.final, change.sequence) == (
        "forgotten",
        None,
        True,
        3,
    )
    assert (change.entered, change.transition, change.identified) == (0, None, False)
    assert (change.scores, change.facts) == ({"value": 5}, {"orders": 1})
    assert (change.channels, change.actions) == ((), ())
    assert subject.customer is None
    assert subject.step_counts.fired == [AFTER]


def test_identified_subjects_are_not_forgotten_unless_a_setting_says_so() -> None:
    """Off by default; with the setting, after its own time."""
    known = Subject(lifecycle(SHOP), forget_after=AFTER)
    known.sees(0, "buy")
    assert known.next_due() is None
    assert known.waits(MAX_TIME) == []
    limited = Subject(lifecycle(SHOP), forget_after=AFTER, forget_identified_after=7 * AFTER)
    limited.sees(0, "buy")
    assert moves(limited.waits(MAX_TIME)) == [("customer", None, 7 * AFTER)]


def test_nobody_is_forgotten_where_it_is_off() -> None:
    """Anonymous subjects neither."""
    subject = Subject(lifecycle(SHOP), kind="anonymous", forget_after=None)
    subject.sees(0, "buy")
    assert subject.waits(MAX_TIME) == []


def test_interactions_that_are_not_passive_put_it_off() -> None:
    """Passive and late ones do not, and those that no word covers do.

    0 visit   500 ?   900 mail   100 visit (late)   ...|1500
    """
    subject = visitor()
    for time, name in ((0, "visit"), (500, "?"), (900, "mail"), (100, "visit")):
        subject.sees(time, name)
    assert subject.next_due() == 500 + AFTER


def test_it_is_since_the_birth_where_that_is_later() -> None:
    """A life that a passive interaction began.

    700 mail   100 visit (late)   ...|1700
    """
    subject = visitor()
    subject.sees(700, "mail")
    subject.sees(100, "visit")
    assert subject.next_due() == 700 + AFTER


def test_what_is_passive_in_one_lifecycle_only_is_a_sign_of_life() -> None:
    """Forgetting is the customer's; idle is each lifecycle's own."""
    subject = visitor(SHOP, SHOP.replace("passive: [mail]", "passive: [call]"))
    subject.sees(0, "visit")
    subject.sees(400, "mail")
    assert subject.next_due() == 400 + AFTER
    assert (subject.life("shop").active, subject.life("zoo").active) == (0, 400)
    subject.sees(600, "call")
    assert subject.next_due() == 600 + AFTER
    assert (subject.life("shop").active, subject.life("zoo").active) == (600, 400)
    both = visitor(SHOP, SHOP)
    both.sees(0, "visit")
    both.sees(400, "mail")
    assert both.next_due() == AFTER


def test_each_lifecycle_tells_of_it_in_the_order_of_their_ids() -> None:
    """Each with its own stage and sequence."""
    subject = visitor(SHOP, "")
    changes = subject.sees(0, "buy") + subject.waits(AFTER)
    assert [(each.lifecycle, each.from_stage, each.sequence, each.final) for each in changes[3:]] == [
        ("shop", "customer", 3, True),
        ("zoo", "start", 2, True),
    ]


def test_it_comes_after_the_deadlines_of_the_same_millisecond() -> None:
    """And before those that would come later.

    0 visit ......|1000 quiet, then forgotten   |1001 never
    """
    text = """
        stages: {here: {}, quiet: {}, gone: {}}
        transitions:
          - {from: here, to: quiet, when: idle >= 1000ms}
          - {from: quiet, to: gone, when: idle >= 1001ms}
    """
    subject = visitor(text)
    subject.sees(0, "visit")
    changes = subject.waits(5 * AFTER)
    assert moves(changes) == [("here", "quiet", 1000), ("quiet", None, 1000)]
    assert [each.final for each in changes] == [True, True]


@pytest.mark.parametrize(("time", "forgotten"), [(AFTER - 1, False), (AFTER, True), (AFTER + 1, True)])
def test_what_comes_at_its_time_or_later_starts_a_new_life(time: int, forgotten: bool) -> None:
    """With nothing of the old one, a new origin, and sequences from 1.

    0 buy ......|1000      1000 visit: born again
    """
    subject = visitor()
    subject.sees(0, "buy")
    changes = subject.sees(time, "visit")
    if not forgotten:
        assert changes == []
        return
    assert moves(changes) == [("customer", None, AFTER), (None, "lead", time)]
    assert [each.sequence for each in changes] == [3, 1]
    assert [each.born for each in changes] == ["0-0", "0-1"]
    assert (subject.fact("orders"), subject.score("value"), subject.life().clock) == (0, 0, time)


def test_ids_are_forgotten_with_their_customer() -> None:
    """The same id counts again in the new life, also where it came within a day."""
    subject = visitor()
    subject.sees(0, "buy", id="i1")
    subject.waits(AFTER)
    subject.sees(AFTER + 1, "buy", id="i1")
    assert (subject.fact("orders"), subject.step_counts.duplicates) == (1, 0)


def test_a_new_life_may_begin_before_the_old_one_ended() -> None:
    """A late interaction of someone who was forgotten."""
    subject = visitor()
    subject.sees(500, "buy")
    subject.waits(5 * AFTER)
    changes = subject.sees(600, "visit")
    assert moves(changes) == [(None, "lead", 600)]
    assert changes[0].trigger.late is False


def test_the_scores_of_the_last_change_are_of_its_time() -> None:
    """Forgetting moves the clock, as deadlines do."""
    text = "scores: {heat: {half_life: 500ms}}\nsignals: {s: {each: visit, add: {heat: 8}}}"
    subject = visitor(text)
    subject.sees(0, "visit")
    (change,) = subject.waits(9 * AFTER)
    assert change.scores == {"heat": 2}


def test_being_identified_ends_it() -> None:
    """From the first interaction with a customer id."""
    subject = visitor()
    subject.sees(0, "visit")
    assert subject.customer is not None
    subject.customer.identified = True
    assert subject.next_due() is None
    assert subject.waits(5 * AFTER) == []


def test_nobody_is_forgotten_after_the_year_9999() -> None:
    """The last millisecond is the last."""
    subject, late = visitor(), visitor()
    subject.sees(MAX_TIME - AFTER, "visit")
    assert moves(subject.waits(MAX_TIME)) == [("lead", None, MAX_TIME)]
    late.sees(MAX_TIME - AFTER + 1, "visit")
    assert late.next_due() is None


def test_of_a_quarantined_customer_no_deadline_fires_and_interactions_still_count() -> None:
    """Nothing is done for it by time alone, forgetting included."""
    subject = visitor()
    subject.sees(0, "visit")
    assert subject.customer is not None
    subject.customer.quarantined = True
    assert subject.next_due() is None
    assert subject.waits(5 * AFTER) == []
    assert moves(subject.sees(6 * AFTER, "buy")) == [("lead", "customer", 6 * AFTER)]


def test_who_would_be_forgotten_after_the_end_of_the_calendar_never_is() -> None:
    """However long the setting says, beyond 64 bits too."""
    for after in (2 * MAX_TIME, 2**63, 10**24):
        subject = Subject(lifecycle(SHOP), kind="anonymous", forget_after=after)
        subject.sees(-MAX_TIME // 5, "buy")
        assert subject.next_due() is None
