"""The names of conditions: which exist, their types, and how they are read."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Literal, NamedTuple

from stream.core import accessors
from stream.core.accessors import Accessor, Anchor
from stream.core.bands import Band
from stream.core.event import ROOTS, path_to
from stream.core.expressions import EVENT_ROOTS, ConditionError, Name
from stream.core.facts import Fact
from stream.core.language.habits import QUOTES
from stream.core.scoring import Score
from stream.core.stepping import ExpiringScore, Stepping, SteppingFact

Type = Literal["number", "text", "boolean", "time", "duration", "any", "list"]

TYPE_NAMES = {
    "number": "a number",
    "text": "a text",
    "boolean": "true or false",
    "time": "a time",
    "duration": "a duration",
    "any": "a property",
    "list": "a list",
}


_LONGEST_NAME = 100
_LIKE = 0.55
"""How much of a name must be the same, from 0 to 1, for it to be the one that was meant."""
_VERY_LIKE = 0.8
"""So much that a slip of the hand is all that it can be."""


class Scope(NamedTuple):
    """The names that a condition may use."""

    scores: Mapping[str, Score]
    facts: Mapping[str, Fact]
    stages: tuple[str, ...]
    words: Mapping[str, str]
    """Event name to word, every word to itself too."""
    interaction_only: bool = False
    """True for the `where` of ledgers, which sees nothing but the interaction."""
    at_event: bool = False
    """True for the `where` of signals and facts: lengths of time are measured at the interaction's own time."""
    item: bool = False
    """`over` names a list, of whose elements `item` is the one at hand."""
    lessened: frozenset[str] = frozenset()
    """Counts from which `minus` takes off, so that they may be below 0."""
    broken: frozenset[str] = frozenset()
    """Scores, facts and bands that are there but could not be read."""
    bands: Mapping[str, Band] = {}
    signals: Mapping[str, str] | None = None
    """By a signal's name the fact that counts what the signal counts, as a lifecycle file has it."""


class BrokenNameError(ConditionError):
    """A condition names a score or fact that could not be read: that is said already, and the rest is not known."""


class ResolvedOperand(NamedTuple):
    """An operand made ready."""

    type: Type
    accessor: Accessor
    needs_event: bool = False
    constant: object = None
    score: Score | None = None
    """Set where the operand is a decaying score."""
    fact: Fact | None = None
    """Set where the operand is a rolling count."""
    anchor: Anchor | None = None
    """Set where the operand is the time passed since an anchor, which a comparison alone reads."""
    until: bool = False
    """It is the time left until the anchor."""
    stepping: Stepping | None = None
    """Set where the operand changes in steps."""

    @property
    def varies(self) -> bool:
        """Time alone changes it."""
        return self.score is not None or self.anchor is not None or self.jumps

    @property
    def jumps(self) -> bool:
        """It has one value for a while and then another, so that it may be compared by == and `in`, too."""
        return self.fact is not None or self.stepping is not None


def known_names(scope: Scope) -> list[str]:
    """The first parts of all names that a condition may use."""
    return [*scope.scores, *scope.facts, *scope.bands, "identified", "stage", "idle", "in_stage", *EVENT_ROOTS]


def asked_for(name: str, scope: Scope, operator: str = "==") -> str:
    """The comparison that asks for interactions of an event name or a word."""
    return f'event.type {operator} "{scope.words.get(name, name)}"'


def resolve_name(name: Name, scope: Scope, *, alone: bool = False) -> ResolvedOperand:
    """The type and reader of a name. Raises ConditionError for one that does not exist here.

    `alone` says that it is compared with nothing.
    """
    root = name.path[0]
    if root in ROOTS:
        return _property(name, scope)
    if root == "event":
        return _event(name)
    if scope.interaction_only:
        raise ConditionError(
            f"{name}: `where` of a ledger sees the interaction only: event.type, event.name, properties.…, context.…",
            name.offset,
        )
    if root in scope.scores:
        return _score(scope.scores[root])
    if root in scope.facts:
        return resolve_fact(scope.facts[root])
    if root == "identified":
        return ResolvedOperand("boolean", accessors.Identified())
    if root == "stage":
        return ResolvedOperand("text", accessors.StageName())
    if root == "idle":
        return elapsed(accessors.Anchor())
    if root == "in_stage":
        return elapsed(accessors.StageEntered())
    if root in scope.broken:
        raise BrokenNameError(f"{root} could not be read", name.offset)
    raise ConditionError(_no_name(root, scope, alone=alone), name.offset)


HOW_LONG = "how long ago a time fact was is since(fact), how long it is until then until(fact)"
_NAMES = ("stage", "idle", "in_stage", "event.type", "event.name", "properties", "context")


def _no_name(name: str, scope: Scope, *, alone: bool) -> str:
    if name.lower() in {"true", "false"}:
        return f"unknown name {name!r}; write {name.lower()}"
    if name.lower() in {"null", "none", "nil"}:
        return f"unknown name {name!r}; what is not there is asked for by not exists(…)"
    if name.lower() in {"now", "today"}:
        return f"unknown name {name!r}; {HOW_LONG}"
    if name in scope.stages:
        return f'unknown name {name!r}; a text stands in double quotes, as in stage == "{name}"'
    known = [*scope.scores, *scope.facts, *scope.bands, "identified", *_NAMES, *(["item"] if scope.item else [])]
    near = nearest(name, known, cutoff=_LIKE)
    signals = scope.signals or {}
    if name in scope.words or (alone and not signals.get(name) and not nearest(name, known, cutoff=_VERY_LIKE)):
        meant = f"did you mean {near!r}? An" if near else "an"
        return f"unknown name {name!r}; {meant} interaction is asked for by {asked_for(name, scope)}"
    if name in signals:
        return f"unknown name {name!r}; it is a signal: count it with a fact, facts: {{{name}: {signals[name]}}}"
    message = unknown(name, known, "name")
    return message if near else f'{message}; a text stands in double quotes: "{name}"'


def unknown(name: str, known: list[str], what: str) -> str:
    """The message for a name that does not exist, with the nearest that does."""
    if hint := odd_signs(name):
        return f"unknown {what} {name!r}; {hint}"
    near = nearest(name, known, cutoff=_LIKE)
    hint = f"; did you mean {near!r}?" if near else f"; known are {', '.join(known)}" if known else ""
    return f"unknown {what} {name!r}{hint}"


def odd_signs(text: str) -> str:
    """What to say of quotes that are none in YAML, and of semicolons, that a text has; empty where it has neither."""
    if text[:1] in QUOTES and (bare := text.strip(QUOTES)):
        return f'{text[0]!r} is no quote here; quotes are straight: "{bare}"'
    parts = [part.strip() for part in text.split(";")]
    if len(parts) > 1 and all(parts):
        return f"a semicolon separates nothing; write [{', '.join(parts)}]"
    return ""


def nearest(name: str, known: Iterable[str], *, cutoff: float) -> str | None:
    """The known name most like `name`, at least `cutoff` from 0 to 1; None for names longer than people write."""
    if len(name) > _LONGEST_NAME:  # to compare two takes the square of their lengths
        return None
    comparable = [each for each in known if len(each) <= _LONGEST_NAME]
    if same := [each for each in comparable if each.casefold() == name.casefold()]:
        return same[0]
    near = get_close_matches(name, comparable, n=1, cutoff=cutoff)
    return near[0] if near else None


def _property(name: Name, scope: Scope) -> ResolvedOperand:
    root = name.path[0]
    if root == "item" and not scope.item:
        raise ConditionError(f"{name}: there is an item only where over: names the list it is of", name.offset)
    if root != "item" and len(name.path) == 1:
        raise ConditionError(f"{root} needs a name: {root}.something", name.offset)
    return ResolvedOperand("any", accessors.Property(path_to(name.path)), needs_event=True)


def _event(name: Name) -> ResolvedOperand:
    part = name.path[1] if len(name.path) == 2 else ""  # event and one word
    if part == "type":
        return ResolvedOperand("text", accessors.EventType(), needs_event=True)
    if part == "name":
        return ResolvedOperand("text", accessors.EventName(), needs_event=True)
    if name.path == ("event",):
        raise ConditionError("unknown 'event'; write event.type, or event.name for the name as sent", name.offset)
    raise ConditionError(f"unknown {str(name)!r}; an interaction has event.type and event.name", name.offset)


def resolve_fact(fact: Fact) -> ResolvedOperand:
    """The type and reader of a fact."""
    if fact.kind == "count":
        return ResolvedOperand("number", accessors.Count(fact.index))
    if fact.kind == "sum":
        return ResolvedOperand("number", accessors.Sum(fact.index))
    if fact.varies and fact.kind != "rolling":
        return _stepping(SteppingFact(fact))
    if fact.ledger >= 0:
        return ResolvedOperand("number", SteppingFact(fact))
    if fact.kind == "rolling":
        return ResolvedOperand("number", accessors.Rolling(fact), fact=fact)
    return ResolvedOperand("any" if fact.kind == "latest" else "time", accessors.FactValue(fact))


def _score(score: Score) -> ResolvedOperand:
    if score.expiring:
        return _stepping(ExpiringScore(score))
    decaying = score if score.half_life is not None else None
    return ResolvedOperand("number", accessors.ScoreNumber(score), score=decaying)


def _stepping(number: Stepping) -> ResolvedOperand:
    return ResolvedOperand("number", number, stepping=number)


def elapsed(anchor: Anchor, *, until: bool = False) -> ResolvedOperand:
    """The time passed since an anchor, or left until it."""
    return ResolvedOperand("duration", Accessor(), anchor=anchor, until=until)
