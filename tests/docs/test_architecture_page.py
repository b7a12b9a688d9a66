"""`docs/architecture.md` shows every state, phase and part that there is."""

import re
from dataclasses import fields
from typing import Final

from stream.engine.status import EngineStatus, PartitionState, PartitionStatus, Phase
from stream.kafka.contact import ContactStatus
from tests.docs.markdown import ROOT, blocks, names, page, rows, section

PAGE: Final = page("docs/architecture.md")
ROLES: Final = page("docs/roles.md")
STREAM: Final = ROOT / "stream"


def test_the_drawing_has_every_state_of_a_partition_and_a_way_to_each() -> None:
    """Under the names that `/readyz` shows, in the code's own."""
    (drawing,) = blocks(PAGE, "mermaid")
    drawn = {name: label for label, name in re.findall(r'state "([^"]+)" as (\w+)', drawing)}
    assert drawn == {each.name: each.value for each in PartitionState}
    ways = re.findall(r"(\S+) --> (\S+?):", drawing)
    assert {end for _, end in ways} - {"[*]"} == set(drawn)
    assert {start for start, _ in ways} - {"[*]"} == set(drawn) - {"FAILED"}


def test_the_table_of_states_is_that_of_the_code() -> None:
    assert sorted(names(section(PAGE, "## A partition"))) == sorted(each.value for each in PartitionState)


def test_the_phases_of_a_worker_are_those_of_the_code() -> None:
    phases = [each.value for each in Phase]
    assert sorted(names(section(PAGE, "## A worker"))) == sorted(phases)
    assert [each for each in phases if f"`{each}`" not in section(ROLES, "### Health")] == []


def test_every_folder_of_the_product_has_its_line_and_every_line_its_part() -> None:
    """And no part is named that is not there."""
    text = section(PAGE, "## What may import what")
    parts = {part for cells in rows(text) for part in re.findall(r"`([a-z_/]+)`", cells[0])}
    there = {
        each.relative_to(STREAM).with_suffix("").as_posix() for each in (*STREAM.glob("*"), *STREAM.glob("core/*"))
    }
    assert parts - there == set()
    folders = {each.name for each in STREAM.iterdir() if each.is_dir()} - {"__pycache__"}
    assert [each for each in folders if f"`{each}`" not in text] == []


def test_the_modules_in_the_picture_are_where_it_says() -> None:
    """A newcomer follows it from module to module."""
    (picture, *_) = blocks(PAGE, "")
    modules = re.findall(r"[a-z_]+/[a-z_/]+\.py|[a-z_]+/[a-z_]+/(?= )", picture)
    assert len(modules) > 6
    assert [each for each in modules if not (STREAM / each).exists()] == []


def test_the_body_of_readyz_is_documented_field_by_field() -> None:
    health = section(ROLES, "### Health")
    overall, partition = health.split("Each of `partitions`:", 1)
    shown = {each.name for each in fields(PartitionStatus)} | {"lag"}
    assert set(names(section("## P\n" + partition, "## P").split("### ", 1)[0])) == shown
    of_engine = {each.name for each in fields(EngineStatus)}
    assert of_engine | {"status", "lifecycles", "others"} == {
        each for each in names(overall) if not each.startswith("/")
    }
    (kafka,) = [line for line in overall.splitlines() if line.startswith("| `kafka`")]
    assert set(re.findall(r"`(\w+)`", kafka)) == {"kafka", *(each.name for each in fields(ContactStatus))}
