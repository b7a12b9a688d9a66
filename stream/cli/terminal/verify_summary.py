"""What a verification came to, as tables for people and as JSON."""

from collections.abc import Sequence

import orjson
from rich.table import Table
from rich.text import Text

from stream.codec.plain import plain
from stream.core.model import Model
from stream.core.remembered import remembered
from stream.core.snapshot import contributions_of, facts_of, scores_of
from stream.operations.verification.findings import Findings
from stream.operations.verification.verifier import Shown

_COUNTS = {
    "partitions": "partitions",
    "interactions": "interactions read",
    "customers": "customers verified",
    "misplaced customers": "in another partition than theirs",
    "changes": "stage changes verified",
    "changes not to be published": "of before live_from, not to be published",
    "changes no longer kept": "no longer kept",
    "changes out of reach": "of customers not recomputed",
    "changes repeated": "repeated with the same id",
    "current stages": "current stages verified",
    "current stages changed meanwhile": "changed meanwhile",
    "current stages out of reach": "of lives that cannot be recomputed",
    "current stages of other lifecycles": "of lifecycles that are no more",
    "dead letters": "dead letters verified",
}
"""By the name of a count: what is counted, in the order of the table; what begins small belongs to the line above."""
_ALWAYS = ("partitions", "interactions", "customers", "changes", "current stages")


def summary(findings: Findings) -> Table:
    """Counts, and the number of differences."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for name, words in _COUNTS.items():
        count = findings.counts[name]
        if count or name in _ALWAYS:
            inner = name.startswith(("changes ", "current stages ", "misplaced "))
            table.add_row(Text(("  " if inner else "") + words, "dim" if inner else ""), f"{count:,}")
        if name == "customers":
            for reason, customers in sorted(findings.not_reached.items()):
                table.add_row(Text(f"  not recomputed: {reason}", "dim"), f"{customers:,}")
    style = "bold red" if findings.differing else "bold green"
    table.add_row(Text("differences", style), Text(f"{findings.differing:,}", style))
    return table


def as_json(findings: Findings, customers: Sequence[Shown], model: Model) -> str:
    """The same as one object."""
    counts = {name.replace(" ", "_"): findings.counts[name] for name in _COUNTS}
    found = {
        **counts,
        "customers_not_verified": findings.not_reached,
        "differing": findings.differing,
        "differences": [each._asdict() for each in findings.differences],
        "behind": [each._asdict() for each in findings.behind],
        "unseen": findings.unseen,
        "notes": findings.notes,
        "recomputed": [_shown(each, model) for each in customers if each.recomputed],
        "from_records": [_shown(each, model) for each in customers if not each.recomputed],
    }
    return orjson.dumps(found).decode()


def derivation(shown: Shown, model: Model) -> Table:
    """A customer: each score with what each signal adds to it, at the customer's clock."""
    customer = shown.customer
    how = "recomputed" if shown.recomputed else "as the record says, not recomputed"
    title = f"{customer.kind} {plain(customer.id)}, partition {shown.partition}, {how}"
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for heading in ("Lifecycle", "Stage", "Score", "Signal"):
        table.add_column(heading, header_style="dim", overflow="fold")
    for heading in ("Counted", "Points"):
        table.add_column(heading, header_style="dim", justify="right")
    for lifecycle in model.lifecycles:
        life = customer.lives.get(lifecycle.id)
        if life is None:
            continue
        scores, parts = scores_of(lifecycle, life, life.clock), contributions_of(lifecycle, life, life.clock)
        table.add_row(lifecycle.id, life.stage, "", "", "", "")
        for score, value in scores.items():
            table.add_row("", "", score, Text("in all", "dim"), "", Text(f"{value:,.6g}", "bold"))
            for part in parts[score]:
                table.add_row("", "", "", part.signal, f"{part.count:,}", f"{part.points:,.6g}")
    return table


def _shown(shown: Shown, model: Model) -> dict[str, object]:
    customer = shown.customer
    return {
        "partition": shown.partition,
        f"{customer.kind}_id": customer.id,
        "lifecycles": {
            each.id: {
                "stage": life.stage,
                "sequence": life.sequence,
                "born": life.born,
                "at": life.clock,
                "scores": scores_of(each, life, life.clock),
                "contributions": {
                    score: [{"signal": part.signal, "points": part.points, "count": part.count} for part in parts]
                    for score, parts in contributions_of(each, life, life.clock).items()
                },
                "facts": facts_of(each, life, life.clock),
                **remembered(each, life),
            }
            for each in model.lifecycles
            if (life := customer.lives.get(each.id)) is not None
        },
    }
