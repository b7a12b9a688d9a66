"""What of a lifecycle interactions matched, and what none did: the first question after a run of zeros.

Beside `step`, which knows nothing of it: a worker pays nothing. Whatever was matched once is not looked for again.
"""

from typing import Final

from stream.core.event import CONTEXT, ITEM, PROPERTIES, Event, PropertyPath, lookup
from stream.core.interaction import Interaction
from stream.core.ledgers import EACH
from stream.core.lifecycle import Condition, Lifecycle
from stream.core.mentions import MeantNames, properties_in, written
from stream.core.step_counts import REST

MAX_NAMES: Final = 10_000
"""Event names that are told from each other."""
_EXAMPLES: Final = 100
"""Interactions without a property from which is learnt what they have instead."""
_MAX_KEYS: Final = 200
_MAX_ELEMENTS: Final = 1_000
"""The first of a list that a rule applies to."""


class Missing:
    """A property that a rule names, looked for until an interaction has it."""

    def __init__(self, path: PropertyPath, rule: str, over: PropertyPath | None = None) -> None:
        self.path = path
        self.over = over if path.root == ITEM else None
        """Of a path in items: the list that they are of."""
        self.rule = rule
        """What names it: `signal spent`, `fact revenue`, `transition lead → customer`."""
        self.looked = 0
        """In how many interactions that the rule is about it was looked for."""
        self.found = False
        self.instead: dict[str, int] = {}
        """The properties that stand there instead, as a lifecycle file writes them, and in how many interactions."""
        self.list: str | None = None
        """The path of the list through which it leads, where there is one: a path does not go into lists."""

    def look(self, event: Event) -> bool:
        """Look for it in one more interaction; returns whether it is there."""
        items = elements(self.over, event)
        if not items:
            return self.found
        self.looked += 1
        for item in items:
            event.item = item
            if lookup(self.path, event) is not None:
                self.found = True
                return True
        if self.looked <= _EXAMPLES:
            self._learn(event)
        return self.found

    def _learn(self, event: Event) -> None:
        path = self.path
        found: object = event.properties
        if path.root != PROPERTIES:
            found = event.context if path.root == CONTEXT else event.item
        for depth in range(len(path.keys)):
            if isinstance(found, list) and self.list is None:
                self.list = written(PropertyPath(path.root, path.keys[:depth]))
            if not isinstance(found, dict):
                return
            if path.keys[depth] not in found:
                for key in found:
                    name = written(PropertyPath(path.root, (*path.keys[:depth], key)))
                    if name in self.instead or len(self.instead) < _MAX_KEYS:
                        self.instead[name] = self.instead.get(name, 0) + 1
                return
            found = found[path.keys[depth]]


class _Rule:
    """A signal or fact that no interaction matched yet."""

    def __init__(self, kind: str, name: str, where: Condition | None, over: PropertyPath | None) -> None:
        self.kind = kind
        self.name = name
        self.where = where
        self.over = over


class Matches:
    """What matched in one lifecycle."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self.lifecycle = lifecycle
        self.words: dict[str, int] = dict.fromkeys(lifecycle.words.values(), 0)
        """Interactions by word; those with none are not in it."""
        self.signals: dict[str, bool] = {each.name: False for each in lifecycle.signals}
        """By name: whether an interaction was of its word and fulfilled what of its `where` the interaction decides."""
        self.facts: dict[str, bool] = {each.name: False for each in lifecycle.facts}
        self.properties: list[Missing] = []
        """Every property that a rule names, in the order of the file."""
        self.unknown: dict[str, int] = {}
        """Interactions by event name, of names that mean nothing here; REST: of all that are too many to tell."""
        self._known = MeantNames(lifecycle)
        self._life = lifecycle.begin(0, "", False)  # nothing is read of it
        self._rules: dict[str, list[_Rule]] = {}
        self._missing: dict[str, list[Missing]] = {}
        self._of_rule: dict[tuple[str, str], list[Missing]] = {}
        self._always: list[Missing] = []
        """Those of transitions, which see every interaction."""
        self._list_properties()

    def add(self, interaction: Interaction) -> None:
        """Take one more interaction into account."""
        name = interaction.name
        rules = self._rules.get(name)
        if rules is None:
            rules = self._begin(name)
        word = self.lifecycle.words.get(name)
        if word is not None:
            self.words[word] += 1
        elif name not in self._known:
            key = name if name in self.unknown or len(self.unknown) < MAX_NAMES else REST
            self.unknown[key] = self.unknown.get(key, 0) + 1
        missing = self._missing.get(name)
        if missing is None:
            missing = self._always
        if not rules and not missing:
            return
        event = Event(word or name, name, interaction.time, interaction.properties, interaction.context)
        if rules:
            self._rules[name] = [each for each in rules if not self._matches(each, interaction.time, event)]
        if missing:
            seen = False
            for each in missing:
                if each.found or each.look(event):
                    seen = True
            if seen:
                missing[:] = [each for each in missing if not each.found]

    def _matches(self, rule: _Rule, time: int, event: Event) -> bool:
        matched = self.signals if rule.kind == "signal" else self.facts
        if not matched[rule.name]:
            where = None if rule.where is None else rule.where.by_interaction
            for item in elements(rule.over, event):
                event.item = item
                if where is None or where.holds(self._life, time, event):
                    matched[rule.name] = True
                    return True
            return False
        return True

    def _begin(self, name: str) -> list[_Rule]:
        """Find out what an event name that was not seen yet can match."""
        reaction = self.lifecycle.reaction(name)
        if reaction is self.lifecycle.otherwise and len(self._rules) >= MAX_NAMES:
            return []
        rules = [_Rule("signal", each.name, each.where, each.over) for each in reaction.signals]
        rules += [_Rule("fact", each.fact.name, each.where, each.over) for each in reaction.counted]
        entered = reaction.entered
        makes = {each.ledger.index: each for each in entered if each.role == EACH}
        of_ledgers = [fact for fact in self.lifecycle.facts if fact.ledger in makes]
        rules += [_Rule("fact", fact.name, makes[fact.ledger].where, None) for fact in of_ledgers]
        own = dict.fromkeys((rule.kind, rule.name) for rule in rules)
        own |= dict.fromkeys((f"ledger {each.role}", each.ledger.name) for each in entered)
        missing = [each for key in own for each in self._of_rule.get(key, ())]
        self._rules[name] = rules
        if missing:
            self._missing[name] = [*missing, *self._always]
        return rules

    def _list_properties(self) -> None:
        lifecycle = self.lifecycle
        for signal in lifecycle.signals:
            self._of_rule["signal", signal.name] = self._note(
                f"signal {signal.name}", list(signal.paths), signal.where, signal.over
            )
        counted = {
            each.fact.name: each
            for reaction in (*lifecycle.reactions.values(), lifecycle.otherwise)
            for each in reaction.counted
        }
        for fact in lifecycle.facts:
            one = counted.get(fact.name)
            where, over = (one.where, one.over) if one is not None else (None, None)
            self._of_rule["fact", fact.name] = self._note(f"fact {fact.name}", [*fact.paths], where, over)
        entered = {
            (each.role, each.ledger.name): each
            for reaction in lifecycle.reactions.values()
            for each in reaction.entered
        }
        for (role, name), enters in entered.items():
            paths = enters.ledger.paths(role)
            self._of_rule[f"ledger {role}", name] = self._note(f"ledger {name}", paths, enters.where, None)
        for transition in lifecycle.transitions:
            stages = [stage for stage in lifecycle.stages if stage in transition.sources]
            source = ", ".join(stages[:2]) + (", …" if len(stages) > 2 else "")
            rule = f"transition {source} → {transition.target}"
            self._always += self._note(rule, [], transition.condition, None)

    def _note(
        self, rule: str, paths: list[PropertyPath], condition: Condition | None, over: PropertyPath | None
    ) -> list[Missing]:
        named = [over] if over is not None else []
        named += [*paths, *(properties_in(condition.tree) if condition is not None else ())]
        noted = [Missing(path, rule, over) for path in dict.fromkeys(named)]
        self.properties += noted
        return noted

    @property
    def missing(self) -> list[Missing]:
        """Properties that rules name and that none of the interactions had that the rules are about."""
        return [each for each in self.properties if each.looked and not each.found]


def elements(over: PropertyPath | None, event: Event) -> list[object]:
    """The items that a rule applies to: the elements of its list, or the interaction itself, once, without an item."""
    if over is None:
        return [None]
    found = lookup(over, event)
    return found[:_MAX_ELEMENTS] if isinstance(found, list) else []


class Observation:
    """All interactions of a run: which event names came, from when to when, and what matched in each lifecycle."""

    def __init__(self, lifecycles: tuple[Lifecycle, ...]) -> None:
        self.names: dict[str, int] = {}
        """Interactions by event name; REST: of all names that are too many to tell."""
        self.first: int | None = None
        self.last: int | None = None
        """The smallest and the largest time, epoch milliseconds."""
        self.matches = [Matches(each) for each in lifecycles]

    def add(self, interaction: Interaction) -> None:
        """Take one more interaction into account."""
        name, time = interaction.name, interaction.time
        known = self.names.get(name)
        if known is not None:
            self.names[name] = known + 1
        else:
            key = name if len(self.names) < MAX_NAMES else REST
            self.names[key] = self.names.get(key, 0) + 1
        if self.first is None or time < self.first:
            self.first = time
        if self.last is None or time > self.last:
            self.last = time
        for each in self.matches:
            each.add(interaction)
