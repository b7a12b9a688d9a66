"""What may import what.

core <- core.language <- codec <- settings <- machine | kafka (neither the other) <- offline, engine, metrics
<- operations <- web, webhooks, report, subscription <- app <- cli; operations.verification knows neither machine nor
engine.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
STREAM = ROOT / "stream"
MODULES = sorted(STREAM.rglob("*.py"))
TREES = {module: ast.parse(module.read_text(encoding="utf-8")) for module in MODULES}
"""Read before any test runs: Python 3.11 fails to parse where objects of other tests are thrown away meanwhile."""
PURE = [
    module
    for module in MODULES
    if module.relative_to(STREAM).parts[0] in ("core", "machine")
    or module.relative_to(STREAM).parts[:2] == ("webhooks", "deliveries")
]

_SHARED = frozenset(
    {"errors", "settings", "settings_sources", "schema_files", "setting_types", "topic_names", "events"}
)
_PURE = frozenset({"core", "core.language", "codec", "offline"})
_RUNNING = _PURE | {"machine", "kafka", "engine"} | _SHARED

ALLOWED: dict[str, frozenset[str]] = {
    "core": frozenset({"core"}),
    "core.language": frozenset({"core", "core.language"}),
    "codec": frozenset({"core", "core.language", "codec", "errors"}),
    # The worker's own figures, over files.
    "offline": _PURE | {"machine", "errors"},
    "machine": frozenset({"core", "codec", "machine", "errors", "settings"}),
    "kafka": frozenset({"core", "codec", "kafka"}) | _SHARED,
    "engine": _RUNNING,
    "operations": _RUNNING | {"operations"},
    "operations.verification": frozenset({"core", "codec", "kafka", "operations.verification"}) | _SHARED,
    "web": _RUNNING | {"operations", "web", "metrics", "watched_file"},
    # Deliveries are run by the worker's own partition engine, with another machine.
    "webhooks": _RUNNING | {"webhooks", "metrics", "watched_file"},
    # Spans of batches, which are made of records; of requests they see what HTTP says.
    "tracing": frozenset({"codec", "machine", "kafka", "engine", "tracing", "build", "errors", "settings", "events"}),
    # What marketing reads, reckoned from frames that files and topics fill.
    "report": _PURE | {"kafka", "report"} | _SHARED,
    # For services in Python; what a subscriber needs, without the worker.
    "subscription": frozenset({"core", "codec", "kafka", "subscription"}) | _SHARED,
    "app": _RUNNING | {"operations", "web", "webhooks", "metrics", "logs", "build", "tracing"},
    "webhook_role": _RUNNING | {"web", "webhooks", "metrics", "logs", "build", "tracing"},
    "collector": _PURE | {"kafka", "web", "logs", "build", "tracing"} | _SHARED,
    "cli": _RUNNING
    | {"operations", "operations.verification", "web", "webhooks", "report", "app", "collector", "webhook_role"}
    | {"cli", "logs", "build", "demo", "presets", "subscription"},
    # Data, and what makes it.
    "presets": frozenset(),
    "demo": frozenset({"core", "codec", "demo"}),
    # What the whole product shares: errors and events know nothing, metrics observe the engine.
    "errors": frozenset(),
    "settings": frozenset({"core", "codec", "errors", "setting_types", "topic_names"}),
    "settings_sources": frozenset({"codec", "errors", "setting_types", "settings"}),
    "schema_files": frozenset(),
    "topic_names": frozenset(),
    "setting_types": frozenset({"core", "codec", "errors"}),
    "metrics": frozenset({"core", "codec", "machine", "kafka", "engine", "errors", "build", "known_labels"})
    | {"name_labels"},
    "known_labels": frozenset({"core", "codec", "machine", "engine", "name_labels"}),
    "name_labels": frozenset(),
    "events": frozenset(),
    "watched_file": frozenset({"errors", "events"}),
    "logs": frozenset({"errors", "settings", "events", "tracing"}),
    "build": frozenset({"core"}),
    # For whoever subscribes, when they ask for it.
    "__init__": frozenset({"subscription", "codec"}),
}
"""By part of the product: the parts that it may import."""

OF_WEBHOOKS: dict[str, frozenset[str]] = {
    # The machine of deliveries, pure as the worker's, and what it shares with those who send.
    "webhooks.exchange": frozenset(),
    "webhooks.attempt_log": frozenset({"webhooks.exchange"}),
    "webhooks.endpoint": frozenset({"codec", "webhooks.exchange"}),
    "webhooks.deliveries": frozenset({"codec", "machine", "errors", "webhooks.deliveries"})
    | {"webhooks.exchange", "webhooks.attempt_log", "webhooks.endpoint"},
}
"""Rooms of `webhooks` that know less than the rest of it; who may import that may import them."""

ALLOWED = {
    part: allowed | OF_WEBHOOKS.keys() if "webhooks" in allowed else allowed for part, allowed in ALLOWED.items()
} | OF_WEBHOOKS

PURE_MAY_IMPORT = frozenset(
    {"array", "bisect", "collections", "contextlib", "dataclasses", "difflib", "enum", "functools", "hashlib", "heapq"}
    | {"itertools", "math", "mypy_extensions", "operator", "re", "typing", "xxhash"}
)
"""Without I/O, clock, randomness, threads or serialisation."""
VECS = "librt.vecs."
"""Numbers side by side; the rest of that library has a clock, and randomness."""

PURE_MAY_ALSO_IMPORT: dict[str, frozenset[str]] = {
    # The calendar, whose clock is not asked, and the digits of every script.
    "stream/core/times.py": frozenset({"datetime", "unicodedata"}),
    # While a lifecycle is loaded, its time zone is read from a package that is installed with the product.
    "stream/core/language/time_zones.py": frozenset({"importlib", "tzdata"}),
    "stream/core/language/tzif.py": frozenset({"struct"}),
}
"""What one module may import besides, and why."""

ASKS_THE_CLOCK = frozenset({"now", "utcnow", "today", "fromtimestamp", "timestamp", "astimezone"})
"""Methods of dates that ask this machine for its time or its zone."""

CODEC_MAY_NOT_IMPORT = frozenset(
    {"asyncio", "aiokafka", "faust", "mode", "aiohttp", "prometheus_client", "time", "random"}
)

TOP_LEVEL = frozenset({"stream", "schemas", "tests", "deploy", "docs", "findings"})
STREAM_FOLDERS = frozenset(
    {"core", "codec", "offline", "machine", "kafka", "engine", "operations", "web", "webhooks", "report"}
    | {"presets", "cli", "demo", "subscription", "tracing"}
)
STREAM_FILES = frozenset(
    {"__init__.py", "app.py", "settings.py", "setting_types.py", "topic_names.py", "metrics.py", "errors.py", "logs.py"}
    | {"settings_sources.py", "schema_files.py", "build.py", "known_labels.py", "name_labels.py", "events.py"}
    | {"collector.py", "watched_file.py", "webhook_role.py"}
)
TEST_FOLDERS = frozenset(
    {"core", "properties", "contract", "machine", "kafka", "engine", "operations", "offline", "web", "webhooks"}
    | {"faults", "bench", "kit", "end_to_end", "presets", "cli", "deploy", "docs", "fuzz", "subscription", "sdks"}
    | {"console", "report", "figures", "incidents", "tracing"}
)


def name_of(module: Path) -> str:
    """A module's path for test ids."""
    return module.relative_to(ROOT).as_posix()


def part_of(module: Path) -> str:
    """The part of the product that a module belongs to."""
    return part_named(module.relative_to(STREAM).with_suffix("").as_posix().replace("/", "."))


def part_named(dotted: str) -> str:
    """The part that something belongs to, by its name below `stream`; a folder in it may have a rule of its own."""
    first, _, rest = dotted.partition(".")
    nested = f"{first}.{rest.partition('.')[0]}"
    return nested if nested in ALLOWED else first


def imports(module: Path) -> Iterator[tuple[int, str]]:
    """Line and dotted name of everything that a module imports, wherever in it."""
    for node in ast.walk(TREES.get(module) or ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, each.name) for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = node.module or ""
            assert node.level == 0, f"{name_of(module)}:{node.lineno} imports relatively; write the whole name"
            yield from ((node.lineno, f"{package}.{each.name}") for each in node.names)


def wrong(module: Path) -> list[str]:
    """The imports that go against the arrow."""
    allowed = ALLOWED[part_of(module)]
    found: list[str] = []
    for line, name in imports(module):
        top, _, rest = name.partition(".")
        if top == "stream" and part_named(rest) not in allowed:
            found.append(f"{name_of(module)}:{line} imports {name}")
    return found


def test_the_arrow_is_checked_over_all_modules() -> None:
    """Every part has its rule, so that a new one cannot slip in without."""
    assert len(MODULES) > 40
    assert {part_of(module) for module in MODULES} <= set(ALLOWED)


def test_imports_follow_the_arrow() -> None:
    """As the table has it."""
    assert [each for module in MODULES for each in wrong(module)] == []


def test_the_arrow_has_no_way_round() -> None:
    """Parts that may import each other would be one part: what is allowed is without cycles."""
    reachable = {part: set(allowed) - {part} for part, allowed in ALLOWED.items()}
    for _ in ALLOWED:
        for names in reachable.values():
            names |= {further for name in list(names) for further in reachable[name]}
    assert [part for part, names in reachable.items() if part in names] == []


@pytest.mark.parametrize("module", PURE, ids=name_of)
def test_what_is_pure_imports_nothing_that_does_something(module: Path) -> None:
    """No clock, no I/O, no JSON, no randomness: time and bytes come from outside."""
    allowed = PURE_MAY_IMPORT | PURE_MAY_ALSO_IMPORT.get(name_of(module), frozenset()) | {"stream"}
    foreign = [
        f"{name_of(module)}:{line} imports {name}"
        for line, name in imports(module)
        if name.partition(".")[0] not in allowed and not name.startswith(VECS)
    ]
    assert foreign == []


@pytest.mark.parametrize("module", sorted(PURE_MAY_ALSO_IMPORT))
def test_what_core_knows_of_dates_asks_no_clock(module: str) -> None:
    """The library of dates has one, and it knows the zone of the machine."""
    asks = [
        f"{module}:{node.lineno} names .{node.attr}"
        for node in ast.walk(TREES[ROOT / module])
        if isinstance(node, ast.Attribute) and node.attr in ASKS_THE_CLOCK
    ]
    assert asks == []


@pytest.mark.parametrize("module", PURE, ids=name_of)
def test_what_is_pure_calls_nothing_that_reaches_outside(module: Path) -> None:
    """Built-in functions need no import: none that opens, prints, runs code, or differs between processes."""
    outside = {"open", "print", "input", "eval", "exec", "compile", "__import__", "hash", "id", "breakpoint"}
    found = [
        f"{name_of(module)}:{node.lineno} calls {node.func.id}()"
        for node in ast.walk(TREES.get(module) or ast.parse(module.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in outside
    ]
    assert found == []


@pytest.mark.parametrize("module", sorted((STREAM / "codec").rglob("*.py")), ids=name_of)
def test_the_codec_is_without_network_and_clock(module: Path) -> None:
    """Bytes to core and back, whenever and wherever."""
    assert [name for _line, name in imports(module) if name.partition(".")[0] in CODEC_MAY_NOT_IMPORT] == []


def test_only_composition_roots_know_engine_and_web_at_once() -> None:
    """Parts are put together in one place for each role, app.py and webhook_role.py; a command may not do it itself."""
    both = [
        name_of(module)
        for module in MODULES
        if {"stream.engine", "stream.web"} <= {".".join(name.split(".")[:2]) for _line, name in imports(module)}
        and part_of(module) not in ("app", "web", "webhook_role")
    ]
    assert both == []


def test_every_folder_is_one_that_the_layout_names() -> None:
    """A new folder is a new idea: it is named in the layout first."""
    tracked = [each.name for each in ROOT.iterdir() if each.is_dir() and not each.name.startswith(".")]
    made = {"build", "dist", "node_modules"}
    assert set(tracked) - made - TOP_LEVEL == set()
    below = {each.name for each in STREAM.iterdir() if each.is_dir()} - {"__pycache__"}
    assert below - STREAM_FOLDERS == set()
    assert {each.name for each in STREAM.glob("*.py")} - STREAM_FILES == set()
    tests = {each.name for each in (ROOT / "tests").iterdir() if each.is_dir()} - {"__pycache__"}
    assert tests - TEST_FOLDERS == set()


def test_a_wrong_import_would_be_found(tmp_path: Path) -> None:
    """The check itself: inside functions and under TYPE_CHECKING, too."""
    module = tmp_path / "module.py"
    module.write_text(
        "import os.path\n"
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from stream.machine import machine\n"
        "def f():\n    import stream.web.routes as h\n",
        encoding="utf-8",
    )
    assert [name for _line, name in imports(module)] == [
        "os.path",
        "typing.TYPE_CHECKING",
        "stream.machine.machine",
        "stream.web.routes",
    ]
