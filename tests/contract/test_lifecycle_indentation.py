"""A line of a lifecycle file that begins in a wrong column gives one error, which says in which it should begin."""

import re
from collections.abc import Iterator
from textwrap import dedent

import pytest

from stream.codec.lifecycle_yaml.lifecycle_files import LifecycleFileError, parse
from stream.codec.lifecycle_yaml.located_yaml import LocatedProblem

SHOP = dedent("""\
    lifecycle: shop
    interactions:
      visit: [page]
      order: [Order Completed]
      unsubscribed: [Unsubscribed]
    scores:
      engagement:
        half_life: 14d
        max: 100
    signals:
      opened:
        each: visit
        add:
          engagement: 5
    facts:
      orders:
        count: order
    stages:
      visitor: {}
      fan:
        title: Fan
      vip: {}
    transitions:
      - from: visitor
        to: fan
        when: engagement >= 20
      - from: fan
        to: vip
        when: orders >= 5
""")


def findings(text: str) -> list[LocatedProblem]:
    """What is said of a file; nothing where it means what the shop means."""
    try:
        assert parse(text, "shop.yaml").lifecycle.digest == parse(SHOP, "shop.yaml").lifecycle.digest
    except LifecycleFileError as error:
        return error.findings
    return []


def shifted() -> Iterator[tuple[int, str]]:
    """The shop with each of its lines at every column that a hand may have put it in."""
    lines = SHOP.splitlines()
    for number, line in enumerate(lines):
        indent = len(line) - len(line.lstrip())
        for column in range(indent + 5):
            if column != indent:
                text = "\n".join([*lines[:number], " " * column + line.lstrip(), *lines[number + 1 :], ""])
                yield number + 1, text


@pytest.mark.parametrize(("line", "text"), list(shifted()))
def test_a_line_in_a_wrong_column_is_one_error_about_indentation(line: int, text: str) -> None:
    """At that line, or at the one beside it that is indented otherwise."""
    for found in findings(text):
        assert found.message.removeprefix("not YAML: ").startswith("wrong indentation: ")
        assert abs(found.line - line) <= 3
    assert len(findings(text)) <= 1


@pytest.mark.long
def test_whoever_does_what_is_said_comes_to_a_file_that_can_be_used() -> None:
    """Every advice, followed up to four times."""
    left = []
    for _line, wrong in shifted():
        text = wrong
        for _ in range(4):
            for found in findings(text):
                text = obeyed(text, found)
        left += findings(text)
    assert left == []


def obeyed(text: str, found: LocatedProblem) -> str:
    """The file after the line was moved to the column that the message names last."""
    lines = text.splitlines()
    line = lines[found.line - 1]
    move = int(re.findall(r"column (\d+)", found.message)[-1]) - found.column
    lines[found.line - 1] = " " * (len(line) - len(line.lstrip()) + move) + line.lstrip()
    return "\n".join([*lines, ""])


@pytest.mark.parametrize(
    "below",
    [
        "  <<: {a: 1}",
        "  <<: *x\n  max: 5",
        "  1: {}\nhalf_life: 14d",
        "  ? [a]\n  : 1",
        "  - a\nmax: 5",
        "  'a:b': 1\n   c: 2",
    ],
)
def test_what_few_people_write_in_yaml_is_refused_like_anything_else(below: str) -> None:
    """Merged mappings, keys that are no texts, lists for mappings."""
    assert findings(SHOP.replace("scores:\n", f"scores:\n{below}\n"))
