"""Lifecycle files that are edited again and again: each edit drawn from a seed, as people do it.

Titles, thresholds and half-lives change; signals and facts are added, removed and reordered; a stage is renamed, or
goes; a lifecycle is added or dropped. Of those, each edit is one and one more.
"""

import random
import re
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from stream.codec.lifecycle_yaml.lifecycle_files import LifecycleFileError, load_all
from stream.core.lifecycle import Lifecycle
from stream.settings import Clock
from tests.faults.importing import LIFECYCLE as UNEDITED

_NUMBER = re.compile(r"(?<=[<>=] )\d+(?=$| |\))")
_TRIES = 200
_FEWEST = 4
"""Stages that are left at least."""
_PRESETS = Path(__file__).parents[2] / "stream" / "presets"
EXTRA = "platform"
"""The lifecycle that is added and dropped."""

Document = dict[str, Any]


@dataclass(frozen=True)
class Version:
    """The lifecycles that all workers are to have at the same time."""

    files: tuple[Path, ...]
    lifecycles: tuple[Lifecycle, ...]
    what: str
    """What was edited, in words."""


def versions(base: Sequence[str], edits: int, seed: int, folder: Path, clock: Clock) -> list[Version]:
    """The files as they are, and after each of so many edits, written to `folder`; UNEDITED is there beside them."""
    chance = random.Random(seed)
    documents = {path.stem: _read(path) for path in map(_path, base)}
    found = [_written(documents, folder, 0, "as they are")]
    kinds = [each for each in _KINDS if each is not _remove]
    chance.shuffle(kinds)
    kinds.insert(0, _remove)  # moves people, and short runs have one edit only
    if clock == "stream":  # added, and dropped again, within the six edits of ten minutes
        kinds.insert(chance.randrange(1, 3), _lifecycle)
        kinds.insert(chance.randrange(4, 6), _lifecycle)
    return found + [
        _edited(documents, kinds[(number - 1) % len(kinds)], number, chance, folder) for number in range(1, edits + 1)
    ]


def _edited(documents: dict[str, Document], kind: "Kind", number: int, chance: random.Random, folder: Path) -> Version:
    """One edit, and a second one of any kind; what does not load is drawn again."""
    for _ in range(_TRIES):
        tried = {name: deepcopy(document) for name, document in documents.items()}
        what = [each(tried, number, chance) for each in (kind, chance.choice(_KINDS))]
        for name, document in tried.items():
            if name not in documents or _dump(document) != _dump(documents[name]):
                document["version"] = number + 1
        try:
            version = _written(tried, folder, number, ", ".join(filter(None, what)))
        except LifecycleFileError:
            continue  # such as a stage that no transition leads to any more
        documents.clear()
        documents.update(tried)
        return version
    raise RuntimeError(f"no edit {kind.__name__} loads")


def _written(documents: dict[str, Document], folder: Path, number: int, what: str) -> Version:
    files = [UNEDITED]
    for name, document in documents.items():
        path = folder / f"{name}-{number}.yaml"
        _yaml().dump(document, path)
        files.append(path)
    loaded = tuple(each.lifecycle for each in load_all([str(path) for path in files]))
    return Version(tuple(files), loaded, what)


def _path(name: str) -> Path:
    return Path(name) if name.endswith(".yaml") else _PRESETS / f"{name}.yaml"


def _yaml() -> YAML:
    yaml = YAML()
    yaml.width = 1_000
    return yaml


def _read(path: Path) -> Document:
    """Without the comments, which would be in the way where a list gets shorter."""
    document: Document = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    return document


def _dump(document: Document) -> str:
    text = StringIO()
    _yaml().dump(document, text)
    written: str = text.getvalue()
    return written


def _any(documents: dict[str, Document], chance: random.Random) -> Document:
    return documents[chance.choice(sorted(documents))]


def _words(document: Document, chance: random.Random) -> str:
    words: list[str] = sorted(document["interactions"])
    return chance.choice(words)


def _title(documents: dict[str, Document], number: int, chance: random.Random) -> str:
    document = _any(documents, chance)
    document["title"] = f"Edit {number}"
    return "title"


def _threshold(documents: dict[str, Document], number: int, chance: random.Random) -> str:
    transition = chance.choice(_any(documents, chance)["transitions"])
    transition["when"] = _NUMBER.sub(
        lambda found: str(max(1, int(found[0]) + chance.choice((-1, 1, 2)))), transition["when"]
    )
    return "threshold"


def _half_life(documents: dict[str, Document], number: int, chance: random.Random) -> str:
    scores = [each for each in _any(documents, chance)["scores"].values() if "half_life" in each]
    chosen = chance.choice(scores)
    amount, unit = int(chosen["half_life"][:-1]), chosen["half_life"][-1]
    chosen["half_life"] = f"{max(1, amount + chance.choice((-1, 1, 5)))}{unit}"
    return "half-life"


def _more(documents: dict[str, Document], number: int, chance: random.Random) -> str:
    document = _any(documents, chance)
    score = chance.choice(sorted(document["scores"]))
    signal = {"each": _words(document, chance), "add": {score: 1}}
    document["signals"] = {f"signal_{number}": signal, **document["signals"]}
    document["facts"] = {f"fact_{number}": {"count": _words(document, chance)}, **document["facts"]}
    return "signal and fact added"


def _fewer(documents: dict[str, Document], number: int, chance: random.Random) -> str:
    document = _any(documents, chance)
    for part in ("signals", "facts"):
        unused = [name for name in document[part] if not _is_used(document, name)]
        if unused:
            del document[part][chance.choice(unused)]
    return "signal and fact removed"


def _order(documents: dict[str, Document], number: int, chance: random.Random) -> str:
    document = _any(documents, chance)
    for part in ("signals", "facts"):
        items = list(document[part].items())
        chance.shuffle(items)
        document[part] = dict(items)
    return "signals and facts reordered"


def _rename(documents: dict[str, Document], number: int, chance: random.Random) -> str:
    document = _any(documents, chance)
    old = chance.choice(list(document["stages"]))
    _rename_stage(document, old, f"{old.rpartition('_v')[0] or old}_v{number}")
    return f"stage {old} renamed"


def _remove(documents: dict[str, Document], number: int, chance: random.Random) -> str:
    long = {name: document for name, document in documents.items() if len(document["stages"]) > _FEWEST}
    document = _any(long or documents, chance)
    if not long:
        return _rename(documents, number, chance)
    gone = chance.choice(list(document["stages"])[1:])
    stays = chance.choice([each for each in document["stages"] if each != gone])
    _rename_stage(document, gone, stays)
    kept = []
    for transition in document["transitions"]:
        sources = [each for each in _sources(transition) if each != transition["to"]]
        if sources:
            kept.append({**transition, "from": sources[0] if len(sources) == 1 else sources})
    document["transitions"] = kept
    return f"stage {gone} removed, its transitions are those of {stays}"


def _lifecycle(documents: dict[str, Document], number: int, chance: random.Random) -> str:
    if EXTRA in documents:
        del documents[EXTRA]
        return f"lifecycle {EXTRA} dropped"
    documents[EXTRA] = _read(_path(EXTRA))
    return f"lifecycle {EXTRA} added"


def _sources(transition: Document) -> list[str]:
    sources = transition["from"]
    return [sources] if isinstance(sources, str) else list(sources)


def _rename_stage(document: Document, old: str, new: str) -> None:
    stages = {new if name == old else name: stage for name, stage in document["stages"].items()}
    document["stages"] = stages
    for transition in document["transitions"]:
        sources = list(dict.fromkeys(new if each == old else each for each in _sources(transition)))
        transition["from"] = sources[0] if len(sources) == 1 else sources
        transition["to"] = new if transition["to"] == old else transition["to"]


def _is_used(document: Document, name: str) -> bool:
    word = re.compile(rf"\b{name}\b")
    return any(word.search(transition["when"]) for transition in document["transitions"])


Kind = Callable[[dict[str, Document], int, random.Random], str]
_KINDS: tuple[Kind, ...] = (_title, _threshold, _half_life, _more, _fewer, _order, _rename, _remove)
