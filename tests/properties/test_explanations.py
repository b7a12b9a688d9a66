"""Explanations of random customers of random lifecycles: what they say is what the core does."""

import operator
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, cast

import pytest

from stream.codec.state.customers import CustomerCodec
from stream.core.customer import Customer, Life
from stream.core.exact import number_of_fact, set_number_of_fact
from stream.core.explain import explain, ways_out
from stream.core.explanation.explanation import Compared, Explained, Explanation
from stream.core.explanation.nearness import nearness_of
from stream.core.facts import Fact
from stream.core.inputs import Passing
from stream.core.interaction import MAX_TIME
from stream.core.lifecycle import Lifecycle
from stream.core.stage_change import StageChange
from stream.core.step import step
from stream.core.step_counts import StepCounts
from tests.properties.explained import Met, asking_alone, met, scenario

IN_A_BATCH = 25
BATCHES = range(8)
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


def customers(batch: int) -> Iterator[Met]:
    for seed in range(batch * IN_A_BATCH, (batch + 1) * IN_A_BATCH):
        chance = Random(seed)
        yield from met(chance, scenario(chance))


def explained(each: Met) -> list[tuple[Lifecycle, Explanation]]:
    by_id = {lifecycle.id: lifecycle for lifecycle in each.model.lifecycles}
    return [(by_id[one.lifecycle], one) for one in explain(each.model, each.customer, each.now)]


def comparisons(part: Explained) -> Iterator[Compared]:
    """All of them, those that a band stands for last."""
    if isinstance(part, Compared):
        yield part
        if part.scores is not None:
            yield from comparisons(part.scores)
    else:
        for each in part.parts:
            yield from comparisons(each)


def all_comparisons(explanation: Explanation) -> list[Compared]:
    return [each for way in explanation.ways_out for each in comparisons(way.condition)]


def at_present(life: Life, explanation: Explanation) -> Life:
    """The life as it is at the time of its explanation, but for what guards know."""
    life.clock = explanation.at
    return life


@pytest.mark.parametrize("batch", BATCHES)
def test_to_explain_a_customer_changes_nothing(batch: int) -> None:
    for each in customers(batch):
        codec = CustomerCodec(each.model)
        before = codec.encode(each.customer)
        explain(each.model, each.customer, each.now)
        assert codec.encode(each.customer) == before


@pytest.mark.parametrize("batch", BATCHES)
def test_each_comparison_holds_where_a_condition_of_it_alone_does(batch: int) -> None:
    """Its text as it stands there is a condition by itself; what needs an interaction is not known without one."""
    for each in customers(batch):
        for lifecycle, explanation in explained(each):
            found = all_comparisons(explanation)
            alone = asking_alone(lifecycle, each.sources[lifecycle.id], [one.text for one in found])
            life = at_present(each.copy().lives[lifecycle.id], explanation)
            for one, condition in zip(found, alone, strict=True):
                asked = condition.without_event
                if one.holds is None:
                    assert asked is None, one
                else:
                    assert asked is not None, one
                    assert asked.holds(life, life.clock, None) is one.holds, one


@pytest.mark.parametrize("batch", BATCHES)
def test_a_transition_holds_where_the_core_would_take_it(batch: int) -> None:
    """As the core evaluates the whole condition, guards too, when it has come to that time."""
    for each in customers(batch):
        for lifecycle, explanation in explained(each):
            life = each.copy().lives[lifecycle.id]
            ways = lifecycle.transitions_from[life.stage]
            assert [way.target for way in explanation.ways_out] == [way.target for way in ways]
            for way, transition in zip(explanation.ways_out, ways, strict=True):
                assert way.transition == transition.condition.text
                asked = transition.condition.without_event
                holds = asked is not None and asked.holds(life, explanation.at, None)
                assert (way.holds is True) is holds


@pytest.mark.parametrize("batch", BATCHES)
def test_what_is_decisive_is_not_as_wanted_and_together_makes_the_condition_hold(batch: int) -> None:
    for each in customers(batch):
        for _, explanation in explained(each):
            for way in explanation.ways_out:
                decisive = [one for one in comparisons(way.condition) if one.decisive and one.scores is None]
                assert all(one.holds is not one.wanted for one in decisive)
                assert bool(decisive) == (way.condition.holds is not True)
                assert with_decisive_mended(way.condition) is True


def with_decisive_mended(part: Explained) -> bool | None:
    """Whether it holds once every decisive comparison is as wanted."""
    if isinstance(part, Compared):
        if part.scores is not None:
            return with_decisive_mended(part.scores)
        return part.wanted if part.decisive else part.holds
    answers = [with_decisive_mended(each) for each in part.parts]
    if part.kind == "not":
        return None if answers[0] is None else not answers[0]
    strong = part.kind == "any"
    return strong if strong in answers else None if None in answers else not strong


@pytest.mark.parametrize("batch", BATCHES)
def test_how_near_a_way_out_is_fits_whether_it_holds_and_what_decides_it(batch: int) -> None:
    """All is there where the condition holds, nothing where an interaction decides; and something is waited for."""
    for each in customers(batch):
        for lifecycle, explanation in explained(each):
            assert ways_out(lifecycle, each.customer.lives[lifecycle.id], each.now) == explanation.ways_out
            for way in explanation.ways_out:
                share, waits_for = nearness_of(way)
                assert 0 <= share <= 1
                assert bool(waits_for) is (way.holds is not True)
                decisive = [one for one in comparisons(way.condition) if one.decisive]
                if way.condition.holds:
                    assert (share, decisive) == (1, [])
                elif any(one.missing is None and one.scores is None for one in decisive):
                    assert share == 0
                else:
                    left = [
                        1 - abs(missing) / max(abs(value), abs(value + missing)) for value, missing in numbers(decisive)
                    ]
                    assert share == pytest.approx(max(0.0, min(left)))


def numbers(found: list[Compared]) -> Iterator[tuple[float, float]]:
    """What there is of each, and what is missing."""
    for each in found:
        if each.missing is not None:
            assert isinstance(each.value, int | float)
            yield each.value, each.missing


@pytest.mark.parametrize("batch", BATCHES)
def test_time_alone_first_does_what_is_told_and_nothing_before(batch: int) -> None:
    """The customer as a whole, with all its lifecycles, stepped on by the core without an interaction."""
    for each in customers(batch):
        for lifecycle, explanation in explained(each):
            told = explanation.by_time
            if told is None:
                assert moves(each, lifecycle, MAX_TIME) == []
                continue
            assert moves(each, lifecycle, told.at - 1) == []
            made = moves(each, lifecycle, told.at)
            assert [(one.from_stage, one.to_stage, one.transition) for one in made] == [
                (one.source, one.target, one.transition) for one in told.passages
            ]
            assert made[-1].to_stage == told.target
            assert {one.at for one in made} == {told.at}


def moves(each: Met, lifecycle: Lifecycle, until: int) -> list[StageChange]:
    """From stage to stage; to be forgotten is none."""
    changes = passed(each, until)[1]
    return [one for one in changes if one.lifecycle == lifecycle.id and one.to_stage is not None]


def passed(each: Met, until: int) -> tuple[Customer | None, list[StageChange]]:
    return step(each.model, each.copy(), Passing(until), StepCounts())


@pytest.mark.parametrize("batch", BATCHES)
def test_a_customer_is_forgotten_when_it_is_told(batch: int) -> None:
    for each in customers(batch):
        for _, explanation in explained(each):
            if explanation.forgotten is None:
                assert passed(each, MAX_TIME)[0] is not None
            else:
                assert passed(each, explanation.forgotten - 1)[0] is not None
                assert passed(each, explanation.forgotten)[0] is None


@pytest.mark.parametrize("batch", BATCHES)
def test_a_comparison_that_time_turns_turns_in_that_millisecond(batch: int) -> None:
    """Where nothing else happens to the life: then the comparison is as wanted, and a millisecond before it is not."""
    for each in customers(batch):
        for lifecycle, explanation in explained(each):
            found = [one for one in all_comparisons(explanation) if one.by_time is not None]
            alone = asking_alone(lifecycle, each.sources[lifecycle.id], [one.text for one in found])
            life = each.copy().lives[lifecycle.id]
            for one, condition in zip(found, alone, strict=True):
                asked = condition.without_event
                assert asked is not None
                assert one.by_time is not None
                assert asked.holds(life, one.by_time, None) is one.wanted
                assert asked.holds(life, one.by_time - 1, None) is not one.wanted


@pytest.mark.parametrize("batch", BATCHES)
def test_a_number_that_changes_by_what_is_missing_turns_its_comparison(batch: int) -> None:
    """By the arithmetic of what is told, and of whole numbers not by one less."""
    for each in customers(batch):
        for _, explanation in explained(each):
            for one in all_comparisons(explanation):
                assert one.missing is None or one.holds is not one.wanted
                if one.missing is not None and one.operator in OPERATORS and not isinstance(one.value, str):
                    holds = OPERATORS[one.operator]
                    assert holds(cast("float", one.value) + one.missing, one.needs) is one.wanted, one
                    if isinstance(one.missing, int):
                        less = one.missing - (1 if one.missing > 0 else -1)
                        assert holds(cast("float", one.value) + less, one.needs) is not one.wanted, one


@pytest.mark.parametrize("batch", BATCHES)
def test_a_life_in_which_what_is_missing_came_has_its_comparison_turned(batch: int) -> None:
    """Asked of the core, of a life whose count, sum or time is another by what is missing."""
    for each in customers(batch):
        for lifecycle, explanation in explained(each):
            facts = {fact.name: fact for fact in lifecycle.facts}
            found = [one for one in all_comparisons(explanation) if one.missing is not None]
            alone = asking_alone(lifecycle, each.sources[lifecycle.id], [one.text for one in found])
            for one, condition in zip(found, alone, strict=True):
                life = at_present(each.copy().lives[lifecycle.id], explanation)
                if one.missing is not None and moved(life, one, facts):
                    asked = condition.without_event
                    assert asked is not None
                    assert asked.holds(life, life.clock, None) is one.wanted, one


def moved(life: Life, one: Compared, facts: dict[str, Fact]) -> bool:
    """Change the life as `missing` says; False for what cannot be moved by hand."""
    assert one.missing is not None
    change = int(one.missing)
    if one.name == "idle":
        life.active -= change
    elif one.name == "in_stage":
        life.entered -= change
    elif one.name.startswith(("since(", "until(")):
        fact = facts[one.name[6:-1]]
        shift = change if one.name.startswith("until(") else -change
        if fact.kind == "latest_time":
            state = cast("tuple[int, int]", life.facts[fact.index])
            life.facts[fact.index] = (state[0], state[1] + shift)
        else:
            life.numbers[fact.index] += shift
    elif one.name in facts and facts[one.name].kind == "count":
        index = facts[one.name].index
        set_number_of_fact(life, index, number_of_fact(life, index) + change)
    else:
        return False
    return True


def test_the_random_customers_show_all_that_can_be_told() -> None:
    """So that no test above is true of nothing."""
    seen: set[str] = set()
    for batch in BATCHES:
        for each in customers(batch):
            for _, explanation in explained(each):
                seen |= {f"stopped {explanation.stopped}", *(f"full {one.kind}" for one in explanation.full)}
                seen |= {f"used up {one.until is None}" for one in explanation.used_up}
                seen.add("by time never" if explanation.by_time is None else "by time")
                if explanation.by_time is not None and len(explanation.by_time.passages) > 1:
                    seen.add("passes through")
                seen |= {f"{guard.kind} {guard.holds}" for way in explanation.ways_out for guard in way.guards}
                for one in all_comparisons(explanation):
                    seen |= {f"holds {one.holds}", f"unit {one.unit}", f"operator {one.operator}"}
                    seen |= {"band"} if one.scores is not None else set()
                    seen |= {"under not"} if not one.wanted else set()
                    seen |= {"missing"} if one.missing is not None else set()
    assert seen >= {
        *("stopped None", "full fact", "full signal", "full ledger", "used up True", "used up False"),
        *("by time", "by time never", "passes through", "band", "under not", "missing"),
        *(f"{kind} {holds}" for kind in ("hold", "at_most_every") for holds in (True, False)),
        *(f"holds {holds}" for holds in (True, False, None)),
        *(f"unit {unit}" for unit in ("number", "text", "boolean", "duration")),
        *(f"operator {each}" for each in (*OPERATORS, "in", "contains", "starts", "ends")),
    }
