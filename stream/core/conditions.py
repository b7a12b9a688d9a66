"""Conditions made ready to run: names resolved, types checked, compiled once to closures.

Negation is pushed down to the comparisons. Then every condition is `and` and `or` over comparisons and
negated comparisons, both of which only grow with their parts; so for the moment without an interaction it
is enough to let each comparison that names the interaction be false, negated or not: the result is true
exactly where Kleene's logic says true.
"""

from collections.abc import Callable
from typing import NamedTuple

from stream.core.comparisons import Atom, compile_bare, compile_comparison
from stream.core.contradictions import check_contradictions
from stream.core.customer import Life
from stream.core.expressions import And, Bare, Call, Comparison, Node, Not, Or, parse
from stream.core.operands import Closure, Scope
from stream.core.paths import Event

Flips = Callable[[Life, int], list[int]]


class Condition(NamedTuple):
    """A compiled condition."""

    text: str
    tree: Node
    with_event: Closure
    """Whether it holds at a time, seeing an interaction."""
    without_event: Closure | None
    """Whether it holds at a time by itself; None: never."""
    flips: tuple[Flips, ...]
    """Per comparison that time alone can change: the later times at which its answer changes."""
    warnings: tuple[str, ...]

    def deadline(self, life: Life) -> int | None:
        """The first millisecond after the clock at which this becomes true by the passing of time alone."""
        holds = self.without_event
        if holds is None or not self.flips:
            return None
        now = life.clock
        moments = {moment for flips in self.flips for moment in flips(life, now)}
        if not moments:
            return None
        before = holds(life, now, None)
        for moment in sorted(moments):
            after = holds(life, moment, None)
            if after and not before:
                return moment
            before = after
        return None


def compile_condition(text: str, scope: Scope) -> Condition:
    """The condition of `text` in a lifecycle's `scope`. Raises ConditionError."""
    tree = parse(text)
    compiler = _Compiler(scope)
    with_event, without_event = compiler.node(tree, negated=False)
    check_contradictions(tree)
    assert with_event is not None, "only the answer without an interaction can be never"
    return Condition(
        text,
        tree,
        with_event,
        without_event,
        tuple(compiler.flips),
        tuple(compiler.warnings),
    )


_Part = Closure | None
"""None: never holds."""


class _Compiler:
    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.flips: list[Flips] = []
        self.warnings: list[str] = []

    def node(self, node: Node, *, negated: bool) -> tuple[_Part, _Part]:
        if isinstance(node, Not):
            return self.node(node.part, negated=not negated)
        if isinstance(node, And | Or):
            pairs = [self.node(part, negated=negated) for part in node.parts]
            join = _all if isinstance(node, And) != negated else _any
            return join([pair[0] for pair in pairs]), join([pair[1] for pair in pairs])
        return self.atom(node, negated=negated)

    def atom(self, node: Comparison | Bare, *, negated: bool) -> tuple[_Part, _Part]:
        atom: Atom = (
            compile_comparison(node, self.scope) if isinstance(node, Comparison) else compile_bare(node, self.scope)
        )
        if atom.flips is not None:
            self.flips.append(atom.flips)
        if negated and isinstance(node, Comparison):
            self._warn_never(node)
        holds = _negate(atom.holds) if negated else atom.holds
        return holds, None if atom.needs_event else holds

    def _warn_never(self, node: Comparison) -> None:
        for side in (node.left, node.right):
            if isinstance(side, Call) and side.function == "since":
                self.warnings.append(
                    f"`not` of a comparison with since({side.name}) also holds for who never did it; "
                    f"write `exists({side.name}) and …`, or the opposite comparison"
                )


def _negate(holds: Closure) -> Closure:
    return lambda life, now, event: not holds(life, now, event)


def _all(parts: list[_Part]) -> _Part:
    left = [part for part in parts if part is not None]
    if len(left) < len(parts):
        return None
    if len(left) == 2:
        first, second = left
        return lambda life, now, event: first(life, now, event) and second(life, now, event)
    rest = tuple(left)

    def all_hold(life: Life, now: int, event: Event | None) -> bool:
        for part in rest:
            if not part(life, now, event):
                return False
        return True

    return all_hold


def _any(parts: list[_Part]) -> _Part:
    left = [part for part in parts if part is not None]
    if len(left) < 2:
        return left[0] if left else None
    if len(left) == 2:
        first, second = left
        return lambda life, now, event: first(life, now, event) or second(life, now, event)
    rest = tuple(left)

    def any_holds(life: Life, now: int, event: Event | None) -> bool:
        for part in rest:
            if part(life, now, event):
                return True
        return False

    return any_holds
