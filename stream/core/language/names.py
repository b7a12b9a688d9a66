"""Operands of conditions: which names exist, their types, and how they are read."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Literal, NamedTuple

from stream.core import accessors
from stream.core.accessors import Accessor, Anchor
from stream.core.event import path_to
from stream.core.expressions import EVENT_ROOTS, Call, ConditionError, Duration, Name, Operand
from stream.core.expressions import Literal as Constant
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
    """True for `where`, which sees nothing but the interaction."""
    lessened: frozenset[str] = frozenset()
    """Counts from which `minus` takes off, so that they may be below 0."""
    broken: frozenset[str] = frozenset()
    """Scores and facts that are there but could not be read."""
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
    """Set where the operand is the time passed since an anchor."""
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


def resolve(operand: Operand, scope: Scope, *, alone: bool = False) -> ResolvedOperand:
    """The operand's type and reader. Raises ConditionError for a name that does not exist here.

    `alone` says that it is compared with nothing.
    """
    if isinstance(operand, Constant):
        return _constant(operand)
    if isinstance(operand, Duration):
        return ResolvedOperand("duration", accessors.Constant(operand.value), constant=operand.value)
    if isinstance(operand, Call):
        return _since(operand, scope) if operand.function == "since" else _exists(operand, scope)
    return _name(operand, scope, alone=alone)


def known_names(scope: Scope) -> list[str]:
    """The first parts of all names that a condition may use."""
    return [*scope.scores, *scope.facts, "identified", "stage", "idle", "in_stage", *EVENT_ROOTS]


def asked_for(name: str, scope: Scope, operator: str = "==") -> str:
    """The comparison that asks for interactions of an event name or a word."""
    return f'event.type {operator} "{scope.words.get(name, name)}"'


def _constant(literal: Constant) -> ResolvedOperand:
    value = literal.value
    if isinstance(value, tuple):
        return ResolvedOperand("list", accessors.Constant(value), constant=value)
    kind: Type = "boolean" if isinstance(value, bool) else "text" if isinstance(value, str) else "number"
    return ResolvedOperand(kind, accessors.Constant(value), constant=value)


def _name(name: Name, scope: Scope, *, alone: bool = False) -> ResolvedOperand:
    root = name.path[0]
    if root in ("properties", "context"):
        if len(name.path) == 1:
            raise ConditionError(f"{root} needs a name: {root}.something", name.offset)
        return ResolvedOperand("any", accessors.Property(path_to(name.path)), needs_event=True)
    if root == "event":
        return _event(name)
    if scope.interaction_only:
        raise ConditionError(
            f"{name}: `where` sees the interaction only: event.type, event.name, properties.…, context.…", name.offset
        )
    if root in scope.scores:
        score = scope.scores[root]
        if score.expiring:
            return _stepping(ExpiringScore(score))
        return ResolvedOperand(
            "number", accessors.ScoreNumber(score), score=score if score.half_life is not None else None
        )
    if root in scope.facts:
        return _fact(scope.facts[root])
    if root == "identified":
        return ResolvedOperand("boolean", accessors.Identified())
    if root == "stage":
        return ResolvedOperand("text", accessors.StageName())
    if root == "idle":
        return _elapsed(accessors.Anchor())
    if root == "in_stage":
        return _elapsed(accessors.StageEntered())
    if root in scope.broken:
        raise BrokenNameError(f"{root} could not be read", name.offset)
    raise ConditionError(_no_name(root, scope, alone=alone), name.offset)


_NAMES = ("stage", "idle", "in_stage", "event.type", "event.name", "properties", "context")


def _no_name(name: str, scope: Scope, *, alone: bool) -> str:
    if name.lower() in {"true", "false"}:
        return f"unknown name {name!r}; write {name.lower()}"
    if name.lower() in {"null", "none", "nil"}:
        return f"unknown name {name!r}; what is not there is asked for by not exists(…)"
    if name in scope.stages:
        return f'unknown name {name!r}; a text stands in double quotes, as in stage == "{name}"'
    known = [*scope.scores, *scope.facts, "identified", *_NAMES]
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
    if text[0] in QUOTES and (bare := text.strip(QUOTES)):
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


def _event(name: Name) -> ResolvedOperand:
    part = name.path[1] if len(name.path) == 2 else ""  # event and one word
    if part == "type":
        return ResolvedOperand("text", accessors.EventType(), needs_event=True)
    if part == "name":
        return ResolvedOperand("text", accessors.EventName(), needs_event=True)
    if name.path == ("event",):
        raise ConditionError("unknown 'event'; write event.type, or event.name for the name as sent", name.offset)
    raise ConditionError(f"unknown {str(name)!r}; an interaction has event.type and event.name", name.offset)


def _fact(fact: Fact) -> ResolvedOperand:
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


def _stepping(number: Stepping) -> ResolvedOperand:
    return ResolvedOperand("number", number, stepping=number)


def _elapsed(anchor: Anchor) -> ResolvedOperand:
    return ResolvedOperand("duration", accessors.Elapsed(anchor), anchor=anchor)


def _since(call: Call, scope: Scope) -> ResolvedOperand:
    _readable(call, scope)
    fact = scope.facts.get(call.name.path[0])
    _no_signal(call, scope)
    if fact is None or len(call.name.path) > 1 or fact.kind not in ("first", "last"):
        times = [each.name for each in scope.facts.values() if each.kind in ("first", "last")]
        known = f"; here: {', '.join(times)}" if times else ", as in facts: {last_order: {last: order}}"
        raise ConditionError(f"since({call.name}) needs a fact of kind `first` or `last`{known}", call.name.offset)
    return _elapsed(accessors.FactTime(fact.index))


def _readable(call: Call, scope: Scope) -> None:
    """Raise ConditionError where `where` asks for a fact, BrokenNameError for one that could not be read."""
    root = call.name.path[0]
    if root in scope.broken:
        raise BrokenNameError(f"{root} could not be read", call.name.offset)
    if scope.interaction_only and (call.function == "since" or root not in ("properties", "context")):
        raise ConditionError(
            f"{call.function}({call.name}): `where` sees the interaction only: event.type, event.name, properties.…, "
            "context.…",
            call.name.offset,
        )


def _no_signal(call: Call, scope: Scope) -> None:
    """Raise ConditionError for a signal: a fact has the time of what it counts."""
    name, signals = str(call.name), scope.signals or {}
    if name in signals and name not in scope.facts:
        fact = signals[name].replace("{count:", "{last:")
        raise ConditionError(
            f"unknown name {name!r}; it is a signal: its time is a fact's, facts: {{{name}: {fact}}}", call.name.offset
        )


def _exists(call: Call, scope: Scope) -> ResolvedOperand:
    _readable(call, scope)
    name = call.name
    if name.path[0] in ("properties", "context") and len(name.path) > 1:
        resolved = _name(name, scope)
    else:
        fact = scope.facts.get(name.path[0])
        if fact is None:
            _no_signal(call, scope)
            raise ConditionError(f"exists({name}) needs a fact, or a property such as properties.total", name.offset)
        if fact.kind not in ("first", "last", "latest"):
            raise ConditionError(
                f"exists({name}): a {'count' if fact.kind == 'rolling' else fact.kind} always exists; "
                f"compare it, as in {name} > 0",
                name.offset,
            )
        resolved = _fact(fact)
    return ResolvedOperand("boolean", accessors.Exists(resolved.accessor), needs_event=resolved.needs_event)
