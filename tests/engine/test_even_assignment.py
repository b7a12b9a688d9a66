"""Who has which partitions, after any coming and going; and Faust really asks us."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from aiokafka.coordinator.protocol import ConsumerProtocolMemberMetadata
from faust.assignor.client_assignment import ClientAssignment, ClientMetadata
from hypothesis import given
from hypothesis import strategies as st

from stream.engine.assignor import EngineAssignor
from stream.engine.even_assignment import evenly

MEMBERS = st.lists(st.sets(st.integers(0, 19)), min_size=1, max_size=9)


@given(MEMBERS, st.integers(1, 17))
def test_each_partition_has_one_member_and_no_two_members_differ_by_more_than_one(
    had: list[set[int]], count: int
) -> None:
    """Whatever they had: the same twice, or partitions that are no more."""
    shares = evenly(had, count)
    assert sorted(number for share in shares for number in share) == list(range(count))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


@given(st.lists(st.booleans(), max_size=12), st.integers(1, 17))
def test_nothing_moves_that_need_not(comes: list[bool], count: int) -> None:
    """Over any coming and going: what moves is what nobody had any more, and what who came is short of."""
    shares: list[set[int]] = [set(range(count))]
    for joins in comes:
        before = [*shares, set[int]()] if joins or len(shares) == 1 else shares[1:]
        after = evenly(before, count)
        lost = [old - new for old, new in zip(before, after, strict=True)]
        least, more = divmod(count, len(before))
        sizes = sorted(map(len, before), reverse=True)
        assert sum(map(len, lost)) == sum(max(0, size - least - (place < more)) for place, size in enumerate(sizes))
        shares = after


def test_workers_that_join_one_after_the_other_have_the_same_though_faust_deals_them_out() -> None:
    """By Faust's assignor itself, as the leader of the group asks it; it used to give 4 4 4 3 1."""
    assert list(sizes_of(5)) == [[16], [8, 8], [6, 5, 5], [4, 4, 4, 4], [4, 3, 3, 3, 3]]


def sizes_of(workers: int) -> Iterator[list[int]]:
    """How many of 16 partitions each has, after each that joined; the largest first."""
    cluster: Any = SimpleNamespace(topics=lambda: {"interactions"}, partitions_for_topic=lambda _topic: set(range(16)))
    app: Any = SimpleNamespace(tables=SimpleNamespace(data={}, changelog_topics=set()), versions=None)
    assignor = EngineAssignor(app)
    had: list[list[int]] = []
    for _ in range(workers):
        had.append([])
        members = {
            f"worker-{number}": ConsumerProtocolMemberMetadata(0, ["interactions"], described(numbers))
            for number, numbers in enumerate(had)
        }
        given_out = assignor._perform_assignment(cluster, members)
        had = [dict(given_out[f"worker-{number}"].assignment)["interactions"] for number in range(len(had))]
        yield sorted(map(len, had), reverse=True)


def described(numbers: list[int]) -> bytes:
    assignment = ClientAssignment(actives={"interactions": numbers} if numbers else {}, standbys={})
    nothing: dict[str, dict[str, list[int]]] = {}
    return ClientMetadata(
        assignment=assignment,
        url="http://worker",
        changelog_distribution=nothing,
        external_topic_distribution=nothing,
        topic_groups={},
    ).dumps()
