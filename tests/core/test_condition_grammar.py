"""The text of conditions: what binds how tightly, what constants look like, and what is refused and where."""

import pytest

from stream.core.durations import format_duration, parse_duration
from stream.core.expressions import (
    And,
    Bare,
    Call,
    Comparison,
    ConditionError,
    Duration,
    Literal,
    Name,
    Node,
    Not,
    Operand,
)
from stream.core.language.parser import MAX_LENGTH, parse, parse_path, quote, unquote


def shape(node: Node) -> str:
    """The tree with all its parentheses."""
    if isinstance(node, Comparison):
        return f"{side(node.left)} {node.operator} {side(node.right)}"
    if isinstance(node, Bare):
        return side(node.operand)
    if isinstance(node, Not):
        return f"not({shape(node.part)})"
    return "(" + (" and " if isinstance(node, And) else " or ").join(map(shape, node.parts)) + ")"


def side(operand: Operand) -> str:
    """One side of a comparison."""
    if isinstance(operand, Call):
        return f"{operand.function}({operand.name})"
    if isinstance(operand, Duration):
        return f"{operand.value}ms"
    return repr(operand.value) if isinstance(operand, Literal) else str(operand)


def constant(text: str) -> object:
    """The constant on the right of a comparison."""
    node = parse(f"x == {text}")
    assert isinstance(node, Comparison)
    assert isinstance(node.right, Literal | Duration)
    return node.right.value


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a", "a"),
        ("a or b and c", "(a or (b and c))"),
        ("a and b or c", "((a and b) or c)"),
        ("(a or b) and c", "((a or b) and c)"),
        ("a or b or c", "(a or b or c)"),
        ("a and b and c", "(a and b and c)"),
        ("not a and b", "(not(a) and b)"),
        ("not (a and b)", "not((a and b))"),
        ("not not a", "not(not(a))"),
        ("not a == 1", "not(a == 1)"),
        ("not a or not b and not c", "(not(a) or (not(b) and not(c)))"),
        ("a < 1 or b >= 2 and c != 3", "(a < 1 or (b >= 2 and c != 3))"),
        ("((a))", "a"),
        ("a in [1, 2] and b", "(a in (Literal(value=1, offset=6), Literal(value=2, offset=9)) and b)"),
        ("since(a) >= 90d", "since(a) >= 7776000000ms"),
        ("exists(properties.a)", "exists(properties.a)"),
        ('not a contains "x" and b', "(not(a contains 'x') and b)"),
        ('lower(properties.a)starts"x"', "lower(properties.a) starts 'x'"),
        ("b in lower(context.a)", "b in lower(context.a)"),
        ("contained == lowered", "contained == lowered"),
        ("  a\n  and\tb  ", "(a and b)"),
        ("a<1", "a < 1"),
        ("a>-1", "a > -1"),
        ("1<=a", "1 <= a"),
        ("(a)or(b)", "(a or b)"),
        ("nothing and order or inside", "((nothing and order) or inside)"),
        ("android == notorious", "android == notorious"),
    ],
)
def test_or_binds_least_then_and_then_not_then_one_comparison(text: str, tree: str) -> None:
    """Words within names are no operators."""
    assert shape(parse(text)) == tree


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("properties.a.b", ("properties", "a", "b")),
        ('properties["a b"]', ("properties", "a b")),
        ('properties["a b"].c["d"]', ("properties", "a b", "c", "d")),
        ('context["\\u00e9\\n"]', ("context", "é\n")),
        ('properties[""]', ("properties", "")),
        ("properties.in.and.since", ("properties", "in", "and", "since")),
        ("properties.contains.lower", ("properties", "contains", "lower")),
        ("event.type", ("event", "type")),
        ("item", ("item",)),
        ("item.a.b", ("item", "a", "b")),
        ('item["a b"].c', ("item", "a b", "c")),
        ("properties.item", ("properties", "item")),
    ],
)
def test_a_name_is_a_path_into_the_interaction(text: str, path: tuple[str, ...]) -> None:
    """Dots for names, brackets for any other key."""
    node = parse(text)
    assert isinstance(node, Bare)
    assert isinstance(node.operand, Name)
    assert node.operand.path == path


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("-0.5", -0.5),
        ("12", 12),
        ("-12", -12),
        ("1e3", 1000.0),
        ("1.5E-2", 0.015),
        ("2e+2", 200.0),
        ("999999999999999", 999_999_999_999_999),
        ("true", True),
        ("false", False),
        ('""', ""),
        ('"a b"', "a b"),
        ('"it\'s"', "it's"),
        ('"\\"\\\\\\/\\b\\f\\n\\r\\t"', '"\\/\b\f\n\r\t'),
        ('"\\u0041\\u00E9"', "Aé"),
        ('"\\ud83d\\ude00"', "\U0001f600"),
        ('"\\\\u0041"', "\\u0041"),
        ('"\\ud83d"', "\ufffd"),
        ('"é\U0001f600"', "é\U0001f600"),
    ],
)
def test_constants_are_numbers_texts_and_booleans(text: str, value: object) -> None:
    """Text in double quotes with JSON's escapes."""
    assert constant(text) == value
    assert type(constant(text)) is type(value)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("0ms", 0),
        ("7ms", 7),
        ("2s", 2_000),
        ("3m", 180_000),
        ("4h", 14_400_000),
        ("90d", 7_776_000_000),
        ("2w", 1_209_600_000),
        ("007d", 604_800_000),
        ("999999999999999w", 999_999_999_999_999 * 604_800_000),
    ],
)
def test_durations_are_whole_numbers_with_a_unit(text: str, length: int) -> None:
    """In conditions and in the rest of the file alike."""
    assert constant(text) == length
    assert parse_duration(text) == length


@pytest.mark.parametrize("text", ["", "d", "1", "1.5d", "-1d", "1 d", "1D", "1y", "d1", "1d2h", "1d ", "1" * 16 + "d"])
def test_anything_else_is_no_duration(text: str) -> None:
    """None tells the caller."""
    assert parse_duration(text) is None


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (0, "0ms"),
        (1, "1ms"),
        (1_001, "1001ms"),
        (2_000, "2s"),
        (60_000, "1m"),
        (3_600_000, "1h"),
        (7_776_000_000, "90d"),
    ],
)
def test_a_duration_is_written_in_the_largest_unit_that_divides_it(length: int, text: str) -> None:
    """And reads as the same length."""
    assert format_duration(length) == text
    assert parse_duration(text) == length


@pytest.mark.parametrize(
    ("text", "offset", "message"),
    [
        ("", 0, "a name or a constant was expected, not the end"),
        ("   ", 3, "not the end"),
        ("a and", 5, "not the end"),
        ("and a", 0, "not 'and'"),
        ("a b", 2, "unexpected 'b'"),
        ("1 < a < 3", 6, "comparisons do not chain"),
        ("a == b == c", 7, "comparisons do not chain"),
        ("a in [1] in [2]", 9, "comparisons do not chain"),
        ("a not in [1]", 2, "before the whole comparison"),
        ("a == not b", 5, "not 'not'"),
        ("(a", 2, "')' was expected, not 'the end'"),
        ("(1 < a < 3)", 7, "')' was expected"),
        ("a)", 1, "unexpected ')'"),
        ("()", 1, "not ')'"),
        ("a = 1", 2, "write '==' (exactly) or '>=' (at least)"),
        ("a = 1d", 2, "not an operator here; write '=='"),
        ('a = "x"', 2, "not an operator here; write '=='"),
        ("a within 21d", 2, "`within` stands in a fact: {count: …, within: 21d}"),
        ("a && b", 2, "write 'and'"),
        ("a || b", 2, "write 'or'"),
        ("!a", 0, "write 'not'"),
        ("a <> 1", 2, "write '!='"),
        ("a == 'x'", 5, "double quotes"),
        ('a == "x', 5, 'the closing " of this text is missing'),
        ('a == "x\\"', 5, 'the closing " of this text is missing'),
        ('a == "\\x"', 5, "an escape that JSON does not know"),
        ('a == "\\u12g4"', 5, "an escape that JSON does not know"),
        ('a == "x\ny"', 5, "a line break"),
        ("a == 01", 5, "not a number"),
        ("a == 1.", 5, "not a number"),
        ("a == .5", 5, "not '.'"),
        ("a == 1.5d", 5, "write 36h"),
        ("a == -5.5d", 5, "write -132h"),
        ("a == -5y", 5, "as in -1825d"),
        ("a -5d", 2, "nothing is calculated here"),
        ("a > - 5d", 4, "nothing is calculated here"),
        ("a == 5y", 5, "as in 1825d"),
        ("a == +5", 5, "unexpected '+'"),
        ("a == 1e15", 5, "below 1e15"),
        ("a == -1000000000000000", 5, "below 1e15"),
        ("a == 1e999", 5, "below 1e15"),
        ("idle > 1000000000000000d", 7, "never passes"),
        ("a in [1", 7, "',' was expected"),
        ("a in [1,]", 8, "not ']'"),
        ("a in [[1]]", 6, "a list holds"),
        ("a in [b]", 6, "a list holds"),
        ("a in [1d]", 6, "a list holds"),
        ("since a", 6, "'(' was expected"),
        ("since(1) > 1d", 6, "a name was expected"),
        ("since(a > 1d", 8, "')' was expected"),
        ("properties. > 1", 12, "was expected after '.'"),
        ("properties[a] > 1", 11, "a text in double quotes was expected"),
        ('properties["a" > 1', 15, "']' was expected"),
        ("a.b > 1", 1, "unexpected '.'"),
        ("items.b > 1", 5, "unexpected '.'"),
        ("properties.a[0] > 1", 13, "over: takes its elements one by one"),
        ("item[0] > 1", 5, "over: takes its elements one by one"),
        ("item. > 1", 6, "was expected after '.'"),
        ("a ; b", 2, "';' is not an operator here; write 'and'"),
        ("a ~ b", 2, "no regular expressions"),
        ("a contains", 10, "not the end"),
        ("a contains contains", 11, "not 'contains'"),
        ('contains "x"', 0, "not 'contains'"),
        ('a contains "x" ends "y"', 15, "comparisons do not chain"),
        ('(a contains "x" in b)', 16, "comparisons do not chain"),
        ('a starts with "x"', 2, "write 'starts'"),
        ("lower a", 6, "'(' was expected"),
        ("lower(5)", 6, "a name was expected"),
        ('lower("DE")', 6, 'in small letters: "de"'),
        ("lower(lower(a))", 11, "')' was expected"),
        ('exists("a")', 7, "without quotes: exists(a)"),
        ("a + 1 > 2", 2, "unexpected '+'"),
        ("f(a)", 1, "unexpected '('"),
    ],
)
def test_a_text_that_is_no_condition_is_refused_at_its_place(text: str, offset: int, message: str) -> None:
    """The offset is that of the first character that does not fit."""
    with pytest.raises(ConditionError) as caught:
        parse(text)
    assert message in caught.value.message
    assert caught.value.offset == offset


@pytest.mark.parametrize(
    ("opening", "closing", "most"), [("(", ")", 31), ("not ", "", 31), ("not (", ")", 15), ("((not ", "))", 10)]
)
def test_depth_is_bounded(opening: str, closing: str, most: int) -> None:
    """At 32 levels, the whole condition being the first: so no text can exhaust the stack."""
    parse(opening * most + "a" + closing * most)
    with pytest.raises(ConditionError, match="nested deeper than 32"):
        parse(opening * (most + 1) + "a" + closing * (most + 1))


def test_what_stands_side_by_side_is_not_deep() -> None:
    """Depth is left again with each parenthesis and each `not`."""
    parse(" and ".join(["((not a))"] * 100))
    parse(" or ".join(["not not a"] * 100))


def test_length_is_bounded() -> None:
    """At 4,096 characters."""
    assert shape(parse("a" + " " * (MAX_LENGTH - 1))) == "a"
    with pytest.raises(ConditionError, match="at most 4,096 characters"):
        parse("a" + " " * MAX_LENGTH)


def test_a_path_alone_is_read_by_the_same_grammar() -> None:
    """For what `sum`, `latest` and points name."""
    assert parse_path('properties["a b"].c').path == ("properties", "a b", "c")
    assert str(parse_path('context["a b"].c')) == 'context["a b"].c'
    assert (parse_path("item").path, parse_path("item.price").path) == (("item",), ("item", "price"))
    for text in ("total", "event.type", "properties.a > 1", "1", "exists(properties.a)", "properties.a b"):
        with pytest.raises(ConditionError):
            parse_path(text)


def test_unquote_leaves_other_characters_alone() -> None:
    """Only what a backslash begins is an escape."""
    assert unquote('"a/b\'c"') == "a/b'c"


@pytest.mark.parametrize("text", ["", "a", 'a"b', "a\\b", "\n\x00\x1f", "é\U0001f600", '\\"'])
def test_a_text_that_is_quoted_is_read_as_it_was(text: str) -> None:
    """So that a message shows what can be copied."""
    assert constant(quote(text)) == text
