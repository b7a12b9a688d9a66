"""The graph of stages and transitions: what cannot be reached, and cycles that nothing stops."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import count, product

from stream.core.expressions import EVENT_ROOTS, Comparison, Duration, Node
from stream.core.language.conditions import names_in
from stream.core.language.contradictions import Case, cases, contradiction
from stream.core.lifecycle import Problem, Transition
from stream.core.operators import MIRRORED

MAX_CYCLE = 4
MAX_COMBINATIONS = 256
MAX_WARNINGS = 8
MAX_TEXT = 120
"""Characters of conditions that a warning repeats."""
MAX_STEPS = 20_000
"""Steps of the search for cycles, whose number grows with the fourth power of the stages: no warning is worth hours."""


def unreachable(stages: Sequence[str], transitions: Iterable[Transition]) -> list[str]:
    """Stages, in their order, that no path of transitions leads to from the first."""
    targets: dict[str, set[str]] = {stage: set() for stage in stages}
    for transition in transitions:
        for source in transition.sources:
            targets[source].add(transition.target)
    seen, todo = {stages[0]}, [stages[0]]
    while todo:
        for target in targets[todo.pop()] - seen:
            seen.add(target)
            todo.append(target)
    return [stage for stage in stages if stage not in seen]


def endless(stages: Sequence[str], transitions: Sequence[Transition]) -> list[Problem]:
    """Warnings for cycles that a customer may run through although nothing new is known of them."""
    timed = [each for each in transitions if each.condition.without_event is not None]
    problems: list[Problem] = []
    reported: set[frozenset[int]] = set()
    for cycle in _cycles(stages, timed):
        members = frozenset(each.index for each in cycle)
        if members in reported or not (ways := _ways_to_go_round(cycle)):
            continue
        reported.add(members)
        path = " -> ".join([*(each.target for each in cycle), cycle[0].target])
        problems.append(
            Problem(
                ("transitions", cycle[-1].index),
                f"stages {path} form a cycle whose conditions do not exclude each other: {_behaviour(cycle, ways)}",
            )
        )
        if len(problems) == MAX_WARNINGS:
            break
    return problems


def _cycles(stages: Sequence[str], transitions: Sequence[Transition]) -> Iterator[tuple[Transition, ...]]:
    """Simple cycles of at most MAX_CYCLE stages, each once, beginning at its first stage in file order.

    All of them where the search takes no more than MAX_STEPS steps, else those found until then.
    """
    order = {stage: place for place, stage in enumerate(stages)}
    leaving = {stage: [each for each in transitions if stage in each.sources] for stage in stages}
    steps = count()

    def walk(
        start: str, stage: str, path: tuple[Transition, ...], seen: frozenset[str]
    ) -> Iterator[tuple[Transition, ...]]:
        for each in leaving[stage]:
            if next(steps) >= MAX_STEPS:
                return
            if each.target == start:
                yield (*path, each)
            elif each.target not in seen and order[each.target] > order[start] and len(path) + 1 < MAX_CYCLE:
                yield from walk(start, each.target, (*path, each), seen | {each.target})

    for stage in stages:
        yield from walk(stage, stage, (), frozenset({stage}))


def _ways_to_go_round(cycle: Sequence[Transition]) -> list[Case]:
    """Comparisons that together make all conditions of the cycle hold; none where the conditions exclude each other.

    Of more than MAX_COMBINATIONS ways the first alone are looked at, and one of all, where these exclude each other.
    """
    possible = [[case for case in cases(each.condition.tree) if not _sees_interaction(case)] for each in cycle]
    found: list[Case] = []
    for number, combination in enumerate(product(*possible)):
        joined: Case = tuple(each for case in combination for each in case)
        if number == MAX_COMBINATIONS:
            return found or [joined]
        if contradiction(_lasting(joined)) is None:
            found.append(joined)
    return found


def _behaviour(cycle: Sequence[Transition], ways: Sequence[Case]) -> str:
    """What becomes of whoever meets all conditions of a cycle, in one of the ways in which that can be."""
    texts = dict.fromkeys(f"`{each.condition.text}`" for each in cycle)
    who = f"who meets {' and '.join(texts)}" if sum(map(len, texts)) <= MAX_TEXT else "who meets them all"
    round_and_round = "there and back" if len(cycle) == 2 else "round"
    if all(_waits(way, "in_stage") for way in ways):
        return (
            f"{who} goes {round_and_round} again and again by the passing of time alone (until 64 deadlines were "
            "reached without an interaction)"
        )
    if all(_waits(way, "idle") or _waits(way, "in_stage") for way in ways):
        return f"{who} goes {round_and_round} once, when time alone makes them all true"
    timed = ", and once when time alone makes one of them true" if any(each.condition.timed for each in cycle) else ""
    return f"{who} goes {round_and_round} at each interaction{timed}"


def _waits(way: Case, name: str) -> bool:
    """Whether `idle` or `in_stage`, as the name says, must have grown: an interaction, or the stage, begins it anew."""
    return any(_needs_time(node, name, negated=negated) for node, negated in way)


def _needs_time(node: Node, name: str, *, negated: bool) -> bool:
    if not isinstance(node, Comparison) or name not in names_in(node):
        return False
    operator = MIRRORED[node.operator] if isinstance(node.left, Duration) else node.operator
    return (operator in (">", ">=")) != negated


def _lasting(case: Case) -> Case:
    """Without what starts over with every stage: it cannot make two stages' conditions exclude each other."""
    return tuple((node, negated) for node, negated in case if not names_in(node) & {"stage", "in_stage"})


def _sees_interaction(case: Case) -> bool:
    return any(names_in(node) & set(EVENT_ROOTS) for node, _negated in case)
