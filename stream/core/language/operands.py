"""Operands of conditions: constants, names, and functions of a name; their types, and how they are read."""

from typing import Final

from stream.core import accessors
from stream.core.event import ROOTS
from stream.core.expressions import EVENT_ROOTS, Call, ConditionError, Duration, Operand
from stream.core.expressions import Literal as Constant
from stream.core.language.names import (
    BrokenNameError,
    ResolvedOperand,
    Scope,
    Type,
    elapsed,
    resolve_fact,
    resolve_name,
)

TIMES: Final = ("first", "last", "latest_time")
"""Kinds of facts that are a time."""
_MAY_BE_MISSING: Final = (*TIMES, "latest")
"""Kinds of facts that do not exist until something was seen."""
_LENGTHS: Final = {
    "since": "{last_order: {last: order}}",
    "until": "{trial_end: {latest_time: properties.trial_ends_at}}",
}
"""Functions that give a length of time, and a fact that each is of use for."""


def resolve(operand: Operand, scope: Scope, *, alone: bool = False) -> ResolvedOperand:
    """The operand's type and reader. Raises ConditionError for a name that does not exist here.

    `alone` says that it is compared with nothing.
    """
    if isinstance(operand, Constant):
        return _constant(operand)
    if isinstance(operand, Duration):
        return ResolvedOperand("duration", accessors.Constant(operand.value), constant=operand.value)
    if isinstance(operand, Call):
        return _call(operand, scope)
    return resolve_name(operand, scope, alone=alone)


def _constant(literal: Constant) -> ResolvedOperand:
    value = literal.value
    if isinstance(value, tuple):
        return ResolvedOperand("list", accessors.Constant(value), constant=value)
    kind: Type = "boolean" if isinstance(value, bool) else "text" if isinstance(value, str) else "number"
    return ResolvedOperand(kind, accessors.Constant(value), constant=value)


def _call(call: Call, scope: Scope) -> ResolvedOperand:
    _readable(call, scope)
    if call.function in _LENGTHS:
        return _length(call, scope)
    return _lower(call, scope) if call.function == "lower" else _exists(call, scope)


def _readable(call: Call, scope: Scope) -> None:
    """Raise ConditionError where `where` asks for a fact, BrokenNameError for one that could not be read."""
    root = call.name.path[0]
    if root in scope.broken:
        raise BrokenNameError(f"{root} could not be read", call.name.offset)
    seen = EVENT_ROOTS if call.function == "lower" else ROOTS
    if scope.interaction_only and (call.function in _LENGTHS or root not in seen):
        raise ConditionError(
            f"{call}: `where` of a ledger sees the interaction only: event.type, event.name, properties.…, context.…",
            call.name.offset,
        )


def _length(call: Call, scope: Scope) -> ResolvedOperand:
    fact = scope.facts.get(call.name.path[0])
    _no_signal(call, scope)
    if fact is None or len(call.name.path) > 1 or fact.kind not in TIMES:
        times = [each.name for each in scope.facts.values() if each.kind in TIMES]
        known = f"; here: {', '.join(times)}" if times else f", as in facts: {_LENGTHS[call.function]}"
        raise ConditionError(f"{call} needs a fact of kind `first`, `last` or `latest_time`{known}", call.name.offset)
    anchor = accessors.FactMoment if fact.kind == "latest_time" else accessors.FactTime
    return elapsed(anchor(fact.index), until=call.function == "until")


def _no_signal(call: Call, scope: Scope) -> None:
    """Raise ConditionError for a signal: a fact has the time of what it counts."""
    name, signals = str(call.name), scope.signals or {}
    if name in signals and name not in scope.facts:
        fact = signals[name].replace("{count:", "{last:")
        raise ConditionError(
            f"unknown name {name!r}; it is a signal: its time is a fact's, facts: {{{name}: {fact}}}", call.name.offset
        )


def _exists(call: Call, scope: Scope) -> ResolvedOperand:
    name = call.name
    if name.path[0] == "item" or (name.path[0] in ROOTS and len(name.path) > 1):
        resolved = resolve_name(name, scope)
    else:
        fact = scope.facts.get(name.path[0])
        if fact is None:
            _no_signal(call, scope)
            raise ConditionError(f"{call} needs a fact, or a property such as properties.total", name.offset)
        if fact.kind not in _MAY_BE_MISSING:
            raise ConditionError(
                f"{call}: a {'sum' if 'sum' in fact.kind else 'count'} always exists; compare it, as in {name} > 0",
                name.offset,
            )
        resolved = resolve_fact(fact)
    return ResolvedOperand("boolean", accessors.Exists(resolved.accessor), needs_event=resolved.needs_event)


def _lower(call: Call, scope: Scope) -> ResolvedOperand:
    name = call.name
    resolved = resolve_name(name, scope)
    fact = scope.facts.get(name.path[0])
    if name.path[0] not in EVENT_ROOTS and (fact is None or fact.kind != "latest"):
        raise ConditionError(
            f"{call} needs what may be a text: a property, an item, event.type, event.name or a fact of kind `latest`",
            name.offset,
        )
    return ResolvedOperand("text", accessors.Lowered(resolved.accessor), needs_event=resolved.needs_event)
