"""A lifecycle file as it was written, with its conditions parsed."""

from __future__ import annotations

from tests.properties.reference_grammar import Condition, milliseconds, parse
from tests.properties.reference_times import zone_of
from tests.properties.reference_values import Source, listed, mapping

PARTS = ("signals", "facts", "ledgers")


class Lifecycle:
    """A lifecycle file with its conditions parsed; otherwise as it was written."""

    def __init__(self, source: Source) -> None:
        self.id = str(source["lifecycle"])
        self.words: dict[object, str] = {}
        for word, names in mapping(source.get("interactions")).items():
            for name in [word, *listed(names)]:
                self.words[name] = word
        self.zone = zone_of(str(source.get("time_zone", "UTC")))
        self.passive = listed(source.get("passive"))
        self.scores = named(source.get("scores"))
        self.signals = named(source.get("signals"))
        self.facts = named(source.get("facts"))
        self.ledgers = named(source.get("ledgers"))
        self.first_stage = next(iter(mapping(source["stages"])))
        self.transitions = [
            (listed(each["from"]), str(each["to"]), parse(str(each["when"])))
            for each in map(mapping, listed(source.get("transitions")))
        ]
        self.where: dict[tuple[str, str], Condition] = {
            (part, name): parse(str(each["where"]))
            for part in PARTS
            for name, each in self.parts(part).items()
            if "where" in each
        }

    def parts(self, part: str) -> dict[str, Source]:
        """The signals, the facts or the ledgers, by name."""
        return {"signals": self.signals, "facts": self.facts, "ledgers": self.ledgers}[part]

    def ledger_of(self, fact: str) -> str | None:
        """The ledger that a fact counts or sums up; None where it is about interactions."""
        told = self.facts[fact]
        name = told.get("count", told.get("sum"))
        return name if isinstance(name, str) and name in self.ledgers else None

    def word(self, name: object) -> str:
        """The word that an event name stands for; its own where none covers it."""
        return self.words.get(name, str(name))

    def half_life(self, score: str) -> int | None:
        """Milliseconds; None for a permanent score."""
        text = self.scores[score].get("half_life")
        return None if text is None else milliseconds(str(text))


def named(source: object) -> dict[str, Source]:
    """What a section of the file defines, by name, in file order."""
    return {name: mapping(told) for name, told in mapping(source).items()}
