"""Which changes an endpoint wants, by a condition in the language of lifecycle files."""

import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from stream.codec.lifecycle_yaml.lifecycle_files import parse as parse_lifecycle
from stream.core.durations import format_duration
from stream.core.expressions import ConditionError
from stream.webhooks.endpoints.change_conditions import compile_change_condition
from stream.webhooks.endpoints.change_names import KnownNames, names_of
from tests.webhooks.changes import AT, change_of, value_of
from tests.webhooks.reference_change_conditions import holds

SHOP = """\
lifecycle: shop
scores: {interest: {half_life: 14d}, value: {}}
signals: {looked: {each: page, add: {interest: 5, value: 1}}}
facts:
  orders: {count: order}
  last_order: {last: order}
  trial_end: {latest_time: properties.trial_ends_at}
  email: {latest: properties.email}
  to: {count: page}
bands: {grade: {interest: {A: 30, B: }}}
stages: {visitor: {}, customer: {}, vip: {}}
transitions:
  - {from: visitor, to: customer, when: orders >= 1}
  - {from: customer, to: vip, when: orders >= 5}
"""


def shop() -> KnownNames:
    return names_of([parse_lifecycle(SHOP, "shop.yaml").lifecycle])


def wants(text: str, **fields: Any) -> bool:
    return compile_change_condition(text)(change_of(value_of(**fields)))


def refusal(text: str, known: KnownNames | None = None) -> tuple[str, str]:
    """The message, and the text from the place that it is about."""
    with pytest.raises(ConditionError) as caught:
        compile_change_condition(text, known)
    return caught.value.message, text[caught.value.offset :]


# --- what holds


def test_the_condition_of_the_documentation_takes_the_changes_that_it_names() -> None:
    text = 'lifecycle == "shop" and to in ["customer", "vip"] and final'
    assert wants(text)
    assert not wants(text, to="visitor")
    assert not wants(text, lifecycle="b2b")
    assert not wants(text, final=False)
    assert not wants(text, to=None)


@pytest.mark.parametrize(
    "text",
    [
        'from == "visitor"',
        "identified",
        'customer_id == "42"',
        "not exists(anonymous_id)",
        "version >= 1",
        'trigger == "interaction"',
        'trigger.type == "order"',
        "not late",
        "interest > 42",
        "scores.interest > 42",
        "orders == 1",
        "facts.orders == 1",
        "interest > orders",
        "code == 19.9",
        "code > value or code == value",
        "code in [1, 19.9]",
        '"cross_sell" in actions',
        'channels contains "push"',
        'lower(email) == "ada@example.com"',
        'email ends "@example.com" and email starts "Ada" and email contains "@"',
        "since(last_order) >= 1s and since(last_order) < 1001ms",
        "until(last_order) <= -1s",
        "exists(email) and not exists(nothing)",
    ],
)
def test_what_a_change_says_is_asked_for_by_its_name(text: str) -> None:
    assert wants(text)
    assert not wants(f"not ({text})")


@pytest.mark.parametrize(
    "comparison",
    ["nothing == 1", "nothing != 1", 'orders == "x"', 'orders != "x"', "email > 5", "email != 5", "since(email) > 1d"],
)
def test_what_is_not_there_or_of_another_type_makes_a_comparison_false_and_not_of_it_true(comparison: str) -> None:
    assert not wants(comparison)
    assert wants(f"not {comparison}")


def test_a_birth_and_an_end_have_no_stage_on_one_side() -> None:
    assert wants("not exists(from)", **{"from": None})
    assert not wants('from != "visitor"', **{"from": None})
    assert wants("not exists(to)", to=None)


def test_a_fact_with_a_name_of_the_change_is_reached_by_its_path() -> None:
    facts = {"to": 3, "final": AT - 5_000}
    assert wants('facts.to == 3 and to == "customer" and since(facts.final) >= 5s and final', facts=facts)


# --- what is refused


@pytest.mark.parametrize(
    ("text", "message", "rest"),
    [
        ("", "a name or a constant was expected, not the end", ""),
        ("to = 5", "'=' is not an operator here; write '==' (exactly) or '>=' (at least)", "= 5"),
        ("to == 5", 'compares a text with a number; write "5"', "== 5"),
        ('customer_id in ["1", 2]', 'a text is never a number; write "2"', "2]"),
        ('to == "a" or "b"', 'a text alone decides nothing; write to == "b"', '"b"'),
        ('"vip"', 'a text alone decides nothing; a stage that was entered is asked for by to == "vip"', '"vip"'),
        ("5", "a constant alone decides nothing; compare a name with it", "5"),
        ("1 == 1", "both sides are constants: the answer never changes", "== 1"),
        ("to", "this is a text, not true or false; compare it", "to"),
        ("final > 1", "compares true or false with a number", "> 1"),
        ("final > late", "true and false have no order; '>' does not apply", "> late"),
        ("to in []", "nothing is in an empty list", "[]"),
        (
            '"cross" in email',
            (
                '`in` needs a list such as ["a", "b"], or channels or actions; a part of a text is asked '
                'for by email contains "cross"'
            ),
            "email",
        ),
        ('actions == "x"', "a list compares by `in` or `contains` only", '== "x"'),
        ('actions starts "x"', "'starts' looks into a text; this is a list", 'starts "x"'),
        ("version in actions", "actions holds texts; this is a number", "in actions"),
        ('"x" contains email', "what is looked into stands before 'contains': email contains \"x\"", "contains email"),
        ("email contains 5", "'contains' asks for one text in double quotes", "5"),
        (
            "orders >= 90d",
            (
                "compares a score or fact with a duration; how long ago a time fact was is since(fact), how "
                "long it is until then until(fact)"
            ),
            ">= 90d",
        ),
        ("since(last_order) >= 90", "compares a duration with a number; a duration has a unit, as in 90d", ">= 90"),
        (
            "since(last_order) == 90d",
            "'==' on a length of time would hold for one millisecond only; use < <= > >=",
            "== 90d",
        ),
        ("since(last_order) in [1]", "a list never holds a duration", "in [1]"),
        (
            "since(final) > 1d",
            "since(final) needs a fact that is a time; one of that name is facts.final",
            "final) > 1d",
        ),
        ("since(scores.a) > 1d", "since(scores.a) needs a fact that is a time", "scores.a) > 1d"),
        ("since(idle) > 1d", "since(idle) needs a fact that is a time", "idle) > 1d"),
        ("exists(final)", "exists(final): a change always has it", "final)"),
        ('lower(version) == "x"', "lower(version) needs what may be a text; this is a number", 'version) == "x"'),
        (
            "orders >= 10 and orders < 5",
            "contradicts another comparison of the same `and`: together they never hold",
            "< 5",
        ),
        (
            'stage == "vip"',
            "unknown 'stage'; the stage that was entered is to, the one that was left is from",
            'stage == "vip"',
        ),
        ("idle > 3d", "unknown 'idle'; a change tells how long ago a fact was, by since(fact)", "idle > 3d"),
        (
            "properties.total > 3",
            (
                "unknown 'properties.total'; a change does not hold its interaction; a fact of kind "
                "`latest` keeps a property"
            ),
            "properties.total > 3",
        ),
        ("email == null", "unknown name 'null'; what is not there is asked for by not exists(…)", "null"),
        ("Final", "unknown name 'Final'; write final", "Final"),
        ("facts > 3", "facts needs one name, as in facts.orders", "facts > 3"),
        ("scores.a.b > 3", "scores needs one name, as in scores.interest", "scores.a.b > 3"),
        ('trigger.kind == "deadline"', "unknown 'trigger.kind'; write trigger", 'trigger.kind == "deadline"'),
        ("orders.total > 3", "unexpected '.'; `and`, `or` or the end was expected", ".total > 3"),
    ],
)
def test_a_condition_that_cannot_be_meant_is_refused_with_its_place(text: str, message: str, rest: str) -> None:
    assert refusal(text) == (message, rest)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ordres >= 1", "unknown name 'ordres'; did you mean 'orders'?"),
        ("facts.ordres >= 1", "unknown fact 'ordres'; did you mean 'orders'?"),
        ("scores.intrest >= 1", "unknown score 'intrest'; did you mean 'interest'?"),
        ("exists(emial)", "unknown name 'emial'; did you mean 'email'?"),
        ('to == "custmer"', "unknown stage 'custmer'; did you mean 'customer'?"),
        ('"vipp" == from', "unknown stage 'vipp'; did you mean 'vip'?"),
        ('to in ["vip", "vipp"]', "unknown stage 'vipp'; did you mean 'vip'?"),
        ('lifecycle != "shpo"', "unknown lifecycle 'shpo'; did you mean 'shop'?"),
        ("vip", "unknown name 'vip'; a text stands in double quotes, as in to == \"vip\""),
        ('grade == "A"', "grade is a band, which changes do not hold; compare its scores"),
        (
            "since(orders) > 1d",
            ("since(orders) needs a fact of kind `first`, `last` or `latest_time`; here: last_order, trial_end"),
        ),
        (
            "last_order > 5",
            (
                "compares a time with a number; how long ago a time fact was is since(fact), how long it is "
                "until then until(fact)"
            ),
        ),
        ('orders == "1"', "compares a number with a text; write 1 without quotes"),
        ("orders", "this is a number, not true or false; compare it"),
    ],
)
def test_with_the_lifecycles_at_hand_their_names_and_types_are_checked(text: str, message: str) -> None:
    assert refusal(text, shop())[0] == message


def test_with_the_lifecycles_at_hand_what_they_have_passes() -> None:
    text = 'to == "vip" and interest > 3 and orders >= 1 and since(last_order) < 9d and email ends "e" and facts.to < 5'
    compile_change_condition(text, shop())


def test_a_fact_of_one_lifecycle_and_a_score_of_another_may_share_a_name() -> None:
    other = (
        SHOP.replace("lifecycle: shop", "lifecycle: b2b")
        .replace("interest", "email")
        .replace("  email: {latest: properties.email}\n", "")
    )
    known = names_of([parse_lifecycle(each, "x.yaml").lifecycle for each in (SHOP, other)])
    condition = compile_change_condition('email > 5 or email == "x"', known)
    assert condition(change_of(value_of(scores={"email": 6.0})))
    assert condition(change_of(value_of(facts={"email": "x"})))


# --- the reference

TEXTS = st.sampled_from(["", "a", "B", "ab", "5", "5.0", "-1e0", " 5", "05", "1e400", "Σ", "visitor", "x" * 3])
NUMBERS = st.sampled_from([0, 1, 5, -1, 5.5, 1e14, 2**53 + 1])
TEXT_NAMES = ["to", "from", "lifecycle", "customer_id", "anonymous_id", "trigger", "trigger.type"]
ANY_NAMES = ["f", "g", "h", "s", "both", "facts.f", "facts.to", "facts.both"]
NUMBER_NAMES = ["version", "scores.s", "scores.both", "scores.gone"]
SIGNS = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
EQUAL = st.sampled_from(["==", "!="])


def names(*of: list[str]) -> st.SearchStrategy[Any]:
    return st.tuples(st.just("name"), st.sampled_from([each for some in of for each in some]))


def constants(of: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.tuples(st.just("is"), of)


LOWERED = st.tuples(st.just("lower"), st.sampled_from([*TEXT_NAMES, *ANY_NAMES]))
LENGTHS = st.tuples(st.sampled_from(["since", "until"]), st.sampled_from(["f", "g", "h", "facts.to", "facts.f"]))
PLAIN = st.one_of(NUMBERS, TEXTS, st.booleans())
ATOMS = st.one_of(
    st.tuples(SIGNS, names(ANY_NAMES), constants(st.one_of(NUMBERS, TEXTS))),
    st.tuples(EQUAL, names(ANY_NAMES), constants(st.booleans())),
    st.tuples(SIGNS, constants(st.one_of(NUMBERS, TEXTS)), names(ANY_NAMES)),
    st.tuples(SIGNS, names(TEXT_NAMES, ANY_NAMES), names(ANY_NAMES)),
    st.tuples(SIGNS, names(NUMBER_NAMES, ANY_NAMES), names(ANY_NAMES, NUMBER_NAMES)),
    st.tuples(SIGNS, st.one_of(names(TEXT_NAMES), LOWERED), constants(TEXTS)),
    st.tuples(st.sampled_from(["<", "<=", ">", ">="]), LENGTHS, st.tuples(st.just("length"), st.integers(-3, 3))),
    st.tuples(st.just("in"), names(ANY_NAMES), constants(st.lists(PLAIN, min_size=1, max_size=4))),
    st.tuples(st.just("in"), st.one_of(names(TEXT_NAMES), LOWERED), constants(st.lists(TEXTS, min_size=1))),
    st.tuples(
        st.just("in"),
        st.one_of(constants(TEXTS), names(TEXT_NAMES, ANY_NAMES)),
        st.tuples(st.sampled_from(["name", "lower"]), st.sampled_from(["actions", "channels"])),
    ),
    st.tuples(
        st.sampled_from(["contains", "starts", "ends"]),
        st.one_of(names(TEXT_NAMES, ANY_NAMES), LOWERED),
        constants(TEXTS),
    ),
    st.tuples(st.just("contains"), names(["actions", "channels"]), constants(TEXTS)),
    st.tuples(st.just("true"), names(["final", "identified", "late"], ANY_NAMES)),
    st.tuples(
        st.just("true"),
        st.tuples(st.just("exists"), st.sampled_from(["to", "from", "customer_id", "scores.s", *ANY_NAMES])),
    ),
)
TREES = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(st.just("not"), inner),
        st.tuples(st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=3)),
    ),
    max_leaves=6,
)
VALUES = st.one_of(TEXTS, NUMBERS, st.booleans(), st.sampled_from([AT + each for each in range(-3, 4)]))
CHANGES = st.fixed_dictionaries(
    {
        "to": st.one_of(st.none(), TEXTS),
        "from": st.one_of(st.none(), TEXTS),
        "lifecycle": st.sampled_from(["a", "visitor"]),
        "customer_id": st.one_of(st.just(...), TEXTS),
        "anonymous_id": TEXTS,
        "version": st.integers(1, 6),
        "final": st.booleans(),
        "identified": st.booleans(),
        "trigger": st.fixed_dictionaries(
            {"kind": st.sampled_from(["a", "deadline"]), "type": st.one_of(st.none(), TEXTS), "late": st.booleans()}
        ),
        "scores": st.dictionaries(st.sampled_from(["s", "both"]), st.sampled_from([0.0, 1.0, 5.0, 5.5, -1.0])),
        "facts": st.dictionaries(st.sampled_from(["f", "g", "h", "to", "both"]), VALUES),
        "actions": st.lists(TEXTS, max_size=2),
        "channels": st.lists(TEXTS, max_size=2),
    }
)


def written(tree: Any) -> str:
    """The tree as an author writes it."""
    match tree:
        case ("and" | "or" as word, parts):
            return "(" + f" {word} ".join(map(written, parts)) + ")"
        case ("not", part):
            return f"not {written(part)}"
        case ("true", operand):
            return operand_text(operand)
        case (operator, one, other):
            return f"{operand_text(one)} {operator} {operand_text(other)}"
    raise AssertionError(tree)


def operand_text(operand: Any) -> str:
    kind, what = operand
    if kind == "is":
        return json.dumps(what)
    if kind == "length":
        return f"-{format_duration(-what)}" if what < 0 else format_duration(what)
    return what if kind == "name" else f"{kind}({what})"


@given(TREES, st.lists(CHANGES, min_size=1, max_size=4))
def test_every_condition_says_of_every_change_what_the_reference_says(tree: Any, fields: list[dict[str, Any]]) -> None:
    try:
        condition = compile_change_condition(written(tree))
    except ConditionError as error:
        assume("contradicts another comparison" not in error.message)
        raise
    for each in fields:
        value = value_of(**each)
        assert condition(change_of(value)) is holds(tree, value), written(tree)
