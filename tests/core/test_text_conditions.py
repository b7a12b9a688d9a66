"""Rule 27: parts of a text, and texts in small letters."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.event import Event
from stream.core.expressions import ConditionError
from stream.core.lifecycle import Condition
from stream.core.mentions import MeantNames, event_names_in
from tests.core.shop import SHOP, compiled
from tests.core.subject import Subject, lifecycle
from tests.kit.times import T0

GRIN = "\U0001f600"
"""Of one code point, which UTF-16 has as two."""


def answer(condition: Condition, properties: dict[str, object], name: str = "page") -> bool:
    """Whether it holds for a visit of someone of whom nothing else is known."""
    word = SHOP.words.get(name, name)
    return condition.with_event.holds(
        SHOP.begin(T0, "", False), T0, Event(word, name, T0, properties, {"agent": "Bot"})
    )


def holds(text: str, x: object = None) -> bool:
    return answer(compiled(text), {"x": x})


@pytest.mark.parametrize(
    ("x", "contains", "starts", "ends"),
    [
        ("art", True, True, True),
        ("artist", True, True, False),
        ("smart", True, False, True),
        ("parts", True, False, False),
        ("ar", False, False, False),
        ("a rt", False, False, False),
        ("ART", False, False, False),
        ("", False, False, False),
        (["art", 1], True, False, False),
        (["artist"], False, False, False),
        ([["art"]], False, False, False),
        ([None, {"art": "art"}, "art"], True, False, False),
        ([], False, False, False),
        ({"art": "art"}, False, False, False),
        (True, False, False, False),
        (5, False, False, False),
        (None, False, False, False),
    ],
)
def test_a_text_has_a_part_somewhere_at_its_begin_or_at_its_end(x, contains, starts, ends):
    """And a list that holds it contains it; nothing else has parts."""
    assert holds('properties.x contains "art"', x) is contains
    assert holds('properties.x starts "art"', x) is starts
    assert holds('properties.x ends "art"', x) is ends


@pytest.mark.parametrize("operator", ["contains", "starts", "ends"])
def test_not_of_a_part_holds_for_whatever_has_it_not(operator):
    """Also where there is nothing at all (rule 11)."""
    text = f'not (properties.x {operator} "a")'
    assert [holds(text, x) for x in ("a", "b", "", 5, None, [])] == [False, True, True, True, True, True]


@pytest.mark.parametrize("operator", ["contains", "starts", "ends"])
def test_the_empty_text_is_a_part_of_every_text_and_of_no_list_without_it(operator):
    text = f'properties.x {operator} ""'
    assert [holds(text, x) for x in ("", "a", 5, None, ["a"])] == [True, True, False, False, False]
    assert holds(text, [""]) is (operator == "contains")
    assert compiled(text).warnings == (f'properties.x {operator} "" holds for every text',)


@pytest.mark.parametrize(
    ("text", "x", "expected"),
    [
        (f'properties.x contains "{GRIN}"', f"a{GRIN}b", True),
        ('properties.x contains "\\ud83d\\ude00"', f"a{GRIN}b", True),  # as JSON escapes it
        ('properties.x starts "\\ud83d"', GRIN, False),  # half a sign is none
        (f'properties.x ends "{GRIN}"', "\U0001f601", False),  # though their first halves are the same
        ('properties.x contains "e"', "e\u0301", True),  # an accent of its own is a code point of its own
        ('properties.x contains "é"', "e\u0301", False),
        ('properties.x contains "\\n"', "a\nb", True),
        ('properties.x contains "\\"a\\""', 'say "a"', True),
        ('properties.x contains "."', "abc", False),  # no pattern
        ('properties.x starts "^"', "abc", False),
    ],
)
def test_parts_are_compared_by_code_points(text, x, expected):
    assert holds(text, x) is expected


@given(st.text(max_size=6), st.text(max_size=3).filter(lambda part: '"' not in part and "\\" not in part))
def test_a_part_is_where_a_search_by_code_points_finds_it(x, part):
    points, wanted = [ord(each) for each in x], [ord(each) for each in part]
    if any(each < " " for each in part):
        return  # needs an escape
    found = [at for at in range(len(points) + 1) if points[at : at + len(wanted)] == wanted]
    assert holds(f'properties.x contains "{part}"', x) is bool(found)
    assert holds(f'properties.x starts "{part}"', x) is (0 in found)
    assert holds(f'properties.x ends "{part}"', x) is (len(points) - len(wanted) in found)


@pytest.mark.parametrize(
    ("x", "small"),
    [
        ("DE", "de"),
        ("É", "é"),
        ("\u0130", "i\u0307"),  # a small i, and the dot above as a code point of its own
        ("I", "i"),
        ("\u0131", "\u0131"),
        ("STRAßE", "straße"),
        ("\u1e9e", "ß"),  # its capital
        ("\u03a3", "\u03c3"),  # Σ alone
        ("\u039f\u03a3", "\u03bf\u03c2"),  # Σ at the end of a word has another small form
        ("\U00010400", "\U00010428"),  # beyond what UTF-16 has in one piece
        ("", ""),
        ("a1-_", "a1-_"),
    ],
)
def test_small_letters_are_those_of_python(x, small):
    """One text may become longer."""
    assert holds(f'lower(properties.x) == "{small}"', x)
    assert holds(f'lower(properties.x) contains "{small}"', x)
    assert holds(f'lower(properties.x) in ["{small}"]', [x]) is False
    assert holds(f'"{small}" in lower(properties.x)', [1, x])
    assert small == x.lower()


@pytest.mark.parametrize(
    ("text", "x", "expected"),
    [
        ('lower(properties.x) != "de"', "FR", True),
        ('lower(properties.x) != "de"', "DE", False),
        ('lower(properties.x) < "e"', "DE", True),
        ('"e" > lower(properties.x)', "DE", True),
        ('lower(properties.x) in ["de", "at"]', "De", True),
        ('lower(properties.x) starts "d"', "De", True),
        ('lower(properties.x) ends "e"', "DE", True),
        ('lower(properties.x) contains "vip"', ["VIP", 1], True),
        ('lower(properties.x) contains "vip"', ["VIPs"], False),
        ('lower(properties.x) starts "vip"', ["VIP"], False),
        ('lower(properties.x) == "vip"', ["VIP"], False),
        ("5 in lower(properties.x)", [5], True),  # what is no text stays as it is
        ("5 in lower(properties.x)", ["5"], True),
        ("true in lower(properties.x)", [True], True),
        ('"vip" in lower(properties.x)', "VIP", False),  # no list
        ('"vip" in lower(properties.x)', [["VIP"]], False),
        ('lower(properties.x) == "5"', 5, False),  # no text has no small letters
        ('lower(properties.x) != "5"', 5, False),
        ('lower(properties.x) == "true"', True, False),
        ('lower(properties.x) contains "a"', {"a": 1}, False),
        ('lower(properties.x) == "null"', None, False),
        ('not (lower(properties.x) == "null")', None, True),
        ("lower(properties.x) == lower(event.name)", "PAGE", True),
        ("lower(properties.x) == event.name", "PAGE", True),
        ("properties.x == lower(event.name)", "PAGE", False),
        ("lower(properties.x) in lower(properties.x)", ["A"], False),
        ('lower(event.type) starts "vis"', None, True),
        ('lower(context.agent) == "bot"', None, True),
        ('event.name contains "ag"', None, True),
        ('stage starts "le"', None, True),
        ('stage ends "le"', None, False),
        ('lower(country) == "de"', None, False),
    ],
)
def test_a_text_in_small_letters_compares_by_every_operator(text, x, expected):
    assert holds(text, x) is expected


def test_a_latest_fact_has_parts_and_small_letters_too():
    subject = Subject(SHOP)
    subject.sees(T0, "page", {"country": "Germany", "plan": 7})
    event = Event("visit", "page", T0, {"part": "MAN", "list": ["GERMANY"]}, {})

    def known(text: str) -> bool:
        return compiled(text).with_event.holds(subject.life(), T0, event)

    assert known('country contains "man" and country starts "Ger" and not (country ends "Y")')
    assert known('lower(country) == "germany" and lower(country) in lower(properties.list)')
    assert not known('plan contains "7" or lower(plan) == "7" or lower(plan) != "7"')
    assert known('not (lower(plan) contains "7")')


@pytest.mark.parametrize(
    "text", ['properties.x contains "a"', 'lower(properties.x) == "a"', '"a" in lower(properties.x)']
)
def test_without_an_interaction_what_names_it_is_unknown_and_so_is_not_of_it(text):
    """Rule 11: so that time alone never moves anybody because of a text that nobody sent."""
    assert compiled(text).without_event is None
    assert compiled(f"not ({text})").without_event is None
    assert compiled(f"not not ({text})").without_event is None
    alone = compiled(f"not ({text}) or orders == 0").without_event
    assert alone is not None
    assert alone.holds(SHOP.begin(T0, "", False), T0, None)
    assert compiled(f"not ({text} and orders == 0)").without_event is not None  # false where there are orders


def test_what_is_known_of_the_customer_has_parts_without_an_interaction():
    alone = compiled('country contains "er" and lower(country) starts "g"').without_event
    subject = Subject(SHOP)
    subject.sees(T0, "page", {"country": "Germany"})
    assert alone is not None
    assert alone.holds(subject.life(), T0, None)


def test_time_alone_moves_by_a_part_of_what_is_known():
    """At the millisecond at which the other part of the condition becomes true."""
    subject = Subject(
        lifecycle("""
            facts: {country: {latest: properties.country}}
            stages: {a: {}, b: {}}
            transitions: [{from: a, to: b, when: 'not (lower(country) contains "x") and idle >= 10ms'}]
        """)
    )
    subject.sees(T0, "page", {"country": "DE"})
    assert subject.next_due() == T0 + 10
    subject.sees(T0 + 1, "page", {"country": "MX"})
    assert subject.next_due() is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('orders contains "5"', "'contains' looks into a text; this is a number; compare it, as in orders == 5"),
        ('country contains "a" or "b"', 'a text alone decides nothing; write country contains "b"'),
        ('lower(country) == "a" and ("x" or plan)', "a text alone decides nothing; an interaction is asked for"),
        ('orders > 1 and country starts "a" and "b"', 'a text alone decides nothing; write country starts "b"'),
        ('orders > 1 or "b"', "a text alone decides nothing; an interaction is asked for"),
        ('identified starts "a"', "'starts' looks into a text; this is true or false"),
        ('last_visit ends "a"', "'ends' looks into a text; this is a time"),
        ('idle contains "a"', "'contains' looks into a text; this is a duration"),
        ('exists(country) contains "a"', "this is true or false"),
        ("country contains 5", "'contains' asks for a text in double quotes, as in contains \"5\""),
        ("country contains true", 'as in contains "true"'),
        ("country starts 5d", "'starts' asks for a text in double quotes"),
        ("country ends plan", "'ends' asks for a text in double quotes"),
        ("country contains stage", "asks for a text in double quotes"),
        ("country contains D", 'a text stands in double quotes: "D"'),
        ("country contains New Zealand", 'a text stands in double quotes: "New Zealand"'),
        ("Session Start >= 3", "how often it came is a fact"),
        ("Trial Ends", 'an interaction is asked for by event.type == "Trial Ends"'),
        ("Post Like and orders > 3", 'an interaction is asked for by event.type == "Post Like"'),
        ("country includes DE", "'includes' is not an operator here; write 'contains'"),
        ("country contains []", "'contains' asks for one text"),
        (
            'country starts ["a", "b", "c"]',
            'asks for one text; join several by `or`, as in country starts "a" or country starts "b"',
        ),
        ('"a" contains country', "stands before 'contains': country contains \"a\""),
        ('["a"] contains country', "stands before 'contains': country in […]"),
        ('5 starts "5"', "both sides are constants"),
        ('"a" in country', 'a part of a text is asked for by country contains "a"'),
        ('"a" in stage', 'a part of a text is asked for by stage contains "a"'),
        ('"a" in lower(country)', 'by lower(country) contains "a"'),
        ("5 in country", "or a property that holds one"),
        ("lower(properties.x)", "this is a text, not true or false"),
        ("lower(properties.x) == 5", "compares a text with a number"),
        ("lower(properties.x) == true", "compares a text with true or false"),
        ('lower(properties.x) in ["a", 5]', "a text is never a number"),
        ("lower(properties.x) == orders", "compares a text with a number"),
        ("lower(properties.x) > 5d", "compares a text with a duration"),
        ('lower(stage) == "a"', "lower(stage) needs what may be a text"),
        ('lower(orders) == "a"', "needs what may be a text"),
        ('lower(last_visit) == "a"', "needs what may be a text"),
        ('lower(idle) == "a"', "needs what may be a text"),
        ('lower(contry) == "a"', "unknown name 'contry'; did you mean 'country'"),
        ('lower(properties) == "a"', "properties needs a name"),
        ('lower(event) == "a"', "write event.type"),
        ('country starts "a" and country starts "b"', "contradicts"),
        ('country ends "a" and country ends "ba" and country ends "ca"', "contradicts"),
        ('country contains "a" and country == "b"', "contradicts"),
        ('country in ["b", true, "cd"] and country contains "dd"', "contradicts"),
        ('country contains "a" and not (country contains "a")', "contradicts"),
        ('stage starts "g" and stage == "lead"', "contradicts"),
    ],
)
def test_a_comparison_of_texts_that_makes_no_sense_is_refused_at_load(text, message):
    with pytest.raises(ConditionError, match=re.escape(message)):
        compiled(text)


@pytest.mark.parametrize(
    "text",
    [
        'country starts "a" and country starts "ab"',
        'country contains "a" and country contains "b"',
        'country contains "a" and country != "a"',
        'country contains "a" and not (country contains "b")',
        'country contains "5" and country == 5',  # for the text
        'country in ["b", "cd"] and country contains "d"',
        'lower(country) == "a" and country == "A"',
        'not (stage contains "x") and stage == "lead"',
        'country ends "a" and country > 5',
    ],
)
def test_comparisons_of_texts_that_can_hold_together_are_taken(text):
    assert compiled(text).text == text


@pytest.mark.parametrize(
    ("text", "capitals"),
    [
        ('lower(country) == "DE"', ["DE"]),
        ('"DE" != lower(country)', ["DE"]),
        ('lower(country) in ["de", "AT", "Ch"]', ["AT", "Ch"]),
        ('lower(country) contains "D"', ["D"]),
        ('lower(country) starts "\\u0130"', ["\u0130"]),
        ('lower(country) == "de" or lower(country) ends "ß"', []),
        ('country == "DE"', []),
        ('"DE" in lower(properties.x)', ["DE"]),
    ],
)
def test_capitals_beside_small_letters_are_warned_of(text, capitals):
    """With the text as it must be."""
    said = [each for each in compiled(text).warnings if "no capitals" in each]
    assert len(said) == len(capitals)
    for warning, capital in zip(said, capitals, strict=True):
        assert warning.endswith(f'never meets "{capital}"; write "{capital.lower()}"')


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ('properties.x == "/a*"', 'write properties.x starts "/a"'),
        ('"*a" == properties.x', 'write properties.x ends "a"'),
        ('lower(properties.x) in ["*a*"]', 'write lower(properties.x) contains "a"'),
        ('properties.x != "a*"', 'write not (properties.x starts "a")'),
        ('properties.x == "a*b"', 'write properties.x starts "a" and properties.x ends "b"'),
        ('properties.x == "a*b*c"', "a text compares as a whole, or by contains, starts and ends"),
        ('properties.x == "*"', "a text compares as a whole, or by contains, starts and ends"),
        ('properties.x starts "a*"', "leave it out"),
    ],
)
def test_a_star_is_warned_of_with_what_it_stands_for_elsewhere(text, right):
    [warning] = compiled(text).warnings
    assert warning.endswith(f"stands for itself alone; {right}")
    if right.startswith("write "):
        compiled(right.removeprefix("write "))


def test_in_of_what_is_most_likely_a_text_is_warned_of():
    [warning] = compiled('"a" in properties.page.path').warnings
    assert warning.endswith('asked for by properties.page.path contains "a"')
    for text in ('"a" in properties.tags', "5 in properties.path", "country in properties.path"):
        assert compiled(text).warnings == ()


def test_parts_of_event_names_are_no_event_names():
    """They would be missed among the interactions."""
    tree = compiled('event.name contains "Ord" or event.type == "visit" or lower(event.name) == "opt out"').tree
    assert event_names_in(tree) == {"visit"}
    text = """
        interactions: {visit: [page]}
        stages: {a: {}, b: {}}
        transitions: [{from: a, to: b, when: 'event.name starts "pa" or event.type contains "isi"'}]
    """
    assert lifecycle(text).warnings == ()


def test_an_event_name_that_a_condition_asks_for_by_a_part_means_something():
    """So that it is not told to be one that nothing is known of."""
    text = """
        interactions: {visit: [page]}
        facts: {ads: {count: visit, where: 'event.name ends "_ad"'}}
        stages: {a: {}, b: {}}
        transitions:
          - {from: a, to: b, when: 'event.name starts "promo" or not (event.type contains "Opt")'}
          - {from: b, to: a, when: '"bye" == lower(event.name) or lower(event.type) in ["end", "fin"]'}
    """
    meant = MeantNames(lifecycle(text))
    names = ("page", "visit", "promotion", "my_ad", "The Opt Out", "BYE", "Fin", "END", "Promo", "byes", "ad", "opt")
    assert [each for each in names if each not in meant] == ["Promo", "byes", "ad", "opt"]


def test_two_stages_whose_parts_exclude_each_other_form_no_endless_cycle():
    text = """
        facts: {{plan: {{latest: properties.plan}}}}
        stages: {{a: {{}}, b: {{}}}}
        transitions:
          - {{from: a, to: b, when: 'plan contains "gold"'}}
          - {{from: b, to: a, when: '{}'}}
    """
    assert lifecycle(text.format('not (plan contains "gold")')).warnings == ()
    assert len(lifecycle(text.format('not (plan contains "silver")')).warnings) == 1
