"""Explanations as JSON, in the manner of stage changes: what a lookup and `lifecycle explain` answer."""

from collections.abc import Iterable
from typing import Any

from stream.codec.stage_changes import contributions_data
from stream.core.customer import Customer
from stream.core.explanation.explanation import Compared, Explained, Explanation, MoveByTime, WayOut


def customer_data(
    customer: Customer, explanations: Iterable[Explanation], *, partition: int, offset: int, clock: int, at: int
) -> dict[str, Any]:
    """The answer about one customer: who, up to where everything is applied, and an explanation of each life.

    `partition` is that of the customer, `offset` the last one applied there, `clock` the partition's time, `at` the
    present of the explanations; times are epoch milliseconds.
    """
    return {
        "customer_id" if customer.kind == "customer" else "anonymous_id": customer.id,
        "identified": customer.identified,
        "partition": partition,
        "offset": offset,
        "clock": clock,
        "at": at,
        "lifecycles": [data(each) for each in explanations],
    }


def data(explanation: Explanation) -> dict[str, Any]:
    """One lifecycle of the answer; times are epoch milliseconds, lengths of time milliseconds."""
    return {
        "lifecycle": explanation.lifecycle,
        "title": explanation.title,
        "version": explanation.version,
        "stage": explanation.stage,
        "stage_title": explanation.stage_title,
        "entered": explanation.entered,
        "born": explanation.born,
        "sequence": explanation.sequence,
        "clock": explanation.clock,
        "at": explanation.at,
        "scores": dict(explanation.scores),
        "contributions": contributions_data(explanation.contributions),
        "facts": dict(explanation.facts),
        "times": list(explanation.times),
        "channels": list(explanation.channels),
        "actions": list(explanation.actions),
        "transitions": [_way_out(each) for each in explanation.ways_out],
        "by_time": None if explanation.by_time is None else _move(explanation.by_time),
        "stopped": explanation.stopped,
        "forgotten": explanation.forgotten,
        "used_up": [{"signal": each.signal, "limit": each.limit, "until": each.until} for each in explanation.used_up],
        "full": [
            {"kind": each.kind, "name": each.name, "keep": each.keep, "oldest": each.oldest, "dropped": each.dropped}
            for each in explanation.full
        ],
        "ledgers": [
            {
                "name": each.name,
                "count": each.count,
                "sum": each.total,
                "kept": each.kept,
                "waiting": each.waiting,
            }
            for each in explanation.ledgers
        ],
    }


def _way_out(way: WayOut) -> dict[str, Any]:
    return {
        "to": way.target,
        "title": way.title,
        "transition": way.transition,
        "holds": way.holds,
        "condition": _condition(way.condition),
        "guards": [
            {"kind": each.kind, "length": each.length, "holds": each.holds, "since": each.since, "until": each.until}
            for each in way.guards
        ],
        "by_time": way.by_time,
    }


def _condition(part: Explained) -> dict[str, Any]:
    if isinstance(part, Compared):
        return {
            "kind": "comparison",
            "text": part.text,
            "name": part.name,
            "wanted": part.wanted,
            "holds": part.holds,
            "decisive": part.decisive,
            "unit": part.unit,
            "value": part.value,
            "operator": part.operator,
            "needs": list(part.needs) if isinstance(part.needs, tuple) else part.needs,
            "missing": part.missing,
            "by_time": part.by_time,
            "scores": None if part.scores is None else _condition(part.scores),
        }
    parts = [_condition(each) for each in part.parts]
    return {"kind": part.kind, "holds": part.holds, "decisive": part.decisive, "parts": parts}


def _move(move: MoveByTime) -> dict[str, Any]:
    return {
        "at": move.at,
        "to": move.target,
        "title": move.title,
        "transitions": [
            {"from": each.source, "to": each.target, "transition": each.transition} for each in move.passages
        ],
    }
