"""The ledgers of one customer: what is counted and left, and each entry that is kept, the latest first arrival last."""

from rich.table import Table
from rich.text import Text

from stream.core.customer import Customer
from stream.core.exact import MILLION
from stream.core.ledgers import counts, left
from stream.core.lifecycle import Lifecycle
from stream.core.memory import LedgerEntry
from stream.core.model import Model
from stream.core.times import format_time


def ledger_table(customer: Customer, model: Model) -> Table | None:
    """None where none of the customer's lifecycles has a ledger."""
    table = Table(box=None, pad_edge=False)
    for heading in ("Lifecycle", "Ledger", "Entry of"):
        table.add_column(heading, header_style="dim", overflow="fold")
    for heading in ("Amount", "Returned", "Left"):
        table.add_column(heading, header_style="dim", justify="right")
    for lifecycle in model.lifecycles:
        _add(table, lifecycle, customer)
    return table if table.row_count else None


def _add(table: Table, lifecycle: Lifecycle, customer: Customer) -> None:
    life = customer.lives.get(lifecycle.id)
    if life is None or life.memory is None:
        return
    for ledger, state in zip(lifecycle.ledgers, life.memory.ledgers, strict=True):
        total = Text(f"{state.total / MILLION:,.6g}", "bold")
        table.add_row(lifecycle.id, ledger.name, Text(f"{state.count:,} in all", "dim"), "", "", total)
        for entry in state.entries:
            made = format_time(entry.time) if entry.made else Text("waits for its first word", "dim")
            table.add_row("", "", made, _amount(entry), _returned(entry), _left(entry))


def _amount(entry: LedgerEntry) -> str:
    amount = entry.update if entry.update >= 0 else entry.amount
    return f"{amount / MILLION:,.6g}" if amount >= 0 else ""


def _returned(entry: LedgerEntry) -> str:
    if entry.all_returned:
        return "all"
    return f"{entry.returned / MILLION:,.6g}" if entry.returned else ""


def _left(entry: LedgerEntry) -> str:
    return f"{left(entry) / MILLION:,.6g}" if counts(entry) else "0"
