"""What a subscriber makes of changes that come again, are missing, or were made again by a reset."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from stream.codec.stage_change_reader import SubscribedChange, read_whole_change
from stream.codec.stage_changes import ChangeSource, encode
from stream.core.stage_change import Trigger
from stream.subscription import seen_changes
from stream.subscription.seen_changes import SeenChanges, Sight
from tests.kit.stage_changes import T, change

NEW, REPEATED = Sight(), Sight(repeated=True)


def published(subject: str = "ann", *, offset: int = 7, **more: Any) -> SubscribedChange:
    """As a subscriber gets it; `offset` is that of the interaction."""
    read = read_whole_change(encode(change(subject, **more), ChangeSource("interactions", 0, offset)), 0, 0)
    assert read is not None
    return read


def sights(*changes: SubscribedChange) -> list[Sight]:
    seen = SeenChanges()
    return [seen.see(each) for each in changes]


def test_what_comes_again_is_known_whatever_came_between() -> None:
    one, two = published(sequence=1), published(sequence=2)
    other = published("bob", sequence=1)
    assert sights(one, two, other, one, two, other) == [NEW, NEW, NEW, REPEATED, REPEATED, REPEATED]


def test_a_sequence_that_jumps_says_how_many_are_missing() -> None:
    assert sights(published(sequence=4), published(sequence=8)) == [NEW, Sight(missing=3)]


def test_lifecycles_and_kinds_of_ids_are_counted_apart() -> None:
    several = [published(), published(lifecycle="b2b"), published(kind="anonymous")]
    assert sights(*several, *several) == [NEW] * 3 + [REPEATED] * 3


def test_a_later_life_begins_anew_and_an_earlier_one_comes_only_as_a_repeat() -> None:
    """Its first changes may not have been published: `live_from`. So they are no gap."""
    old, new = published(born="0-9", sequence=5), published(born="0-10", sequence=2)
    assert sights(old, new, old) == [NEW, NEW, REPEATED]


def test_a_reset_raises_the_generation_over_every_offset() -> None:
    old, new = published(born="0-500", sequence=5, offset=600), published(born="2.0-3", sequence=1, offset=3)
    assert sights(old, new, old) == [NEW, Sight(correction=True), REPEATED]


def test_a_correction_is_what_was_caused_before_the_latest_change_of_an_earlier_generation() -> None:
    """Both count, where the interaction stood and when it was: a topic that is created anew begins at 0 again."""
    assert sights(
        published("ann", offset=10),
        published("ann", born="2.0-0", sequence=1, offset=9),
        published("ann", born="2.0-0", sequence=2, offset=10),
        published("ann", born="2.0-0", sequence=3, offset=11, at=T + 5),
        published("bob", born="2.0-1", sequence=1, offset=3, at=T + 1),
    ) == [NEW, Sight(correction=True), Sight(correction=True), NEW, NEW]


def test_a_deadline_before_an_interaction_is_not_taken_for_what_the_interaction_did() -> None:
    at_the_end = published("ann", offset=10, trigger=Trigger("deadline"))
    again = published("ann", born="2.0-0", sequence=1, offset=10, trigger=Trigger("deadline"))
    interaction = published("bob", born="2.0-0", sequence=1, offset=10)
    assert sights(at_the_end, again, interaction) == [NEW, Sight(correction=True), NEW]


def test_an_heir_knows_what_is_a_correction_though_it_saw_nothing() -> None:
    seen = SeenChanges()
    seen.see(published("ann", offset=10))
    heir = SeenChanges(seen.summary())
    assert heir.see(published("bob", born="2.0-2", sequence=1, offset=4)).correction
    assert not heir.see(published("bob", born="2.0-2", sequence=2, offset=11)).correction
    assert len(seen.summary()) < 200  # Kafka keeps 4 KB beside an offset


def test_a_summary_of_somebody_else_is_none() -> None:
    assert SeenChanges("somebody's own").see(published()) == NEW


def test_what_is_remembered_is_bounded(monkeypatch: Any) -> None:
    monkeypatch.setattr(seen_changes, "REMEMBERED", 2)
    seen = SeenChanges()
    for subject, sequence in (("ann", 1), ("bob", 2), ("ann", 2), ("cem", 2)):
        seen.see(published(subject, sequence=sequence))
    assert [seen.see(published(each, sequence=2)).repeated for each in ("cem", "ann", "bob")] == [True, True, False]


@given(st.lists(st.integers(0, 30), max_size=12))
def test_a_topic_that_is_written_again_from_anywhere_gives_each_change_once(restarts: list[int]) -> None:
    """As a worker without transactions does after each crash: what it wrote since its last commit comes again."""
    topic = list(range(1, 31))
    written = [each for back in restarts for each in topic[back:]] + topic
    seen = SeenChanges()
    given_ = [each for each in written if not seen.see(published(sequence=each)).repeated]
    assert given_ == sorted(set(given_))
    assert given_[-1] == 30
