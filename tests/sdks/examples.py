"""What else of the product runs elsewhere: the examples of subscribers in docs/examples, and AsyncAPI's own parser."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from stream.settings import Settings
from tests.bench import children
from tests.kit.topics import read_all

_ROOT: Final = Path(__file__).resolve().parents[2]
_ASYNCAPI: Final = _ROOT / "deploy" / "asyncapi" / "validate.sh"
_SUBSCRIBERS: Final = {
    "subscriber in Node": _ROOT / "docs" / "examples" / "node" / "run.sh",
    "subscriber in Java": _ROOT / "docs" / "examples" / "java" / "run.sh",
}
_SECONDS: Final = 300


class Example(NamedTuple):
    """How it went for one of them."""

    name: str
    said: str
    """What it had to do with."""
    differences: list[str]


async def run_examples(settings: Settings, say: Callable[[str], None]) -> list[Example]:
    """Run all of them on the topics of a run."""
    say("AsyncAPI: the document of the topics")
    examples = [await _validated()]
    changes = await _changes(settings)
    for name, script in _SUBSCRIBERS.items():
        say(f"{name}: {len(changes)} stage changes")
        wrong = await _subscribed(script, settings, changes)
        examples.append(Example(name, f"{len(changes)} stage changes", wrong))
    return examples


async def _validated() -> Example:
    code, output, errors = await _run(_ASYNCAPI)
    wrong = [f"{code}: {errors or output}"] if code else []
    return Example("AsyncAPI's parser", output.strip().rpartition("/")[2], wrong)


async def _changes(settings: Settings) -> list[str]:
    """The lines that a subscriber prints: of each change that is to be acted on."""
    found = await read_all(settings.bootstrap, settings.topics.stage_changes)
    lines: list[str] = []
    for records in found.values():
        for record in records:
            change = json.loads(record.value or b"")
            if change["final"]:
                came, went = change["from"] or "null", change["to"] or "null"
                lines.append(f"{dict(record.headers)['ce_id'].decode()} {came} -> {went}")
    return lines


async def _subscribed(script: Path, settings: Settings, changes: list[str]) -> list[str]:
    """Whatever a subscriber that begins at the beginning does wrong."""
    group = f"example-{script.parent.name}"
    code, output, errors = await _run(script, settings.bootstrap, group, str(len(changes)))
    if code:
        return [f"it ended with {code}: {errors[-1_000:]}"]
    printed = output.splitlines()
    wrong = [f"it never printed {line}" for line in changes if line not in printed]
    wrong += [f"it printed {line}" for line in printed if line not in changes]
    if len(printed) != len(set(printed)):
        wrong.append("it printed a change twice")
    if "missing" in errors:
        wrong.append(errors[-1_000:])
    return wrong


async def _run(script: Path, *arguments: str) -> tuple[int, str, str]:
    """Exit code and what it wrote on stdout and stderr; one that is not there is a difference like others."""
    try:
        ended = await children.run([str(script), *arguments], script.parent, seconds=_SECONDS)
    except TimeoutError:
        return 1, "", f"it did not end within {_SECONDS} s"
    except OSError as error:
        return 1, "", f"{script}: {error.strerror}"
    return ended.code, ended.output, ended.errors
