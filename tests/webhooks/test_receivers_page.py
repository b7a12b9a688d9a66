"""docs/webhook-receivers.md shows what the receivers of docs/examples, which `make sdks` runs, really do."""

import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"
PAGE = (ROOT / "docs" / "webhook-receivers.md").read_text(encoding="utf-8")


def shown(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_what_is_shown_stands_in_the_programs() -> None:
    for language, program in (("python", "python/receiver.py"), ("js", "node/receiver.mjs")):
        [block] = shown(language)
        assert block in (EXAMPLES / program).read_text(encoding="utf-8")


def test_the_releases_that_are_named_are_those_that_are_run() -> None:
    python = (EXAMPLES / "python" / "requirements.txt").read_text(encoding="utf-8").strip()
    node = json.loads((EXAMPLES / "node" / "package.json").read_text(encoding="utf-8"))["dependencies"]
    named = re.findall(r"\[`standardwebhooks`\]\(.*?\) (\S+):", PAGE)
    assert named == [python.partition("==")[2], node["standardwebhooks"]]
