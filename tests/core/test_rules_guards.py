"""Rules 28 to 30: bands, `at_most_every` and `hold`."""

import pytest

from stream.codec.lifecycle_yaml.lifecycle_files import LifecycleFileError
from stream.core.stage_change import StageChange
from tests.core.subject import Subject, lifecycle
from tests.kit.times import DAY, HOUR, T0

GRID = """
scores: {fit: {}, engagement: {half_life: 1d}}
signals:
  f: {each: fit, add: {fit: properties.n}}
  e: {each: visit, add: {engagement: properties.n}}
bands:
  grade: {fit: {A: 20, B: 10, C: }, engagement: {1: 50, 2: 20, 3: 0}}
"""


def moved(subject: Subject) -> list[tuple[str | None, int]]:
    return [(change.to_stage, change.at) for change in subject.changes]


def grade(change: StageChange) -> object:
    return change.facts.get("grade")


def test_a_band_is_put_together_from_the_ranges_of_its_scores():
    subject = Subject(lifecycle(GRID))
    subject.sees(T0, "page")
    seen = {}
    for fit, engagement in ((0, 0), (10, 0), (0, 49), (0, 1), (9.5, 0), (0.5, 0), (0, 1_000), (0, -2_000)):
        subject.sees(T0, "fit", {"n": fit})
        subject.sees(T0, "visit", {"n": engagement})
        seen[subject.score("fit"), subject.score("engagement")] = (
            subject.model.lifecycles[0].bands[0].value(subject.life(), T0)
        )
    assert list(seen.values()) == ["C3", "B3", "B2", "B1", "B1", "A1", "A1", None]


STAGES = (
    GRID
    + """
stages: {cold: {}, hot: {}, warm: {}}
transitions:
  - {from: [cold, warm], to: hot, when: grade == "A1"}
  - {from: hot, to: warm, when: not (grade in ["A1", "B1"])}
  - {from: warm, to: cold, when: grade ends "3"}
"""
)


def test_a_comparison_of_a_band_has_exact_deadlines():
    subject = Subject(lifecycle(STAGES.replace('not (grade in ["A1", "B1"])', '\'not (grade in ["A1", "B1"])\'')))
    subject.sees(T0, "fit", {"n": 25})
    subject.sees(T0, "visit", {"n": 100})
    subject.waits(T0 + 10 * DAY)
    warm, cold = subject.changes[-2:]
    assert (warm.to_stage, warm.at - (T0 + DAY)) == ("warm", 1)  # 50 holds, a millisecond later it is less
    assert warm.scores["engagement"] < 50
    assert (cold.to_stage, grade(warm), grade(cold)) == ("cold", "A2", "A3")
    assert cold.scores["engagement"] < 20
    assert subject.changes[1].to_stage == "hot"


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ('grade == "A4"', "unknown range of grade 'A4'; known are A1, A2, A3"),
        ("grade >= 3", "compares with a text by == or !=, by `in` with a list of them, or by starts"),
        ("grade", 'grade is a text; compare it, as in grade == "A1"'),
        ('grade starts "X"', "no range of grade is like that; it has A1, A2, A3, B1, B2, B3, C1, C2, C3"),
        ("grade == properties.grade", "compares with a text"),
    ],
)
def test_what_a_band_does_not_compare_with(condition, said):
    with pytest.raises(LifecycleFileError, match="1") as error:
        lifecycle(STAGES.replace('grade == "A1"', condition).replace('not (grade in ["A1", "B1"])', "fit < 3"))
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("band", "said"),
    [
        ("{fit: {A: 1, B: 2}}", "ranges stand from the highest to the lowest"),
        ("{fit: {A: , B: 2}}", "only the last range may be without a number"),
        ("{fit: 3}", "names and the score from which on they hold, highest first"),
        ("{fot: {A: 3}}", "unknown score 'fot'; did you mean 'fit'?"),
        ("{}", "a band has the ranges of a score or of several"),
        ("{fit: {A: 3, AA: 1}, engagement: {A: 2, '': 1}}", "'AA' would be the name of two ranges"),
    ],
)
def test_bands_that_cannot_be(band, said):
    with pytest.raises(LifecycleFileError) as error:
        lifecycle(f"scores: {{fit: {{}}, engagement: {{}}}}\nbands: {{grade: {band}}}")
    assert said in str(error.value)


RETURNS = """
scores: {heat: {}}
signals: {s: {each: visit, add: {heat: 1}, expires: 10d}}
facts: {last_visit: {last: visit}}
stages: {active: {}, dormant: {}, won_back: {}}
transitions:
  - {from: [active, won_back], to: dormant, when: since(last_visit) >= 2d}
  - {from: dormant, to: won_back, when: since(last_visit) < 2d, at_most_every: 90d}
  - {from: dormant, to: active, when: event.type == "order"}
"""


def test_a_transition_is_taken_at_most_so_often():
    subject = Subject(lifecycle(RETURNS))
    for day in (0, 5, 20):
        subject.sees(T0 + day * DAY, "visit")
    assert moved(subject) == [
        ("active", T0),
        ("dormant", T0 + 2 * DAY),
        ("won_back", T0 + 5 * DAY),
        ("dormant", T0 + 7 * DAY),
    ]
    subject.sees(T0 + 94 * DAY, "visit")
    assert subject.next_due() == T0 + 95 * DAY  # 90 days after it was taken, while the visit is recent
    subject.waits(T0 + 95 * DAY)
    assert moved(subject)[-1] == ("won_back", T0 + 95 * DAY)
    subject.sees(T0 + 95 * DAY, "visit")
    subject.waits(T0 + 100 * DAY)
    subject.sees(T0 + 150 * DAY, "order")  # another way is not stopped
    assert moved(subject)[-3:-1] == [("dormant", T0 + 97 * DAY), ("active", T0 + 150 * DAY)]


FLAPPING = """
scores: {heat: {}}
signals: {s: {each: visit, add: {heat: 1}, expires: 3h}, back: {each: less, add: {heat: -1}}}
stages: {cold: {}, hot: {}}
transitions:
  - {from: cold, to: hot, when: heat >= 2, hold: 1h}
  - {from: hot, to: cold, when: heat < 2, hold: 30m}
"""


def test_a_condition_must_have_held_so_long():
    subject = Subject(lifecycle(FLAPPING))
    subject.sees(T0, "visit")
    subject.sees(T0 + HOUR, "visit")
    assert subject.next_due() == T0 + 2 * HOUR
    subject.sees(T0 + 2 * HOUR - 1, "less")  # it breaks off in the last millisecond
    assert subject.next_due() is None
    subject.sees(T0 + 2 * HOUR, "visit")
    assert subject.next_due() is None  # one of the three is over before that
    subject.sees(T0 + 2 * HOUR + 1, "visit")
    assert subject.next_due() == T0 + 3 * HOUR
    subject.waits(T0 + 3 * HOUR)
    assert moved(subject) == [("cold", T0), ("hot", T0 + 3 * HOUR)]


def test_it_holds_from_when_time_alone_made_it_hold():
    subject = Subject(
        lifecycle("""
facts: {last_visit: {last: visit}}
stages: {active: {}, sleeping: {}}
transitions: [{from: active, to: sleeping, when: since(last_visit) >= 1d and in_stage < 5d, hold: 2h}]
""")
    )
    subject.sees(T0, "visit")
    assert subject.next_due() == T0 + DAY + 2 * HOUR
    subject.sees(T0 + DAY + HOUR, "other")  # the clock moves on while it holds
    assert subject.next_due() == T0 + DAY + 2 * HOUR
    subject.sees(T0 + DAY + HOUR + 1, "visit")
    assert subject.next_due() == T0 + 2 * DAY + 3 * HOUR + 1
    subject.sees(T0 + 4 * DAY, "visit")
    subject.sees(T0 + 4 * DAY, "visit")
    assert subject.stage() == "sleeping"
    other = Subject(subject.model.lifecycles[0])
    other.sees(T0, "page")
    other.sees(T0 + 4 * DAY - HOUR, "visit")
    assert other.next_due() is None  # a day later the five days are over before it held for two hours


def test_what_is_held_begins_anew_in_each_stage():
    subject = Subject(lifecycle(FLAPPING.replace("heat < 2", "heat >= 2")))
    subject.sees(T0, "visit")
    subject.sees(T0, "visit")
    subject.waits(T0 + 5 * HOUR // 2)
    half = 30 * 60_000
    assert moved(subject) == [
        ("cold", T0),
        ("hot", T0 + 2 * half),
        ("cold", T0 + 3 * half),
        ("hot", T0 + 5 * half),
    ]


def test_a_condition_of_the_interaction_cannot_be_held():
    with pytest.raises(LifecycleFileError, match="names the interaction holds for one moment only"):
        lifecycle(FLAPPING.replace("heat >= 2", 'heat >= 2 or event.type == "visit"'))
