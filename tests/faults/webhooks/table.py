"""What came of a run, as a table."""

from rich.table import Table

from tests.faults.webhooks.run import Outcome, Plan


def table_of(plan: Plan, outcome: Outcome) -> Table:
    """Of one run."""
    table = Table("what", "count", title=f"Webhooks, seed {plan.seed}, {plan.minutes:g} minutes", title_justify="left")
    table.columns[1].justify = "right"
    for counts in (outcome.done, outcome.verdict.counts):
        for kind, count in sorted(counts.items()):
            table.add_row(kind, f"{count:,}")
        table.add_section()
    table.add_row("processes started", f"{outcome.processes:,}")
    table.add_row("processes that fell", f"{len(outcome.fallen):,}")
    differences = outcome.verdict.differences
    table.add_row("differences", f"{len(differences):,}", style="bold red" if differences else "bold green")
    return table
