"""Conditions that make no sense are refused at load, and doubtful ones warned of."""

import re

import pytest

from stream.core.expressions import ConditionError
from tests.core.shop import compiled


@pytest.mark.parametrize(
    ("text", "message"),
    [
        # names
        ("heatt > 1", "unknown name 'heatt'; did you mean 'heat'"),
        ('event.kind == "x"', "unknown 'event.kind'"),
        ('event == "x"', "unknown 'event'"),
        ('event.type.x == "x"', "unknown 'event.type.x'"),
        ("properties > 1", "properties"),
        ('stage == "Lead"', "unknown stage 'Lead'; did you mean 'lead'"),
        ('stage in ["lead", "x"]', "unknown stage 'x'"),
        ('"x" == stage', "unknown stage 'x'"),
        ('event.type == "page"', "'page' is an event name; event.type has its word 'visit'"),
        ('event.type in ["visit", "page"]', "'page' is an event name"),
        ('"page" != event.type', "'page' is an event name"),
        # types
        ("heat > 90d", "a number with a duration; a duration has a unit"),
        ("idle > 90", "a duration with a number; a duration has a unit, as in 90d"),
        ("since(last_visit) > 90", "a duration has a unit"),
        ("last_visit > 90d", "how long ago a time fact was is since(fact)"),
        ("last_visit > 5", "a time with a number"),
        ("properties.x > 90d", "a property with a duration"),
        ("country > last_visit", "a property with a time"),
        ('heat > "5"', "a number with a text"),
        ('orders == "5"', "a number with a text; write 5 without quotes"),
        ('"2.5" < heat', "a text with a number; write 2.5 without quotes"),
        ('orders in [1, "2"]', "a number is never a text; write 2 without quotes"),
        ('event == "page"', "write event.type"),
        ("orders == true", "a number with true or false"),
        ("stage == 1", "a text with a number"),
        ("identified == 1", "true or false with a number"),
        ("identified < true", "true and false have no order"),
        ("properties.x >= false", "true and false have no order"),
        ("exists(country) == 1", "true or false with a number"),
        ("orders == [1]", "a list compares by `in` only"),
        ("[1] == properties.x", "a list compares by `in` only"),
        ("heat", "this is a number, not true or false"),
        ("stage", "this is a text"),
        ("idle", "this is a duration"),
        ("last_visit", "this is a time"),
        ("event.type", "this is a text"),
        # constants
        ("true", "a constant alone decides nothing"),
        ("5d", "a constant alone decides nothing"),
        ("1 == 1", "both sides are constants"),
        ("1 in [1]", "both sides are constants"),
        # in
        ("orders in []", "nothing is in an empty list"),
        ("orders in 5", "`in` needs a list"),
        ("orders in country", "`in` needs a list"),
        ('orders in ["a"]', "a number is never a text"),
        ("stage in [1]", "a text is never a number"),
        ("identified in [1]", "true or false is never a number"),
        ("last_visit in properties.x", "never holds a time"),
        # what changes with time alone
        ("heat > value", "compares with constants only"),
        ("value > heat", "compares with constants only"),
        ("heat > properties.x", "compares with constants only"),
        ("busy > orders", "compares with constants only"),
        ("idle > in_stage", "compares with constants only"),
        ("idle > since(last_visit)", "compares with constants only"),
        ("heat == 5", "'==' on what changes with time alone"),
        ("5 != heat", "'!=' on what changes with time alone"),
        ("idle == 5d", "'==' on what changes with time alone"),
        ("since(last_visit) != 5d", "'!=' on what changes with time alone"),
        ("heat in [5]", "`in` on what changes with time alone"),
        ("heat in properties.x", "compares with constants only"),
        ("busy in properties.x", "compares with constants only"),
        # keep
        ("busy > 5", "give the fact keep: 6 or more"),
        ("busy >= 6", "give the fact keep: 6 or more"),
        ("busy < 6", "give the fact keep: 6 or more"),
        ("busy <= 5", "give the fact keep: 6 or more"),
        ("busy == 5", "give the fact keep: 6 or more"),
        ("busy != 5", "give the fact keep: 6 or more"),
        ("busy in [1, 5]", "give the fact keep: 6 or more"),
        ("5 < busy", "give the fact keep: 6 or more"),
        ("busy >= 5.5", "give the fact keep: 6 or more"),
        # calls
        (
            "since(orders) > 1d",
            "needs a fact of kind `first`, `last` or `latest_time`; here: first_visit, last_visit, refunded",
        ),
        ("since(country) > 1d", "needs a fact of kind"),
        ("since(properties.x) > 1d", "needs a fact of kind"),
        ("since(nothing) > 1d", "needs a fact of kind"),
        ("exists(orders)", "a count always exists"),
        ("exists(revenue)", "a sum always exists"),
        ("exists(busy)", "a count always exists"),
        ("exists(heat)", "needs a fact"),
        ("exists(stage)", "needs a fact"),
        ("exists(event.type)", "needs a fact"),
        ("exists(properties)", "needs a fact"),
        # together
        ("orders > 1 and orders < 1", "contradicts"),
        ("orders >= 2 and busy == 1 and orders < 2", "contradicts"),
        ('stage == "lead" and stage == "gone"', "contradicts"),
        ('stage in ["lead"] and stage != "lead"', "contradicts"),
        ("identified and not identified", "contradicts"),
        ("idle > 5d and not idle > 4d", "contradicts"),
        ('properties.x == "a" and (properties.x == "b" and orders > 1)', "contradicts"),
    ],
)
def test_a_condition_that_makes_no_sense_is_refused_at_load(text: str, message: str) -> None:
    """With a message that says what is wrong, and mostly what would be right."""
    with pytest.raises(ConditionError, match=re.escape(message)):
        compiled(text)


@pytest.mark.parametrize(
    "text",
    [
        "busy > 4",
        "busy >= 5",
        "busy < 5",
        "busy <= 4",
        "busy == 4",
        "busy != 4",
        "busy in [0, 4]",
        "busy == 5.5",
        "busy > -1",
        'country in [1, "a", true]',
        'properties.x in [1, "a", true]',
        'event.name == "page"',
        'event.type == "never heard of"',
        "orders > 1 or orders < 1",
        "orders >= 1 and orders <= 1",
        "properties.x == 1 and properties.y == 2",
        "not orders > 1 and orders < 1",
        "not exists(refunded) and orders >= 1",
        "value == 5",
        "value > properties.x",
        "properties.x == properties.y",
        "first_visit == last_visit",
    ],
)
def test_a_condition_that_makes_sense_is_taken(text: str) -> None:
    """Close to what is refused."""
    assert compiled(text).text == text


@pytest.mark.parametrize(
    "text",
    [
        "heat > 1",
        "orders > 1",
        "identified",
        'stage == "lead"',
        "idle > 1d",
        "since(last_visit) > 1d",
        "exists(country)",
    ],
)
def test_where_knows_the_interaction_only(text: str) -> None:
    """And says so of what it does not know."""
    with pytest.raises(ConditionError):
        compiled(text, interaction_only=True)
    assert compiled('event.type == "visit" and properties.x > 1 and exists(context.y)', interaction_only=True)


@pytest.mark.parametrize(
    ("text", "warned"),
    [
        ("not (since(last_visit) < 90d)", True),
        ("not since(last_visit) >= 90d", True),
        ("not (orders > 1 or since(last_visit) < 90d)", True),
        ("since(last_visit) < 90d", False),
        ("not not since(last_visit) < 90d", False),
        ("not idle < 90d", False),
    ],
)
def test_not_of_since_is_warned_of(text: str, warned: bool) -> None:
    """It also holds for a customer who never did it."""
    assert bool(compiled(text).warnings) is warned
