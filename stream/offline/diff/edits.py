"""What of a lifecycle file another one changes, by meaning: order and notation that mean nothing are left out."""

from collections.abc import Iterator, Mapping
from typing import Final, Literal, NamedTuple

from stream.codec.lifecycle_yaml.located_yaml import document_of
from stream.core.durations import parse_duration
from stream.offline.diff.versions import Versions, renamed_way, ways_of

Change = Literal["added", "removed", "changed", "renamed", "moved"]
_PARTS: Final = {
    "interactions": "word",
    "ledgers": "ledger",
    "scores": "score",
    "signals": "signal",
    "facts": "fact",
    "bands": "band",
    "stages": "stage",
    "figures": "figure",
    "rates": "rate",
}
"""What the entries of a mapping are called, by its key."""
_OF_THE_FILE: Final = ("lifecycle", "version", "title", "time_zone", "passive")
_LENGTHS: Final = ("half_life", "within", "expires", "per", "hold", "at_most_every")


class Edit(NamedTuple):
    """One difference between the files."""

    change: Change
    part: str
    """What it is: `score`, `signal`, `transition`…; `file` for what concerns all of it."""
    name: str
    key: str | None
    """Which key of it; None: all of it."""
    old: str | None
    """As the old file has it, in one line; None: it has not."""
    new: str | None


def edits_of(texts: tuple[str, str], versions: Versions) -> list[Edit]:
    """The differences between two lifecycle files, which are given as texts, in the order of the parts of a file."""
    old, new = (_mapping(document_of(text, "")) for text in texts)
    found = [each for key in _OF_THE_FILE if (each := _of_the_file(key, old.get(key), new.get(key)))]
    for key, part in _PARTS.items():
        renamed = versions.renamed if key == "stages" else {}
        found += _of_entries(part, _mapping(old.get(key)), _mapping(new.get(key)), renamed)
    found += _of_transitions(versions)
    return found


def _of_the_file(key: str, old: object, new: object) -> Edit | None:
    if _meaning(old) == _meaning(new):
        return None
    change: Change = "added" if old is None else "removed" if new is None else "changed"
    return Edit(change, "file", key, None, _line(old), _line(new))


def _of_entries(
    part: str, old: Mapping[str, object], new: Mapping[str, object], renamed: Mapping[str, str]
) -> Iterator[Edit]:
    """What became of each entry of a mapping."""
    before = {renamed.get(name, name): name for name in old}
    for name in dict.fromkeys([*before, *new]):
        if name not in before:
            yield Edit("added", part, name, None, None, _line(new[name]))
        elif name not in new:
            yield Edit("removed", part, name, None, _line(old[before[name]]), None)
        else:
            if before[name] != name:
                yield Edit("renamed", part, name, None, before[name], name)
            yield from _of_values(part, name, old[before[name]], new[name])
    if part == "stage" and next(iter(before)) != next(iter(new)):
        yield Edit("moved", part, next(iter(new)), None, next(iter(before)), next(iter(new)))


def _of_values(part: str, name: str, old: object, new: object) -> Iterator[Edit]:
    """What of one entry is another: key by key where both have keys."""
    before, after = old or {}, new or {}
    if not (isinstance(before, Mapping) and isinstance(after, Mapping)):
        if _meaning(old) != _meaning(new):
            yield Edit("changed", part, name, None, _line(old), _line(new))
        return
    for key in dict.fromkeys([*before, *after]):
        one, other = before.get(key), after.get(key)
        if _meaning(one, str(key)) != _meaning(other, str(key)):
            yield Edit("changed", part, name, str(key), _line(one), _line(other))


def _of_transitions(versions: Versions) -> Iterator[Edit]:
    """Ways from stage to stage that came, went, or have another condition, or are tried in another order."""
    old = [renamed_way(each, versions.renamed) for each in ways_of(versions.lifecycles[0])]
    new = list(ways_of(versions.lifecycles[1]))
    gone = [each for each in old if each not in new]
    came = [each for each in new if each not in old]
    alike: dict[tuple[str, str | None, str | None], list[str]] = {}
    for way in gone:
        other = next((each for each in came if each[:2] == way[:2]), None)
        if other is not None:
            came.remove(other)
        alike.setdefault((way.target, way.text, None if other is None else other.text), []).append(way.source)
    for way in came:
        alike.setdefault((way.target, None, way.text), []).append(way.source)
    for (target, before, after), sources in alike.items():
        change: Change = "added" if before is None else "removed" if after is None else "changed"
        ends = f"{', '.join(_title(each, versions) for each in sources)} → {_title(target, versions)}"
        yield Edit(change, "transition", ends, None, before, after)
    for source in versions.lifecycles[1].stages:
        ordered = [each for each in old if each.source == source and each in new]
        tried = [each for each in new if each.source == source and each in old]
        if ordered != tried:
            targets = [", ".join(_title(each.target, versions) for each in ways) for ways in (ordered, tried)]
            yield Edit("moved", "transition", source, None, *targets)


def _title(stage: str, versions: Versions) -> str:
    old, new = versions.lifecycles
    found = new.stages.get(stage) or old.stages.get(stage)
    return stage if found is None else found.title


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _meaning(value: object, key: str = "") -> object:
    """Equal for what is written in two ways and means the same."""
    if isinstance(value, Mapping):
        return {str(name): _meaning(each, str(name)) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return _meaning(value[0], key) if len(value) == 1 else [_meaning(each, key) for each in value]
    if isinstance(value, str):
        text = " ".join(str(value).split())
        length = parse_duration(text) if key in _LENGTHS else None
        return text if length is None else length
    if isinstance(value, bool) or value is None:
        return value
    return float(value) if isinstance(value, int | float) else str(value)


def _line(value: object) -> str | None:
    """A value in one line, as YAML may be written."""
    if value is None:
        return None
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_line(each) or ''}".strip() for key, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_line(each) or "" for each in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return " ".join(str(value).split())
