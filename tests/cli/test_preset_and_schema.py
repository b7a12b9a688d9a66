"""`lifecycle preset` and `lifecycle schema`: what comes with the product, printed to be copied."""

import tomllib
from pathlib import Path

import orjson
import pytest

from stream.cli.schema import Schema
from stream.codec.lifecycle_yaml.lifecycle_files import load, presets
from tests.cli.commands import Run

ROOT = Path(__file__).parents[2]


def test_presets_are_listed_with_a_line_each(lifecycle: Run) -> None:
    found = lifecycle("preset")
    assert (found.returncode, found.stderr) == (0, "")
    assert [line.split(maxsplit=1) for line in found.stdout.splitlines()] == [
        [name, load(name).lifecycle.title] for name in presets()
    ]


def test_a_preset_that_is_printed_is_a_lifecycle_file_that_means_the_same(lifecycle: Run, tmp_path: Path) -> None:
    """All but its first line, which names the schema that `lifecycle schema` writes beside it."""
    copy = tmp_path / "copy.yaml"
    copy.write_text(lifecycle("preset", "metrics").stdout, encoding="utf-8")
    (tmp_path / "lifecycle.schema.json").write_text(lifecycle("schema").stdout, encoding="utf-8")
    first, _, rest = copy.read_text(encoding="utf-8").partition("\n")
    original = (ROOT / "stream" / "presets" / "metrics.yaml").read_text(encoding="utf-8")
    assert rest == original.partition("\n")[2]
    assert (copy.parent / first.removeprefix("# yaml-language-server: $schema=")).exists()
    assert load(str(copy)).lifecycle.digest == load("metrics").lifecycle.digest


def test_a_preset_that_does_not_exist_is_answered_with_those_that_do(lifecycle: Run) -> None:
    found = lifecycle("preset", "shop")
    assert (found.returncode, found.stdout) == (2, "")
    assert all(name in found.stderr for name in ("'shop'", *presets()))


@pytest.mark.parametrize("name", Schema)
def test_a_schema_that_is_printed_is_the_published_one(lifecycle: Run, name: str) -> None:
    """From sources, and from the wheel where the tests run compiled."""
    found = lifecycle("schema", name)
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout == (ROOT / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8")


def test_without_a_name_the_schema_of_lifecycle_files_is_printed(lifecycle: Run) -> None:
    assert orjson.loads(lifecycle("schema").stdout)["title"] == "Lifecycle"


def test_every_schema_can_be_printed_and_is_in_the_wheel() -> None:
    published = {path.name for path in (ROOT / "schemas").glob("*.schema.json")}
    assert {f"{name}.schema.json" for name in Schema} == published
    published |= {path.name for path in (ROOT / "schemas").glob("*.yaml")}
    build = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]
    assert build["targets"]["wheel"]["force-include"] == {
        f"schemas/{name}": f"stream/schemas/{name}" for name in published
    }
