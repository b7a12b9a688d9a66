"""Every line of log that the product writes has an event and facts of its own, under names that last."""

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

from stream import events
from stream.events import RESERVED, Event

STREAM = Path(events.__file__).parent
MODULES = [module for module in sorted(STREAM.rglob("*.py")) if module != STREAM / "events.py"]
LEVELS = frozenset({"debug", "info", "warning", "error", "critical"})
LOGGERS = frozenset({"log", "_log", "logger", "_logger"})


def calls(module: Path) -> Iterator[ast.Call]:
    """All of them, wherever in it."""
    return (node for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))) if isinstance(node, ast.Call))


def is_logger(node: ast.expr) -> bool:
    """By its name, or made on the spot."""
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Attribute) and node.func.attr == "getLogger"
    return isinstance(node, ast.Name) and node.id in LOGGERS


def is_bare(call: ast.Call) -> bool:
    """A line without an event: written by a logger itself."""
    return (
        isinstance(call.func, ast.Attribute)
        and call.func.attr in LEVELS | {"exception", "log"}
        and is_logger(call.func.value)
    )


def problems(call: ast.Call) -> Iterator[str]:
    """What is wrong with a call of `report`."""
    match call.args:
        case [ast.Attribute(attr=level, value=logger), ast.Attribute(value=ast.Name(id="Event")), ast.Constant(text)]:
            if level not in LEVELS or not is_logger(logger):
                yield "its first argument is not a logger's method"
            fields = {field for _, field, _, _ in Formatter().parse(str(text)) if field is not None}
            facts = {each.arg for each in call.keywords} - {"exc_info"}
            if not fields <= facts:
                yield f"its text has {sorted(fields - facts)}, of which there is no fact"
            if None in facts:
                yield "its facts are not named one by one"
            if facts & RESERVED:
                yield f"its facts are named as fields of every line are: {sorted(map(str, facts & RESERVED))}"
        case _:
            yield "it is not report(log.LEVEL, Event.NAME, a text that is written out, facts)"


def where(module: Path, node: ast.expr) -> str:
    return f"{module.relative_to(STREAM.parent)}:{node.lineno}"


def reports() -> Iterator[tuple[Path, ast.Call]]:
    """Every call of `report` in the product."""
    for module in MODULES:
        for call in calls(module):
            if isinstance(call.func, ast.Name) and call.func.id == "report":
                yield module, call


def used() -> dict[str, list[frozenset[str]]]:
    """By event, the names of the facts of each place that writes it."""
    found: dict[str, list[frozenset[str]]] = {}
    for module in MODULES:
        for call in calls(module):
            named = [each for each in call.args if isinstance(each, ast.Attribute) and is_event(each)]
            facts = frozenset(str(each.arg) for each in call.keywords) - {"exc_info"}
            for each in named:
                found.setdefault(each.attr, []).append(facts)
    return found


def is_event(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id == "Event"


def test_no_line_is_written_without_an_event() -> None:
    """`report` is the one way to write to the log."""
    assert [where(module, call) for module in MODULES for call in calls(module) if is_bare(call)] == []


def test_every_report_names_its_event_and_a_fact_for_each_field_of_its_text() -> None:
    """A sentence that lacked a fact would be lost when it is needed."""
    found = list(reports())
    assert len(found) > 25
    assert [f"{where(module, call)}: {each}" for module, call in found for each in problems(call)] == []


@pytest.mark.parametrize(
    "wrong",
    [
        'report(log.info, Event.WEB_SERVED, f"at {port}")',
        'report(log.info, Event.WEB_SERVED, "at {port}", bind=1)',
        'report(log.info, Event.WEB_SERVED, "at", level=1)',
        'report(log.info, Event.WEB_SERVED, "at", **facts)',
        'report(log.info, "web_served", "at")',
        'report(print, Event.WEB_SERVED, "at")',
        'report(log.loud, Event.WEB_SERVED, "at")',
    ],
)
def test_a_wrong_report_would_be_found(wrong: str) -> None:
    call = ast.parse(wrong, mode="eval").body
    assert isinstance(call, ast.Call)
    assert list(problems(call))


@pytest.mark.parametrize(
    "bare", ['log.info("at %d", 1)', '_log.exception("at")', 'logging.getLogger("a").log(1, "at")']
)
def test_a_line_without_an_event_would_be_found(bare: str) -> None:
    call = ast.parse(bare, mode="eval").body
    assert isinstance(call, ast.Call)
    assert is_bare(call)


def test_every_event_is_written_somewhere_always_with_the_same_facts_and_named_as_it_is_listed() -> None:
    """An alert on a name that nobody writes any more would be silent for ever."""
    places = used()
    assert sorted(places) == sorted(Event.__members__)
    assert {name: facts for name, facts in places.items() if len(set(facts)) > 1} == {}
    assert [each for each in Event if each.value != each.name.lower()] == []


def test_the_list_of_events_names_the_facts_of_each() -> None:
    """It is the documentation of what alerts and searches may rest on."""
    documented = documentation()
    missing = {
        name: sorted(fact for fact in set().union(*facts) if fact not in documented[name])
        for name, facts in used().items()
    }
    assert {name: facts for name, facts in missing.items() if facts} == {}


def documentation() -> dict[str, str]:
    """What stands below each event in the list; nothing where it has no facts."""
    [listed] = ast.parse(inspect.getsource(Event)).body
    assert isinstance(listed, ast.ClassDef)
    texts: dict[str, str] = {}
    name = ""
    for node in listed.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            texts[name] = ""
        elif name and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            texts[name] = str(node.value.value)
    return texts
