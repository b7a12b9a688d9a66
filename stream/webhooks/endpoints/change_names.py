"""What conditions over a stage change may name: which names there are, their types, and how they are read."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple

from stream.codec.stage_change_reader import SubscribedChange
from stream.core.accessors import lowered
from stream.core.expressions import EVENT_ROOTS, Call, ConditionError, Duration, Literal, Name, Operand
from stream.core.language.names import TYPE_NAMES as TYPES_OF_LIFECYCLES
from stream.core.language.names import Type, unknown
from stream.core.language.operands import TIMES
from stream.core.lifecycle import Lifecycle

Read = Callable[[SubscribedChange], object]
"""A value of a change; None where it has none."""

TYPE_NAMES: Final = {**TYPES_OF_LIFECYCLES, "any": "a score or fact"}
"""By type, what messages call it."""
OF_CHANGES: Final[Mapping[str, tuple[Type, Read]]] = {
    "to": ("text", lambda change: change.to_stage),
    "from": ("text", lambda change: change.from_stage),
    "final": ("boolean", lambda change: change.final),
    "lifecycle": ("text", lambda change: change.lifecycle),
    "identified": ("boolean", lambda change: change.identified),
    "customer_id": ("text", lambda change: change.customer_id),
    "anonymous_id": ("text", lambda change: change.anonymous_id),
    "version": ("number", lambda change: change.version),
    "trigger": ("text", lambda change: change.trigger.kind),
    "late": ("boolean", lambda change: change.trigger.late),
    "channels": ("list", lambda change: list(change.channels)),
    "actions": ("list", lambda change: list(change.actions)),
}
_MAY_BE_MISSING: Final = ("to", "from", "customer_id", "anonymous_id")
_OF_STATE: Final = ("scores", "facts")
ROOTS: Final = (*_OF_STATE, "trigger", *EVENT_ROOTS)
"""Behind these a name may go on with a point: the last have no meaning here, which is said in words of ours."""
_ELSEWHERE: Final[Mapping[str, str]] = {
    "stage": "the stage that was entered is to, the one that was left is from",
    "idle": "a change tells how long ago a fact was, by since(fact)",
    "in_stage": "a change tells how long ago a fact was, by since(fact)",
    **dict.fromkeys(EVENT_ROOTS, "a change does not hold its interaction; a fact of kind `latest` keeps a property"),
    **dict.fromkeys(("null", "none", "nil"), "what is not there is asked for by not exists(…)"),
    **dict.fromkeys(("now", "today"), "how long ago a time fact was is since(fact), how long until then until(fact)"),
}
"""Names of lifecycle files and of habit that a change does not have, and what is right."""


class KnownNames(NamedTuple):
    """What the changes of some lifecycles name."""

    lifecycles: tuple[str, ...]
    stages: tuple[str, ...]
    scores: tuple[str, ...]
    facts: Mapping[str, frozenset[str]]
    """By name the kinds that it has, in one lifecycle or another."""
    bands: frozenset[str]


class Resolved(NamedTuple):
    """An operand made ready."""

    type: Type
    read: Read
    constant: object = None
    """The value of a constant; milliseconds of a duration; None of what a change holds."""


def names_of(lifecycles: Iterable[Lifecycle]) -> KnownNames:
    """What the changes of these lifecycles name."""
    all_ = tuple(lifecycles)
    facts: dict[str, set[str]] = {}
    for each in all_:
        for fact in each.facts:
            facts.setdefault(fact.name, set()).add(fact.kind)
    return KnownNames(
        tuple(each.id for each in all_),
        tuple(dict.fromkeys(stage for each in all_ for stage in each.stages)),
        tuple(dict.fromkeys(score.name for each in all_ for score in each.scores)),
        {name: frozenset(kinds) for name, kinds in facts.items()},
        frozenset(band.name for each in all_ for band in each.bands),
    )


def resolve(operand: Operand, known: KnownNames | None) -> Resolved:
    """The operand's type and reader. Raises ConditionError for a name that a change does not have."""
    if isinstance(operand, Literal):
        return _constant(operand)
    if isinstance(operand, Duration):
        length = operand.value
        return Resolved("duration", lambda _change: length, length)
    if isinstance(operand, Name):
        return _name(operand, known)
    if operand.function == "exists":
        return _exists(operand, known)
    return _lower(operand, known) if operand.function == "lower" else _elapsed(operand, known)


def _constant(literal: Literal) -> Resolved:
    value = literal.value
    kind: Type = "number"
    if isinstance(value, tuple):
        kind = "list"
    elif isinstance(value, bool | str):
        kind = "text" if isinstance(value, str) else "boolean"
    return Resolved(kind, lambda _change: value, value)


def _name(name: Name, known: KnownNames | None) -> Resolved:
    root, *rest = name.path
    if root in _OF_STATE:
        if len(rest) != 1:
            example = "facts.orders" if root == "facts" else "scores.interest"
            raise ConditionError(f"{root} needs one name, as in {example}", name.offset)
        _check_known(rest[0], root, known, name.offset)
        return Resolved("number", _score(rest[0])) if root == "scores" else Resolved(*_fact(rest[0], known))
    if root == "trigger" and rest:
        if rest == ["type"]:
            return Resolved("text", lambda change: change.trigger.type)
        right = {"kind": "trigger", "late": "late"}.get(rest[0], "trigger, trigger.type or late")
        raise ConditionError(f"unknown {str(name)!r}; write {right}", name.offset)
    if root in OF_CHANGES:
        return Resolved(*OF_CHANGES[root])
    if root in ("stage", "idle", "in_stage", *EVENT_ROOTS):
        raise ConditionError(f"unknown {str(name)!r}; {_ELSEWHERE[root]}", name.offset)
    return _of_state(root, known, name.offset)


def _of_state(name: str, known: KnownNames | None, offset: int) -> Resolved:
    """A score or a fact by its name alone."""
    if known is None or name not in (*known.scores, *known.facts):
        _refuse(name, known, offset)
    is_score = known is not None and name in known.scores
    if known is not None and name not in known.facts:
        return Resolved("number", _score(name))
    kind, fact = _fact(name, known)
    score = _score(name)

    def read(change: SubscribedChange) -> object:
        found = score(change)
        return fact(change) if found is None else found

    return Resolved("any" if is_score and kind != "number" else kind, read)


def _refuse(name: str, known: KnownNames | None, offset: int) -> None:
    """Raise ConditionError for a name that is none; without lifecycles only where it cannot be a score or fact."""
    plain = name.lower()
    right = plain if plain in (*OF_CHANGES, "true", "false") else ""
    if right and name != right:
        raise ConditionError(f"unknown name {name!r}; write {right}", offset)
    if plain in _ELSEWHERE:
        raise ConditionError(f"unknown name {name!r}; {_ELSEWHERE[plain]}", offset)
    if known is None:
        return
    if name in known.bands:
        raise ConditionError(f"{name} is a band, which changes do not hold; compare its scores", offset)
    if name in known.stages:
        raise ConditionError(f'unknown name {name!r}; a text stands in double quotes, as in to == "{name}"', offset)
    raise ConditionError(unknown(name, [*OF_CHANGES, *known.scores, *known.facts], "name"), offset)


def _check_known(name: str, root: str, known: KnownNames | None, offset: int) -> None:
    """Raise ConditionError where the lifecycles have no such score or fact."""
    if known is None:
        return
    there = known.scores if root == "scores" else tuple(known.facts)
    if name not in there:
        raise ConditionError(unknown(name, list(there), root.removesuffix("s")), offset)


def _score(name: str) -> Read:
    return lambda change: change.scores.get(name)


def _fact(name: str, known: KnownNames | None) -> tuple[Type, Read]:
    kinds = frozenset({"latest"}) if known is None else known.facts[name]
    kind: Type = "number"
    if kinds <= set(TIMES):
        kind = "time"
    elif kinds & {"latest", *TIMES}:
        kind = "any"
    return kind, lambda change: change.facts.get(name)


def _exists(call: Call, known: KnownNames | None) -> Resolved:
    name = str(call.name)
    if name in OF_CHANGES and name not in _MAY_BE_MISSING:
        raise ConditionError(f"{call}: a change always has it", call.name.offset)
    read = _name(call.name, known).read
    return Resolved("boolean", lambda change: read(change) is not None)


def _lower(call: Call, known: KnownNames | None) -> Resolved:
    inner = _name(call.name, known)
    if inner.type not in ("text", "any", "list"):
        raise ConditionError(f"{call} needs what may be a text; this is {TYPE_NAMES[inner.type]}", call.name.offset)
    read = inner.read
    return Resolved(inner.type if inner.type == "list" else "text", lambda change: lowered(read(change)))


def _elapsed(call: Call, known: KnownNames | None) -> Resolved:
    """The milliseconds from a fact to the change, or from the change to it."""
    root, *rest = call.name.path
    fact = rest[0] if root == "facts" and len(rest) == 1 else root
    if rest and root != "facts":
        raise ConditionError(f"{call} needs a fact that is a time", call.name.offset)
    if not rest and root in (*OF_CHANGES, *_OF_STATE, *_ELSEWHERE):
        named = f"; one of that name is facts.{root}" if root in OF_CHANGES else ""
        raise ConditionError(f"{call} needs a fact that is a time{named}", call.name.offset)
    if known is not None:
        times = [name for name, kinds in known.facts.items() if kinds & set(TIMES)]
        if fact not in times:
            here = f"; here: {', '.join(times)}" if times else ""
            message = f"{call} needs a fact of kind `first`, `last` or `latest_time`{here}"
            raise ConditionError(message, call.name.offset)
    sign = 1 if call.function == "since" else -1

    def read(change: SubscribedChange) -> object:
        time = change.facts.get(fact)
        return (change.at - time) * sign if isinstance(time, int) and not isinstance(time, bool) else None

    return Resolved("duration", read)
