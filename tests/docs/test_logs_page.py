"""`docs/logs.md` has every event that the product logs, with its fields, and no other."""

import ast
import re

from stream.events import LIBRARY, RESERVED, Event
from tests.docs.markdown import ROOT, page, rows, section

PAGE = page("docs/logs.md")
TABLES = (
    "## A worker starts and ends",
    "## A collector",
    "## Webhooks",
    "## Kafka",
    "## The group and its partitions",
    "## Lifecycles",
    "## Tracing",
    "## Subscribers",
)


def written() -> dict[str, frozenset[str]]:
    """By event, the fields of the lines that the product writes with it."""
    found: dict[str, frozenset[str]] = {}
    for module in (ROOT / "stream").rglob("*.py"):
        for call in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call):
                found.update(dict.fromkeys(map(event_of, filter(is_event, call.args)), fields_of(call)))
    return found


def fields_of(call: ast.Call) -> frozenset[str]:
    """Those that `report` has as keywords, and a `Line` that is made by hand in a dictionary."""
    in_keywords = {str(each.arg) for each in call.keywords} - {"exc_info"}
    in_map = {str(key.value) for key in keys_of(call.args) if isinstance(key, ast.Constant)}
    return frozenset(in_keywords | in_map)


def keys_of(arguments: list[ast.expr]) -> list[ast.expr | None]:
    return [key for each in arguments if isinstance(each, ast.Dict) for key in each.keys]


def is_event(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Event"


def event_of(node: ast.expr) -> str:
    assert isinstance(node, ast.Attribute)
    return Event[node.attr].value


def test_the_page_has_every_event_with_the_fields_that_are_written() -> None:
    cells = [each for heading in TABLES for each in rows(section(PAGE, heading))]
    documented = {event.strip("`"): frozenset(re.findall(r"`(\w+)`", fields)) for event, fields, _ in cells}
    assert len(documented) == len(cells) == len(Event)
    assert documented == written()


def test_the_fields_of_every_line_are_named() -> None:
    before = PAGE.split("\n## ", 1)[0]
    assert [each for each in RESERVED - {"exc_info", "stack_info"} if f"`{each}`" not in before] == []
    assert f"`{LIBRARY}`" in before
