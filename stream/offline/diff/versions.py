"""The two lifecycles that are compared, and which stages of theirs are one."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from stream.core.lifecycle import Lifecycle
from stream.core.model import Model


class Way(NamedTuple):
    """A transition from one of its stages."""

    source: str
    target: str
    text: str
    """The condition, with white space as it comes, and what else the transition asks."""


class Versions:
    """Old and new, each alone in its model, as each would run alone."""

    def __init__(
        self, old: Lifecycle, new: Lifecycle, forget_after: int | None, forget_identified_after: int | None
    ) -> None:
        self.lifecycles = old, new
        self.models = tuple(Model((each,), forget_after, forget_identified_after) for each in (old, new))
        self.renamed = renamed_stages(old, new)
        """By stage of the old one that has another name in the new one: that name."""

    def in_new(self, stage: str | None) -> str | None:
        """The name in the new lifecycle of a stage of the old one; None, no stage, stays None."""
        return None if stage is None else self.renamed.get(stage, stage)


def ways_of(lifecycle: Lifecycle) -> Iterator[Way]:
    """Every transition from each of its stages, in the order in which they are tried."""
    for each in lifecycle.transitions:
        text = " ".join(f"{each.condition.text} {each.limits}".split())
        for source in lifecycle.stages:
            if source in each.sources:
                yield Way(source, each.target, text)


def renamed_stages(old: Lifecycle, new: Lifecycle) -> dict[str, str]:
    """Stages of the same lifecycle that only have another name: the ways in and out of them are the same otherwise.

    Where as many stages went as came, they are taken for each other in the order of the files, all or none.
    """
    gone = [name for name in old.stages if name not in new.stages]
    came = [name for name in new.stages if name not in old.stages]
    if old.id != new.id or len(gone) != len(came):
        return {}
    names = dict(zip(gone, came, strict=True))
    if names.get(old.first_stage, old.first_stage) != new.first_stage:
        return {}
    before = [renamed_way(way, names) for way in ways_of(old) if way.source in names or way.target in names]
    after = [way for way in ways_of(new) if way.source in came or way.target in came]
    return names if before and sorted(before) == sorted(after) else {}


def renamed_way(way: Way, names: dict[str, str]) -> Way:
    """The same with other names of stages, those that its condition quotes, too."""
    text = re.sub(r"""(?<=["'])[\w-]+(?=["'])""", lambda found: names.get(found[0], found[0]), way.text)
    return Way(names.get(way.source, way.source), names.get(way.target, way.target), text)
