"""What the demonstration tells of stage changes: words, a choice that can be read, one life."""

import pytest

from stream.cli.demo_data import Data, shown
from stream.cli.terminal.demo_story import FIRST, FORGOTTEN, QUIET, WORDS, Story, line_of, meaning
from stream.codec.lifecycle_yaml.lifecycle_files import load
from stream.codec.stage_change_reader import SourceValue, StageChangeValue, TriggerValue
from tests.kit.times import DAY

METRICS = load("metrics").lifecycle
MOVES = [
    (source, each.target)
    for each in METRICS.transitions
    for source in METRICS.stages
    if source in each.sources and source != each.target
]


def change(
    source: str | None, target: str | None, who: str = "c1", at: int = 0, kind: str = "interaction"
) -> StageChangeValue:
    """A change of the lifecycle `metrics`."""
    return StageChangeValue(
        lifecycle="metrics",
        born="0-0",
        sequence=1,
        final=True,
        from_stage=source,
        to_stage=target,
        at=at,
        trigger=TriggerValue(kind, "order" if kind == "interaction" else None),
        source=SourceValue("interactions", 0, 0),
        transition=None if source is None or target is None else "orders >=\n 2",
        customer_id=who,
    )


@pytest.mark.parametrize(("source", "target"), MOVES)
def test_every_transition_of_the_preset_has_its_words(source: str, target: str) -> None:
    """Going quiet is the same from wherever; all others are told apart."""
    words = meaning(change(source, target))
    assert words == (QUIET if target == "dormant" else WORDS[source, target])
    assert len(words) <= 24


def test_no_words_are_left_of_transitions_that_the_preset_had() -> None:
    """Else a person would search for them."""
    assert set(WORDS) - set(MOVES) == set()


def test_coming_and_being_forgotten_have_their_words_too() -> None:
    """The two ends of every life."""
    assert meaning(change(None, "awareness")) == FIRST
    assert meaning(change("awareness", None)) == FORGOTTEN


def test_a_line_says_when_who_what_and_why() -> None:
    """By an interaction, or because time passed; the condition on one line."""
    by_order = line_of(change("conversion", "retention", at=DAY)).plain
    assert by_order.split("  ")[:2] == ["1970-01-02", "c1"]
    assert by_order.endswith("bought a second time      conversion → retention  (order: orders >= 2)")
    by_time = line_of(change("retention", "dormant", kind="deadline"), subject=False).plain
    assert by_time == "1970-01-01  has gone quiet            retention → dormant  (time passed: orders >= 2)"


def test_what_would_steer_the_terminal_is_spelled_out() -> None:
    """Ids come from anywhere, also here."""
    assert "\\x1b[2J" in line_of(change("conversion", "retention", who="\x1b[2J")).plain


def test_the_kind_that_was_picked_longest_ago_comes_next() -> None:
    """A frequent change does not hide the rare ones, and the latest of its kind is told."""
    story = Story()
    for number in range(3):
        story.add(change("awareness", "engagement", f"a{number}"))
    story.add(change("retention", "loyalty", "b"))
    first = story.pick()
    assert first is not None
    assert first.subject == "a2"
    story.add(change("awareness", "engagement", "a3"))
    assert [each.subject for each in (story.pick(), story.pick()) if each is not None] == ["b", "a3"]
    assert story.pick() is None


def test_that_somebody_came_is_not_picked() -> None:
    """Everybody does; it is seen in the numbers."""
    story = Story()
    story.add(change(None, "awareness"))
    assert story.pick() is None


def test_the_life_through_most_stages_is_told_if_it_is_short_enough() -> None:
    """One that goes to and fro for ever fits into no terminal."""
    story = Story()
    for stages in ("awareness", "engagement", "conversion"):
        story.add(change("awareness", stages, "short"))
    for stages in METRICS.stages:
        story.add(change("awareness", stages, "long"))
        story.add(change(stages, "awareness", "long"))
    story.add(change(None, "awareness", "shorter"))
    assert [each.subject for each in story.life()] == ["short"] * 3
    assert Story().life() == []


@pytest.mark.parametrize("data", Data)
def test_what_is_shown_comes_in_the_order_of_time_and_says_what_it_is_in_few_words(data: Data) -> None:
    """A line of 60 columns with its duration, and another for what to expect."""
    times = [each.time for each in shown(data)]
    assert times == sorted(times)
    assert len(times) > 5_000
    assert len(f"{data.about} in 40 seconds.") <= 60
    assert len(data.note) <= 60
